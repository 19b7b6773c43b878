"""Each launch file under launch_pytest: it comes up, the robot walks, and everything ends as launch is told to."""

import re
from importlib.util import find_spec

import pytest
from launch_steps import DRIVEN, ROOT, START, Operated, arguments_of

from millirobot_adapt.benchmarks.link.launched_robot import processes_of
from millirobot_adapt.core.robot.description import load_robot

launch_pytest = pytest.importorskip('launch_pytest', reason='ROS 2 with launch_pytest is not sourced')

from launch import LaunchDescription  # noqa: E402
from launch.actions import IncludeLaunchDescription, RegisterEventHandler  # noqa: E402
from launch.event_handlers import OnProcessIO  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402
from launch_ros.actions import Node  # noqa: E402

SERVING = re.compile(rb'serving the radio|listening to ')
"""What a mock says when it is there."""

pytestmark = pytest.mark.system


def included(name, folder, **more):
    source = PythonLaunchDescriptionSource(str(ROOT / 'launch' / f'{name}.launch.py'))
    return IncludeLaunchDescription(source, launch_arguments={**arguments_of(name, folder), **more}.items())


@launch_pytest.fixture
def sim(own_domain, tmp_path):
    return LaunchDescription([included('sim', tmp_path)])


@launch_pytest.fixture
def collect(own_domain, tmp_path):
    return LaunchDescription([included('collect', tmp_path)])


@launch_pytest.fixture(params=['rover', 'xl330_hexapod'])
def another_robot(own_domain, tmp_path, request):
    return LaunchDescription([included('sim', tmp_path, robot=request.param)])


@launch_pytest.fixture
def rover_collect(own_domain, tmp_path):
    return LaunchDescription([included('collect', tmp_path, robot='rover')])


@launch_pytest.fixture
def learn(own_domain, tmp_path):
    return LaunchDescription([included('learn', tmp_path, settings='learn.leg_seconds=6 train.hidden=16,16')])


@launch_pytest.fixture(params=['velociroach', 'rover', 'xl330_hexapod'])
def robot(own_domain, tmp_path, request):
    """The launch file of a real robot, beside a mock that is none of its processes: at its port, if it has one."""
    settings = {'port': str(tmp_path / 'radio'), 'condition': 'flat', 'robot': request.param}
    mock = Node(package='millirobot_adapt', executable='mock_robot', parameters=[settings])
    port = {} if load_robot(request.param).baud else {'port': ''}
    launch = included('robot', tmp_path, robot=request.param, **port)
    plugged_in = OnProcessIO(target_action=mock, on_stderr=lambda event: launch if SERVING.search(event.text) else None)
    return LaunchDescription([RegisterEventHandler(plugged_in), mock])


def walks(name, folder):
    operated = Operated()
    try:
        operated.come_up()
        operated.walk(START[name])
        assert set(processes_of(folder)) >= {node.name for node in DRIVEN[name]}
    finally:
        operated.close()


def left_a_run(name, folder):
    assert processes_of(folder) == {}
    assert (folder / 'runs' / 'latest' / 'bag' / 'metadata.yaml').is_file()


@pytest.mark.launch(fixture=sim)
def test_the_mock_walks(tmp_path):
    walks('sim', tmp_path)
    yield
    left_a_run('sim', tmp_path)


@pytest.mark.launch(fixture=collect)
def test_the_mock_walks_at_random(tmp_path):
    walks('collect', tmp_path)
    yield
    left_a_run('collect', tmp_path)


@pytest.mark.launch(fixture=another_robot)
def test_the_mock_of_another_robot_walks(tmp_path):
    walks('sim', tmp_path)
    yield
    left_a_run('sim', tmp_path)


@pytest.mark.launch(fixture=rover_collect)
def test_a_robot_without_a_port_drives_at_random(tmp_path):
    walks('collect', tmp_path)
    yield
    left_a_run('collect', tmp_path)


@pytest.mark.skipif(find_spec('torch') is None, reason='learning needs the extra `train`')
@pytest.mark.launch(fixture=learn)
def test_the_mock_walks_to_learn_once_it_is_armed(tmp_path):
    walks('learn', tmp_path)
    yield
    left_a_run('learn', tmp_path)
    assert list((tmp_path / 'runs' / 'latest' / 'legs').glob('*.npz')), 'what was walked can be learned from'


@pytest.mark.launch(fixture=robot)
def test_what_drives_the_real_robot_waits_for_nobody_but_port_and_motion_capture(tmp_path):
    walks('robot', tmp_path)
    yield
    left_a_run('robot', tmp_path)
