import subprocess, sys, tempfile
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fakeradio import Fake
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.drivers import ImageprocConfig, ScalesConfig

for told in (RobotConfig(driver=ImageprocConfig(index_before_timestamp=False)), RobotConfig(driver=ImageprocConfig(scales=ScalesConfig(clock=1e-3)))):
    with tempfile.TemporaryDirectory() as folder, Fake(Path(folder) / 'radio', robot=told) as fake:
        command = [sys.executable, '-m', 'millirobot_adapt.app.main', 'link-test', str(fake.port.path), '--seconds', '0.3', '--jog', 'left', '--yes']
        print('exit code', subprocess.run(command).returncode)
