import subprocess, sys, tempfile
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fakeradio import Fake, other_src, to_0x80, to_0x90

for name, change in (('0x90', to_0x90), ('0x80', to_0x80), ('address 2', other_src)):
    with tempfile.TemporaryDirectory() as folder, Fake(Path(folder) / 'radio', down=change) as fake:
        command = [sys.executable, '-m', 'millirobot_adapt.app.main', 'link-test', str(fake.port.path), '--seconds', '0.3']
        code = subprocess.run(command).returncode
        print(name, 'exit code', code, 'bytes that came back', fake.tx)
