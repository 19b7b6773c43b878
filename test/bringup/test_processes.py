"""Parameters of the processes, before any is started."""

from pathlib import Path

import pytest
import yaml

from millirobot_adapt.bringup.processes import BRIDGE, NODES, SIMULATION, STOP_ORDER, parse_override, resolve
from millirobot_adapt.bringup.run_folder import write_node_parameters
from millirobot_adapt.core.errors import UserError


def test_shipped_parameters_resolve_and_write_as_one_ros_file(tmp_path):
    resolved = resolve(SIMULATION, {})
    path = tmp_path / 'nodes.yaml'
    write_node_parameters(path, resolved)
    content = yaml.safe_load(path.read_text())
    assert content['controller']['ros__parameters']['planner']['samples'] == resolved['controller']['planner.samples']


def test_overrides_win_and_keep_their_type():
    resolved = resolve(SIMULATION, {'controller': {'planner.samples': 12, 'method': 'mb'}, 'bridge': {'gate.tilt': 1}})
    assert resolved['controller']['planner.samples'] == 12
    assert resolved['controller']['method'] == 'mb'
    assert resolved['bridge']['gate.tilt'] == 1.0
    assert type(resolved['bridge']['gate.tilt']) is float


@pytest.mark.parametrize(
    ('overrides', 'message'),
    [
        ({'controller': {'planner.sampels': 12}}, r"controller.planner.sampels.*did you mean 'planner.samples'"),
        ({'controller': {'planner.samples': 'many'}}, r'--set controller: planner: samples must be of type int'),
        ({'bridge': {'gate.tilt': -1.0}}, r'--set bridge: .*below its lowest'),
    ],
)
def test_a_wrong_override_is_named(overrides, message):
    with pytest.raises(UserError, match=message):
        resolve(SIMULATION, overrides)


@pytest.mark.parametrize(
    ('text', 'parsed'),
    [
        ('controller.planner.samples=200', ('controller', 'planner.samples', 200)),
        ('bridge.port=/dev/ttyUSB1', ('bridge', 'port', '/dev/ttyUSB1')),
        ('bridge.gate.fence=[0.0, 1.0]', ('bridge', 'gate.fence', [0.0, 1.0])),
        ('mock_robot.wire_time=false', ('mock_robot', 'wire_time', False)),
        ("controller.method=''", ('controller', 'method', '')),
    ],
)
def test_overrides_are_read(text, parsed):
    assert parse_override(text, SIMULATION) == parsed


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('controller', 'is not of the form'),
        ('seed=1', 'is not of the form'),
        ('contorller.seed=1', "did you mean 'controller'"),
        ('controller.seed=[1', 'is not a YAML value'),
    ],
)
def test_overrides_that_cannot_be_read_are_named(text, message):
    with pytest.raises(UserError, match=message):
        parse_override(text, SIMULATION)


def test_every_process_has_a_place_in_the_stop_order_and_setpoints_end_first():
    wave = {name: number for number, names in enumerate(STOP_ORDER) for name in names}
    assert {node.name for node in NODES} <= set(wave)
    assert wave['controller'] < wave['bridge'] < wave['mock_robot']
    assert wave['bridge'] < wave['recorder'] == len(STOP_ORDER) - 1


def test_a_command_line_holds_namespace_and_remappings():
    command = BRIDGE.command(Path('nodes.yaml'), 'robot1', {'mocap/pose': '/vrpn/pose'})
    assert command[-4:] == ['-r', '__ns:=/robot1', '-r', 'mocap/pose:=/vrpn/pose']
    assert '-r' not in BRIDGE.command(Path('nodes.yaml'))
