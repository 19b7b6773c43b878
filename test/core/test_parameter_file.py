"""Parameter files as ROS users write them; what is read, and how often."""

import sys

import pytest

from firmware_bridge.bridge_config import BridgeConfig
from millirobot_adapt.app.doctor.model_checks import check_parameters
from millirobot_adapt.app.doctor.subject import Subject
from millirobot_adapt.bringup.own_parameters import own_parameters
from millirobot_adapt.bringup.processes import SIMULATION, resolve
from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.parameter_file import read_parameter_file
from millirobot_adapt.ros.parameter_files import origin_of, read_files

DRY = '{ros__parameters: {use_sim_time: false, dry_run: true}}'


@pytest.mark.parametrize(
    'text',
    [
        f'bridge: {DRY}',
        f'/bridge: {DRY}',
        f'robot1: {{bridge: {DRY}}}',
        f'/lab/robot1/bridge: {DRY}',
        f"'/**/bridge': {DRY}",
        f"'/**': {DRY}",
        f"'/*': {DRY}",
    ],
)
def test_without_ros_every_way_to_head_a_block_is_taken(tmp_path, text):
    file = tmp_path / 'lab.yaml'
    file.write_text(text)
    assert read_params(file, 'bridge', BridgeConfig).dry_run


def test_a_file_for_several_robots_is_no_file_for_one(tmp_path):
    file = tmp_path / 'lab.yaml'
    file.write_text(f'/robot1/bridge: {DRY}\n/robot2/bridge: {DRY}\n')
    with pytest.raises(UserError, match='is for several robots'):
        read_params(file, 'bridge', BridgeConfig)
    assert read_parameter_file(file).values('bridge', 'robot2') == {'dry_run': True}


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('bridge:', 'bridge holds no ros__parameters'),
        ('bridge: {gate: {tilt: 0.5}}', 'bridge holds no ros__parameters'),
        ('bridge: {ros__parameters: [1]}', 'must be a group of parameters'),
        ("'/**': {ros__parameters: {gate.tlit: 0.5}}", "unknown parameter 'gate.tlit', of no node; did you mean"),
        ('bridge: {ros__parameters: {gate.tilt: 0.5, gate.tilt.x: 1}}', 'it is a group of parameters'),
        (
            'bridge: {ros__parameters: {gate.tilt.x: 1, gate.tilt: 0.5}}',
            'gate.tilt is given a value, but it is a group',
        ),
    ],
)
def test_a_mistake_is_one_line(tmp_path, text, says):
    file = tmp_path / 'lab.yaml'
    file.write_text(text)
    with pytest.raises(UserError, match=r'lab\.yaml') as error:
        read_params(file, 'bridge', BridgeConfig)
    assert says in str(error.value)
    assert '\n' not in str(error.value)


_opened = []
sys.addaudithook(lambda event, arguments: _opened.append(str(arguments[0])) if event == 'open' else None)


@pytest.fixture
def opened():
    """The files that Python has opened since the test began."""
    _opened.clear()
    return _opened


def test_a_node_reads_its_file_once(tmp_path, opened):
    file = tmp_path / 'lab.yaml'
    file.write_text(f'bridge: {DRY}')
    arguments = ['bridge', '--ros-args', '--params-file', str(file)]
    opened.clear()
    read_files(arguments)
    assert origin_of('bridge', '/', arguments).text == str(file)
    assert opened.count(str(file)) == 1


def test_a_launch_reads_the_users_file_and_each_shipped_one_once(tmp_path, opened):
    file = tmp_path / 'lab.yaml'
    file.write_text(f'bridge: {DRY}\ncontroller: {{ros__parameters: {{seed: 3}}}}\n')
    opened.clear()
    resolve(SIMULATION, own_parameters(file, SIMULATION))
    assert opened.count(str(file)) == 1
    for node in SIMULATION:
        assert opened.count(str(node.parameter_file)) == 1


def test_the_doctor_reads_the_users_file_once(tmp_path, opened):
    file = tmp_path / 'lab.yaml'
    file.write_text(f'bridge: {DRY}')
    opened.clear()
    subject = Subject(params=file)
    list(check_parameters(subject))
    assert subject.bridge.dry_run
    assert subject.controller.model
    assert opened.count(str(file)) == 1
    assert all(opened.count(path) == 1 for path in set(opened) if path.endswith('.yaml'))
