"""`ros2 launch` as a user types it: Ctrl-C, a node that is killed, a robot beside another, a mistake."""

import signal

import pytest
from launch_steps import END, START

from millirobot_adapt.benchmarks.link.launched_robot import processes_of
from millirobot_adapt.contract.topics import ODOMETRY
from millirobot_adapt.ros.conversions import message_class, qos

pytestmark = pytest.mark.system


def test_ctrl_c_stops_the_robot_and_leaves_no_process(mock, launched, operated, tmp_path):
    robot = operated()
    robot.until((tmp_path / 'radio').exists, 'the mock serves')
    process = launched('robot')
    robot.come_up()
    robot.walk(START['robot'])
    process.send_signal(signal.SIGINT)
    robot.stand()
    said, _ = process.communicate(timeout=END)
    assert set(processes_of(tmp_path)) <= {'mock_robot'}
    assert 'Traceback' not in said
    run = tmp_path / 'runs' / 'latest'
    assert (run / 'bag' / 'metadata.yaml').is_file()
    assert not (run / 'ended.txt').exists(), 'it ended as wished'


def test_two_robots_walk_side_by_side(launched, operated, tmp_path):
    processes = [launched('sim', namespace=name) for name in ('robot1', 'robot2')]
    first, second = operated('robot1'), operated('robot2')
    for robot in (first, second):
        robot.come_up()
    first.walk(START['sim'])
    second.witness.spin(1.0)
    assert not second.witness.moving, 'each obeys its own operator'
    second.walk(START['sim'])
    for process in processes:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=END)
    assert processes_of(tmp_path) == {}
    assert {folder.name for folder in (tmp_path / 'runs').iterdir()} == {'robot1', 'robot2'}


def test_a_recorded_run_is_estimated_anew_and_the_launch_ends_with_it(launched, operated):
    robot = operated()
    heard = []
    robot.witness.listen(ODOMETRY, heard.append, depth=100)
    process = launched('replay')
    robot.until(lambda: len(heard) > 20, 'odometry comes')
    said, _ = process.communicate(timeout=END)
    assert process.returncode == 0, said
    assert 'the bag is over' in said


@pytest.mark.parametrize('name', ['rover', 'xl330_hexapod'])
def test_a_run_of_another_robot_is_estimated_anew_as_that_robot(launched, operated, tmp_path, name):
    robot = operated()
    recorded = launched('sim', robot=name)
    robot.come_up()
    robot.walk(START['sim'])
    robot.witness.spin(3.0)
    recorded.send_signal(signal.SIGINT)
    recorded.communicate(timeout=END)
    heard = []
    robot.witness.node.create_subscription(message_class(ODOMETRY), ODOMETRY.name, heard.append, qos(ODOMETRY, 100))
    process = launched('replay', bag=str(tmp_path / 'runs' / 'latest'))
    robot.until(lambda: len(heard) > 20, 'odometry comes')
    said, _ = process.communicate(timeout=END)
    assert process.returncode == 0, said
    assert 'the bag is over' in said


@pytest.mark.parametrize(
    ('name', 'more', 'says'),
    [
        ('sim', {'trajectry': 'left'}, "trajectry:=left: unknown argument; did you mean 'trajectory'?"),
        ('sim', {'trajectory': 'lefft'}, 'lefft: no path of that name'),
        ('sim', {'condition': 'gras'}, 'gras: no such file'),
        ('sim', {'namespace': 'robot-1'}, "namespace:=robot-1: '-' cannot stand in a ROS name"),
        ('sim', {'mocap_topic': '/vrpn/my robot'}, "' ' cannot stand in a ROS name"),
        ('sim', {'model': '20180219'}, '20180219: no such file, and no model of that name is shipped'),
        ('robot', {'params': 'nowhere.yaml'}, 'nowhere.yaml: no such file'),
        ('collect', {'minutes': 'long'}, 'launch arguments: collector: minutes must be of type float'),
        ('learn', {'settings': 'learn.leg=3'}, 'settings:=leg=3: unknown parameter; known are minutes'),
        ('learn', {'resume': 'nowhere'}, 'nowhere: has no legs/'),
        ('replay', {'bag': 'nowhere'}, 'nowhere: no such bag'),
    ],
)
def test_a_mistake_is_told_in_one_line_and_nothing_stays(launched, tmp_path, name, more, says):
    process = launched(name, **more)
    said, _ = process.communicate(timeout=60.0)
    assert process.returncode == 1
    assert says in said
    assert 'Traceback' not in said
    assert processes_of(tmp_path) == {}
    assert not (tmp_path / 'runs').exists()
