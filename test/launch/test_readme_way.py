"""The README's way to `ros2 launch`, typed as it stands there, in a fresh clone with ROS alone sourced."""

import os
import re
import shutil
import signal
import subprocess

import pytest
from launch_steps import ROOT, START, arguments_of, bare_environment

from millirobot_adapt.benchmarks.link.launched_robot import processes_of

pytestmark = [pytest.mark.system, pytest.mark.long]

TYPED = re.search(r'test_readme_way\.py -->\n\s*```\n(.*?)```', (ROOT / 'README.md').read_text(), re.DOTALL)[1]
COMMANDS = [line.strip() for line in TYPED.splitlines() if line.strip()]


def test_the_commands_are_few():
    assert len(COMMANDS) <= 4
    assert COMMANDS[-1] == 'ros2 launch millirobot_adapt sim.launch.py'


@pytest.mark.parametrize('option', ['', ' --symlink-install'])
def test_the_commands_of_the_readme_lead_to_a_walk_and_its_report(own_domain, operated, tmp_path, option):
    if shutil.which('colcon') is None:
        pytest.skip('colcon is not installed')
    clone = tmp_path / 'clone'
    subprocess.run(['git', 'clone', '-q', str(ROOT), str(clone)], check=True)
    script = '\n'.join(['set -e', *COMMANDS[:-1], f'exec {COMMANDS[-1]} condition:=flat params:=patient.yaml'])
    script = script.replace('colcon build', f'colcon build{option}')
    arguments_of('sim', clone)  # writes patient.yaml
    with (tmp_path / 'said').open('w') as said:
        process = subprocess.Popen(
            ['bash', '-c', script], cwd=clone, env=bare_environment(), stdin=subprocess.DEVNULL, stdout=said,
            stderr=said, start_new_session=True,
        )  # fmt: skip
    try:
        robot = operated()
        robot.until(lambda: robot.witness.manager or process.poll() is not None, 'a manager', 900.0)
        robot.come_up()
        robot.walk(START['sim'])
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0, (tmp_path / 'said').read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        print((tmp_path / 'said').read_text())
    run = clone / 'runs' / 'latest'
    assert (run / 'report.html').is_file()
    assert (run / 'bag' / 'metadata.yaml').is_file()
    assert 'Traceback' not in (tmp_path / 'said').read_text()
    assert processes_of(clone) == {}
