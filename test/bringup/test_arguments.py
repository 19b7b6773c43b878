"""What the launch files offer, and what becomes of it, without ROS's launch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from millirobot_adapt.app.launch_request import Launched, describe_differing, parameters, read_command_line
from millirobot_adapt.bringup.arguments import LAUNCHES, arguments_of, check_names, refuse_unknown
from millirobot_adapt.bringup.processes import NODES
from millirobot_adapt.bringup.robot_choice import FLOORS
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.writer import BagWriter
from millirobot_adapt.sim.conditions import load_condition
from millirobot_adapt.sim.lockstep_robots import make_stepped

ROOT = Path(__file__).resolve().parents[2]


def chosen(launch, **given):
    return read_command_line([launch, *(f'{name}:={value}' for name, value in given.items())])[0]


def test_there_is_a_launch_file_for_each_and_no_other():
    assert {path.name.removesuffix('.launch.py') for path in (ROOT / 'launch').glob('*.launch.py')} == set(LAUNCHES)


@pytest.mark.parametrize('launch', LAUNCHES)
def test_what_an_argument_sets_is_a_parameter(launch):
    known = {f'{node.name}.{name}' for node in NODES for name in flatten(node.config_class()())}
    for argument in arguments_of(launch):
        assert set(argument.sets) <= known


def test_a_misspelt_argument_is_named_with_the_nearest_if_one_is_near():
    command = ['/opt/ros2', 'launch', 'millirobot_adapt', 'sim.launch.py']
    refuse_unknown('sim', [*command, 'trajectory:=left'])
    with pytest.raises(UserError, match="did you mean 'trajectory'"):
        refuse_unknown('sim', [*command, 'trajectry:=left'])
    with pytest.raises(UserError, match='use_sim_time:=true: unknown argument') as caught:
        refuse_unknown('sim', [*command, 'use_sim_time:=true'])
    assert 'did you mean' not in str(caught.value)
    refuse_unknown('sim', ['ros2', 'launch', 'other', 'including.launch.py', 'speed:=1'])


@pytest.mark.parametrize(
    ('namespace', 'topic', 'says'),
    [
        ('robot-1', 'mocap/pose', "'-' cannot stand"),
        ('1robot', 'mocap/pose', 'begins with a letter'),
        ('../x', 'mocap/pose', "'.' cannot stand"),
        ('a//b', 'mocap/pose', 'begins with a letter'),
        ('', '/vrpn_mocap/robot-1/pose', "'-' cannot stand"),
        ('', '', 'is empty'),
    ],
)
def test_a_name_that_ros_would_refuse_later_is_refused_at_once(namespace, topic, says):
    with pytest.raises(UserError, match=says):
        check_names(namespace, topic)


@pytest.mark.parametrize(('namespace', 'topic'), [('', 'mocap/pose'), ('robot1', '/a/b_1'), ('/lab/robot1/', 'x')])
def test_names_that_ros_takes_are_taken(namespace, topic):
    check_names(namespace.strip('/'), topic)


def test_text_stays_text_and_numbers_become_numbers():
    given = parameters(chosen('sim', model='20180219', seed='7', trajectory='1.0', robot='rover', condition='on'))
    assert given['controller']['model'] == '20180219'
    assert given['controller']['path'] == '1.0'
    assert (given['controller']['seed'], given['mock_robot']['seed']) == (7, 7)
    assert (given['bridge']['robot'], given['mock_robot']['condition']) == ('rover', 'on')


@pytest.mark.parametrize(
    ('launch', 'given', 'says'),
    [
        ('sim', {'seed': 'many'}, 'launch arguments: mock_robot: seed must be of type int'),
        ('collect', {'minutes': '[1'}, 'minutes must be of type float'),
        ('sim', {'params': 'nowhere.yaml'}, r'nowhere\.yaml: no such file'),
    ],
)
def test_a_value_of_another_kind_is_refused(launch, given, says):
    with pytest.raises(UserError, match=says):
        parameters(chosen(launch, **given))


def test_a_switch_is_a_switch():
    assert parameters(chosen('robot', dry_run='true'))['bridge']['dry_run'] is True


def test_a_port_takes_the_place_of_the_mock_and_nothing_is_recorded_where_that_is_not_wanted():
    names = [node.name for node in chosen('collect', port='/dev/ttyUSB0', record='false', teleop='true').processes]
    assert names == ['bridge', 'estimator', 'collector', 'manager', 'teleop']
    assert parameters(chosen('collect', record='false'))['manager']['nodes'] == ['bridge', 'estimator', 'collector']


def test_the_own_file_wins_over_the_shipped_and_an_argument_over_both(tmp_path):
    file = tmp_path / 'lab.yaml'
    file.write_text(
        'controller: {ros__parameters: {seed: 1, path: left}}\nbridge: {ros__parameters: {gate.tilt: 0.5}}\n'
    )
    given = parameters(chosen('sim', params=file, seed='2'))
    assert (given['controller']['seed'], given['controller']['path'], given['bridge']['gate.tilt']) == (2, 'left', 0.5)


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv('HOME', '/home/lab')
    launched = chosen('sim', out='~/runs', params='~/lab.yaml', trajectory='~/path.csv', model='~/m')
    assert [launched.chosen[name] for name in ('out', 'params', 'trajectory', 'model')] == [
        '/home/lab/runs', '/home/lab/lab.yaml', '/home/lab/path.csv', '/home/lab/m',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('words', 'says'),
    [([], 'no such launch'), (['sims'], 'no such launch'), (['sim', 'bag:=x'], 'unknown'), (['replay'], 'bag:= is')],
)
def test_a_command_line_that_cannot_be_meant_is_refused(words, says):
    with pytest.raises(UserError, match=says):
        read_command_line(words)


def test_the_launcher_is_known_by_its_process_id():
    assert read_command_line(['sim', '--launcher=12'])[1] == 12
    assert isinstance(read_command_line(['sim'])[0], Launched)


def test_bad_input_is_one_line_and_leaves_nothing(tmp_path):
    answer = subprocess.run(
        [sys.executable, '-m', 'millirobot_adapt.app.launched', 'sim', f'out:={tmp_path / "runs"}', 'namespace:=a-b'],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, 'ROS_DOMAIN_ID': '99'},
    )  # fmt: skip
    assert answer.returncode == 2
    assert answer.stderr == "error: namespace:=a-b: '-' cannot stand in a ROS name; use letters, digits, _ and /\n"
    assert list(tmp_path.iterdir()) == []


def test_a_launch_file_that_overrides_the_fence_says_so():
    assert describe_differing(chosen('sim')).startswith(
        'sim.launch.py itself sets bridge.gate.fence, controller.objective.fence'
    )


@pytest.mark.parametrize(
    ('robot', 'model', 'condition', 'mock_model'),
    [('rover', 'rover_grbal', 'weak_wheel', True), ('xl330_hexapod', 'xl330_hexapod_grbal', 'dead_servo', False)],
)
def test_another_robot_is_every_nodes_and_brings_what_fits_it(robot, model, condition, mock_model):
    given = parameters(chosen('sim', robot=robot))
    assert {given[node]['robot'] for node in ('mock_robot', 'bridge', 'estimator', 'controller')} == {robot}
    assert (given['controller']['model'], given['mock_robot']['condition']) == (model, condition)
    assert given['bridge']['allow_mock_model'] is mock_model
    assert not parameters(chosen('robot', robot=robot))['bridge']['allow_mock_model'], 'no mock, no excuse'


def run_of(robot, folder):
    """The folder of a run that tells its robot, and whose bag does not, as where another tool recorded it."""
    with BagWriter(folder / 'bag') as bag:
        bag.write_message('/bridge/state', stored_messages.status('bridge', 'armed', {'armed': True}), 1.0)
    (folder / 'parameters.yaml').write_text(f'estimator: {{robot: {robot}}}')
    return folder


def test_a_recorded_run_is_played_as_the_robot_that_it_was_of(tmp_path):
    folder = run_of('rover', tmp_path / 'run')
    assert parameters(chosen('replay', bag=folder))['estimator']['robot'] == 'rover'
    assert parameters(chosen('replay', bag=folder / 'bag'))['estimator']['robot'] == 'rover'
    assert parameters(chosen('replay', bag=folder, robot='velociroach'))['estimator']['robot'] == 'velociroach'
    own = tmp_path / 'own.yaml'
    own.write_text('estimator: {ros__parameters: {robot: xl330_hexapod}}')
    assert parameters(chosen('replay', bag=folder, params=own))['estimator']['robot'] == 'xl330_hexapod'
    assert parameters(chosen('replay', bag='nowhere'))['estimator']['robot'] == 'velociroach', 'the player complains'


def test_what_the_user_says_wins_over_what_the_robot_brings(tmp_path):
    own = tmp_path / 'own.yaml'
    own.write_text('controller:\n  ros__parameters:\n    model: mine\n')
    given = parameters(chosen('sim', robot='rover', params=str(own), condition='flat'))
    assert (given['controller']['model'], given['mock_robot']['condition']) == ('mine', 'flat')
    assert parameters(chosen('sim', robot='rover', method='mb'))['controller']['model'] == 'rover_mb'


def test_a_robot_without_a_port_is_collected_with_where_the_mock_is_sent_away():
    assert 'mock_robot' in parameters(chosen('collect', robot='rover'))
    assert 'mock_robot' not in parameters(chosen('collect', robot='rover', mock='false'))
    assert 'mock_robot' not in parameters(chosen('collect', port='/dev/ttyUSB0'))


def test_a_sitting_of_learning_walks_legs_along_paths_that_it_publishes_itself():
    given = parameters(chosen('learn', seed='7', settings='learn.leg_seconds=12 train.hidden=64,64'))
    assert given['manager']['nodes'] == ['recorder', 'bridge', 'estimator', 'collector'], 'the controller comes later'
    assert given['collector']['minutes'] == 0.2
    assert given['controller']['path'] == 'topic'
    assert given['controller']['objective.fence_corners'] == given['bridge']['gate.fence'] == [-30.0, -30.0, 30.0, 30.0]
    assert given['mock_robot']['condition'] == 'carpet'
    assert (given['controller']['seed'], given['collector']['seed'], given['mock_robot']['seed']) == (7, 7, 7)
    learning = chosen('learn', minutes='3', seed='7', settings='train.hidden=64,64').learning
    assert (learning.learn.minutes, learning.learn.seed, learning.train.hidden) == (3.0, 7, (64, 64))
    assert learning.operator_arms


def test_a_real_robot_learns_inside_the_shipped_fence():
    given = parameters(chosen('learn', port='/dev/ttyUSB0'))
    assert 'mock_robot' not in given
    assert given['bridge']['gate.fence'] == parameters(chosen('robot'))['bridge']['gate.fence']


@pytest.mark.parametrize(('mock', 'walks'), [('', True), ('false', False)])
def test_a_robot_without_a_port_learns_with_its_mock_or_without(mock, walks):
    launched = chosen('learn', robot='rover', mock=mock)
    given = parameters(launched)
    assert ('mock_robot' in given) is launched.learning.mock is walks
    assert given['bridge']['allow_mock_model'] is walks
    if walks:
        assert given['mock_robot']['condition'] == 'flat'
    assert given['controller']['deadline'] == pytest.approx(0.9 * load_robot('rover').dt)


@pytest.mark.parametrize(
    ('given', 'says'),
    [
        ({'settings': 'learn.leg=3'}, 'settings:=leg=3: unknown parameter; known are minutes,'),
        ({'settings': 'controller.seed=3'}, 'settings:=controller.seed=3: begins with neither learn. nor train.'),
        ({'settings': '"'}, 'settings:=": No closing quotation'),
        ({'minutes': 'long'}, 'minutes:=long: is not of type float'),
        ({'minutes': '0'}, 'settings:=: minutes = 0.0 min is below its lowest value 0.1 min'),
        ({'resume': 'nowhere'}, 'nowhere: has no legs/; name the folder of a run of `millirobot learn`'),
    ],
)
def test_what_cannot_be_learned_is_refused(given, says):
    with pytest.raises(UserError, match=says):
        parameters(chosen('learn', **given))


@pytest.mark.parametrize('robot', ['velociroach', 'rover', 'xl330_hexapod'])
def test_the_mock_of_every_robot_can_be_made_on_the_floor_that_it_learns_on(robot):
    description = load_robot(robot)
    condition = load_condition(FLOORS[description.driver.kind])
    make_stepped(description, condition, make_estimator(EstimatorConfig(), description), seed=0)
