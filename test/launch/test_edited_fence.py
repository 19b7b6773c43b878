"""An edited fence is the one that stops the robot: in the checkout, built either way, and in a file of one's own."""

import copy
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
import yaml
from launch_steps import END, PATIENT, ROOT, START, bare_environment

from millirobot_adapt.core.robot.state import StateView

pytestmark = [pytest.mark.system, pytest.mark.long]

MARGIN = 0.1
NEW_EDGE = 0.9
"""Where the edited fence ends ahead of the robot, which starts at 0 [m]; the shipped one ends at 2.5 m."""
SHIPPED = re.compile(r'(fence: \[-1\.4, -1\.2, )2\.5(, 1\.8\])')
LATEST = NEW_EDGE - MARGIN + 0.35
"""A decision takes up to 0.2 s, and the legs brake for up to 0.7 s, at about 0.4 m/s [m]."""


def edit_fence(text):
    edited, count = SHIPPED.subn(rf'\g<1>{NEW_EDGE}\g<2>', text)
    assert count == 1
    return edited


@pytest.fixture
def own_file(tmp_path):
    """Patience for a busy machine, and nothing about the fence of the gate."""
    values = copy.deepcopy(PATIENT)
    del values['bridge']['gate']['fence']

    def write(**gate):
        values['bridge']['gate'] |= gate
        file = tmp_path / 'lab.yaml'
        file.write_text(yaml.safe_dump({node: {'ros__parameters': each} for node, each in values.items()}))
        return file

    return write


def walk_over_the_edge(robot, process, tmp_path):
    """Walk straight on until the fence disarms the bridge; return what arming said, why, and how far it came [m].

    A machine that is too busy may stop the robot before; then it walks on.
    """
    robot.come_up()
    limits, ahead = [], [0.0]

    def at_the_edge():
        if not robot.witness.moving and not (limits and 'outside the fence' in robot.witness.bridge.last_stop):
            done, answer = robot.witness.call('bridge/arm', 5.0)
            if done:
                limits.append(answer)
            robot.witness.call(START['robot'], 5.0)
        robot.witness.spin(0.3)
        ahead.extend(StateView(tick.state).position[0] for tick in robot.witness.ticks)
        robot.witness.ticks.clear()
        return limits and not robot.witness.moving and 'outside the fence' in robot.witness.bridge.last_stop

    robot.until(at_the_edge, 'the fence stops the robot')
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=END)
    return limits[-1], robot.witness.bridge.last_stop, max(ahead)


def launch_from(build, folder, own_file):
    """Start robot.launch.py from what was built in `build`, as a shell does in which that was sourced."""
    words = f'port:={folder / "radio"} trajectory:=straight out:={folder / "runs"} params:={own_file}'
    script = f'source {build / "install" / "setup.bash"}; exec ros2 launch millirobot_adapt robot.launch.py {words}'
    environment = {**bare_environment(), 'MILLIROBOT_PYTHON': sys.executable}
    return subprocess.Popen(
        ['bash', '-c', script], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def stops_at_the_new_edge(robot, process, tmp_path):
    try:
        limits, why, ahead = walk_over_the_edge(robot, process, tmp_path)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    print(f'\n| {tmp_path.name} | stopped {ahead:.2f} m ahead: {why} |')
    assert f'-1.2 {NEW_EDGE:g} 1.8]' in limits, 'arming shows the limits in use'
    assert 'outside the fence' in why
    assert NEW_EDGE - MARGIN - 0.05 < ahead < LATEST


@pytest.mark.parametrize('option', [[], ['--symlink-install']])
def test_a_fence_edited_in_the_checkout_counts_once_it_is_built(mock, operated, tmp_path, own_file, option):
    if shutil.which('colcon') is None:
        pytest.skip('colcon is not installed')
    clone = tmp_path / 'clone'
    subprocess.run(['git', 'clone', '-q', str(ROOT), str(clone)], check=True)
    build = ['colcon', 'build', '--packages-select', 'millirobot_adapt', *option]
    params = clone / 'params' / 'bridge.yaml'
    if option:  # what is linked need not be built again
        subprocess.run(build, cwd=clone, env=bare_environment(), check=True, capture_output=True)
    params.write_text(edit_fence(params.read_text()))
    if not option:
        subprocess.run(build, cwd=clone, env=bare_environment(), check=True, capture_output=True)
    robot = operated()
    robot.until((tmp_path / 'radio').exists, 'the mock serves')
    stops_at_the_new_edge(robot, launch_from(clone, tmp_path, own_file()), tmp_path)
    ran = yaml.safe_load((tmp_path / 'runs' / 'latest' / 'parameters.yaml').read_text())
    assert all(str(clone) in file or file.endswith('lab.yaml') for file in ran['parameter_files'])


def test_a_fence_edited_after_a_plain_build_is_named_and_the_old_one_holds(mock, operated, tmp_path, own_file):
    if shutil.which('colcon') is None:
        pytest.skip('colcon is not installed')
    clone = tmp_path / 'clone'
    subprocess.run(['git', 'clone', '-q', str(ROOT), str(clone)], check=True)
    build = ['colcon', 'build', '--packages-select', 'millirobot_adapt']
    subprocess.run(build, cwd=clone, env=bare_environment(), check=True, capture_output=True)
    params = clone / 'params' / 'bridge.yaml'
    params.write_text(edit_fence(params.read_text()))
    robot = operated()
    robot.until((tmp_path / 'radio').exists, 'the mock serves')
    process = launch_from(clone, tmp_path, own_file())
    try:
        robot.come_up()
        _, answer = robot.witness.call('bridge/arm', 5.0)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=END)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert '-1.2 2.5 1.8]' in answer
    assert f'warning: {params} differs from its installed copy' in said


def test_a_fence_in_a_file_of_ones_own_counts(mock, launched, operated, tmp_path, own_file):
    robot = operated()
    robot.until((tmp_path / 'radio').exists, 'the mock serves')
    file = own_file(fence=[-1.4, -1.2, NEW_EDGE, 1.8])
    stops_at_the_new_edge(robot, launched('robot', params=str(file)), tmp_path)
