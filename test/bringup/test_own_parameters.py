"""A user's own parameter file, as the launch files take it."""

import pytest

from millirobot_adapt.bringup.own_parameters import own_parameters
from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, NODES, SIMULATION, resolve
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


ALL = "'/**': {ros__parameters: {use_sim_time: false, robot: velociroach}}\n"


def test_parameters_for_all_nodes_are_taken_by_those_that_have_them(tmp_path):
    file = tmp_path / 'lab.yaml'
    file.write_text(ALL)
    having = {'mock_robot', 'bridge', 'estimator', 'controller'}
    assert own_parameters(file, SIMULATION) == {node: {'robot': 'velociroach'} for node in having}
    file.write_text(ALL.replace('robot:', 'robbot:'))
    with pytest.raises(UserError, match="unknown parameter 'robbot', of no node; did you mean 'robot'"):
        own_parameters(file, SIMULATION)


def test_of_several_blocks_for_a_node_the_later_one_counts_as_in_ros(tmp_path):
    file = tmp_path / 'lab.yaml'
    file.write_text('bridge: {ros__parameters: {robot: mine}}\n' + ALL)
    assert own_parameters(file, [BRIDGE]) == {'bridge': {'robot': 'velociroach'}}


@pytest.mark.parametrize(
    'head', ['robot1: {bridge: %s}', '/robot1/bridge: %s', 'robot1/bridge: %s', "'/**/bridge': %s"]
)
def test_namespaces_are_written_as_ros_users_write_them(tmp_path, head):
    file = tmp_path / 'lab.yaml'
    file.write_text(head % '{ros__parameters: {use_sim_time: false, dry_run: true}}')
    assert own_parameters(file, SIMULATION, 'robot1') == {'bridge': {'dry_run': True}}
    assert own_parameters(file, SIMULATION, '/robot1') == {'bridge': {'dry_run': True}}


def test_blocks_of_other_peoples_nodes_are_left_out_with_a_note(tmp_path):
    file, notes = tmp_path / 'lab.yaml', []
    file.write_text('vrpn_client: {ros__parameters: {server: lab}}\nbridge: {ros__parameters: {dry_run: true}}\n')
    assert own_parameters(file, SIMULATION, say=notes.append) == {'bridge': {'dry_run': True}}
    assert notes == [f'{file}: vrpn_client is none of our nodes, its block is left out']


def test_a_former_name_is_taken_with_a_note_that_names_the_present_one(tmp_path):
    file, notes = tmp_path / 'lab.yaml', []
    file.write_text('controller: {ros__parameters: {objective: {arena: [-1.0, 2.0, -0.5, 1.5]}}}\n')
    own = own_parameters(file, SIMULATION, say=notes.append)
    corners = {'objective.fence_corners': [-1.0, -0.5, 2.0, 1.5], 'objective.fence_margin': 0.0}
    assert own == {'controller': corners}
    (note,) = notes
    assert 'objective.arena is now called objective.fence_corners' in note


@pytest.mark.parametrize(
    ('content', 'says'),
    [
        ('mock_robot: {ros__parameters: {radio: {reset: 3.0}}}', 'radio.reset is gone: '),
        ('bridge: {ros__parameters: {use_sim_time: true}}', "our nodes run on the machine's clock"),
        ('brigde: {ros__parameters: {}}', "brigde is none of our nodes; did you mean 'bridge'"),
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
