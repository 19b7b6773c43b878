"""The launch files, run as `ros2 launch` runs them: this needs ROS's launch and the package built by colcon."""

import os
from pathlib import Path

import pytest

from millirobot_adapt.bringup.environment import local_environment, reserve_domain


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
    reason = missing()
    for item in items:
        if reason and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def own_domain(monkeypatch):
    """Processes and test meet in a ROS domain of their own."""
    domain = reserve_domain()
    for name, value in local_environment(domain.number).items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
    yield
    domain.release()
