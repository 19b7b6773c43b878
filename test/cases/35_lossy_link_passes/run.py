import subprocess, sys, tempfile
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fakeradio import Fake, escaped
from millirobot_adapt.sim.radio_faults import RadioFaults

for options in ({'down': escaped}, {'faults': RadioFaults(reply_loss=0.5)}):
    with tempfile.TemporaryDirectory() as folder, Fake(Path(folder) / 'radio', **options) as fake:
        command = [sys.executable, '-m', 'millirobot_adapt.app.main', 'link-test', str(fake.port.path), '--seconds', '0.3']
        print('exit code', subprocess.run(command).returncode)
