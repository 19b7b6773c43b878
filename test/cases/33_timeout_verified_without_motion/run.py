import subprocess, sys, tempfile
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fakeradio import Fake
from firmware_bridge.packets import SetTimeout

with tempfile.TemporaryDirectory() as folder:
    fake = Fake(Path(folder) / 'radio')
    mc = fake.world.microcontroller
    obey = mc.obey
    mc._start = lambda run_until: None
    mc.obey = lambda packet: None if isinstance(packet, SetTimeout) else obey(packet)
    with fake:
        command = [sys.executable, '-m', 'millirobot_adapt.app.main', 'link-test', str(fake.port.path), '--seconds', '0.3', '--jog', 'left', '--yes']
        print('exit code', subprocess.run(command).returncode)
