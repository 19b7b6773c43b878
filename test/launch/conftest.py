"""The launch files, run as `ros2 launch` runs them: this needs ROS's launch and the package built by colcon."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from launch_steps import END, Operated, arguments_of


def missing():
    """Say what keeps the tests of this folder from running; empty if nothing does."""
    try:
        import launch_pytest  # noqa: F401
        import ros2launch  # noqa: F401
        from ament_index_python.packages import PackageNotFoundError, get_package_prefix
    except ImportError as error:
        return f'{error.name} does not import: source a ROS 2 installation with launch_pytest and ros2launch'
    try:
        get_package_prefix('millirobot_adapt')
    except PackageNotFoundError:
        return 'millirobot_adapt is not built: colcon build, then source install/setup.bash'
    return ''


def pytest_collection_modifyitems(items):
    here = f'{Path(__file__).parent}/'
    ours = [item for item in items if str(item.path).startswith(here)]
    reason = missing() if ours else ''
    for item in ours if reason else ():
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def own_domain(domain):
    """Processes and test meet in a ROS domain of their own."""
    return domain


@pytest.fixture
def launched(own_domain, tmp_path):
    """Start launch files; whatever is left at the end is a failure."""
    started = []

    def start(name, **more):
        words = [f'{key}:={value}' for key, value in {**arguments_of(name, tmp_path), **more}.items()]
        command = [shutil.which('ros2'), 'launch', 'millirobot_adapt', f'{name}.launch.py', *words]
        started.append(
            subprocess.Popen(
                command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, start_new_session=True,
            )
        )  # fmt: skip
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def mock(own_domain, tmp_path):
    """A mock robot that no launch ends, so that it can tell how its motors were left."""
    command = [shutil.which('ros2'), 'run', 'millirobot_adapt', 'mock_robot', '--ros-args', '-p', 'condition:=flat']
    process = subprocess.Popen([*command, '-p', f'port:={tmp_path / "radio"}'], start_new_session=True)
    yield process
    os.killpg(process.pid, signal.SIGINT)
    process.wait(END)


@pytest.fixture
def operated(own_domain):
    robots = []

    def operate(namespace=''):
        robots.append(Operated(namespace))
        return robots[-1]

    yield operate
    for robot in robots:
        robot.close()
