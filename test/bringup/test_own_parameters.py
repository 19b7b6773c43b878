"""A user's own parameter file, as the launch files take it."""

import pytest

from millirobot_adapt.bringup.launching.own_parameters import own_parameters
from millirobot_adapt.bringup.processes import CONTROLLER, NODES, SIMULATION, resolve
from millirobot_adapt.bringup.run_folder import write_node_parameters
from millirobot_adapt.core.errors import UserError


def test_some_parameters_of_some_nodes_change_and_the_others_stay(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text(
        'bridge:\n  ros__parameters:\n    gate: {tilt: 0.5}\n    link.tries: 3\n'
        '/**/controller:\n  ros__parameters: {path: straight}\n'
    )
    own = own_parameters(file, SIMULATION)
    assert own == {'bridge': {'gate.tilt': 0.5, 'link.tries': 3}, 'controller': {'path': 'straight'}}
    assert resolve(SIMULATION, own)['bridge']['gate.setpoint_timeout'] == 0.2


def test_what_one_run_was_started_with_serves_another(tmp_path):
    file = tmp_path / 'nodes.yaml'
    parameters = resolve(SIMULATION, {'controller': {'seed': 7}})
    write_node_parameters(file, parameters)
    assert own_parameters(file, SIMULATION) == parameters


def test_each_robot_takes_its_own_block(tmp_path):
    file = tmp_path / 'two.yaml'
    file.write_text(
        '/robot1/controller: {ros__parameters: {seed: 1}}\n/robot2/controller: {ros__parameters: {seed: 2}}\n'
    )
    assert own_parameters(file, SIMULATION, 'robot2') == {'controller': {'seed': 2}}
    assert own_parameters(file, SIMULATION) == {}


def test_blocks_of_nodes_that_are_not_started_are_left_out(tmp_path):
    file = tmp_path / 'all.yaml'
    write_node_parameters(file, resolve(NODES, {}))
    assert list(own_parameters(file, [CONTROLLER])) == ['controller']


@pytest.mark.parametrize(
    ('content', 'says'),
    [
        ('brigde: {ros__parameters: {}}', "brigde is no node; did you mean 'bridge'"),
        ('bridge: {gate: {}}', 'bridge holds no ros__parameters'),
        ('bridge: {ros__parameters: {prot: x}}', "unknown parameter 'prot'; did you mean 'port'"),
        ('bridge: {ros__parameters: {gate: {tilt: 9.0}}}', 'above its highest value'),
        ('bridge: {ros__parameters: {gate: {tilt: much}}}', 'gate: tilt must be of type float'),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path, content, says):
    file = tmp_path / 'mine.yaml'
    file.write_text(content)
    with pytest.raises(UserError, match=r'mine\.yaml') as caught:
        own_parameters(file, SIMULATION)
    assert says in str(caught.value)
