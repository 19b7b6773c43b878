"""Layouts made from a robot's YAML: where each number stands, what networks see, what is refused."""

import ast
from pathlib import Path

import numpy as np
import pytest
from robots import LAYOUT

from millirobot_adapt.core.config import flatten, nest
from millirobot_adapt.core.dynamics.targets import change_of_state
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig, load_robot, robot_from
from millirobot_adapt.core.robot.layout import StateLayout, read_layout

SOURCES = [Path(__file__).parents[2] / name for name in ('millirobot_adapt', 'firmware_bridge')]
HOLONOMIC = """
name: holonomic
dt: 0.05
driver: {kind: twist, topic: cmd_vel, stamped: false}
actions:
  - {name: forward, unit: m/s, low: -0.5, high: 0.8}
  - {name: lateral, unit: m/s, low: -0.2, high: 0.2, slew: 0.1}
  - {name: turn, unit: rad/s, low: -1.5, high: 1.5}
"""


@pytest.fixture
def holonomic(tmp_path):
    file = tmp_path / 'holonomic.yaml'
    file.write_text(HOLONOMIC)
    return load_robot(str(file))


def test_velociroach_has_the_columns_that_its_bundles_and_bags_hold():
    assert LAYOUT.state_names == (
        'x', 'y', 'z', 'vx', 'vy', 'vz', 'cos_roll', 'sin_roll', 'cos_pitch', 'sin_pitch', 'cos_yaw', 'sin_yaw',
        'wx', 'wy', 'wz', 'cos_left', 'sin_left', 'cos_right', 'sin_right', 'left_velocity', 'right_velocity',
        'left_back_emf', 'right_back_emf', 'battery',
    )  # fmt: skip
    assert LAYOUT.state_units[15:] == ('1',) * 4 + ('rad/s',) * 2 + ('V',) * 3
    assert (LAYOUT.action_names, LAYOUT.action_units) == (('left', 'right'), ('rad/s', 'rad/s'))
    assert LAYOUT.feature_names == (
        'forward_velocity', 'lateral_velocity', 'yaw_rate', 'left_velocity', 'right_velocity', 'left_setpoint',
        'right_setpoint',
    )  # fmt: skip
    assert LAYOUT.target_names[-2:] == ('left_velocity_change', 'right_velocity_change')
    np.testing.assert_array_equal(LAYOUT.action_low, np.full(2, 2.0 * 2 * np.pi))
    np.testing.assert_array_equal(LAYOUT.neutral, np.zeros(2))
    assert LAYOUT.followers == ((0, 0), (1, 1))


def test_the_shipped_file_says_what_the_defaults_say():
    assert load_robot('velociroach') == RobotConfig()


def test_a_robot_that_reports_nothing_has_the_pose_block_alone(holonomic):
    layout = holonomic.layout
    assert (layout.nx, layout.nu, holonomic.dt) == (15, 3, 0.05)
    assert layout.feature_names == (
        'forward_velocity', 'lateral_velocity', 'yaw_rate', 'forward_setpoint', 'lateral_setpoint', 'turn_setpoint',
    )  # fmt: skip
    assert len(layout.target_names) == len(layout.target_units) == 6
    assert (layout.followers, layout.phased) == ((), ())
    np.testing.assert_array_equal(layout.speed_gains, [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(layout.turn_gains, [0.0, 0.0, 1.0])
    np.testing.assert_array_equal(layout.slew(5.0), [np.inf, 0.1, np.inf])
    state = layout.assemble(np.ones(3), np.zeros(3), np.zeros(3), np.array([0.0, 0.0, 0.5]))
    change = change_of_state(layout, state, state + np.eye(15)[0])
    np.testing.assert_allclose(change, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0])


def test_joints_follow_the_order_of_the_file_phases_first(tmp_path):
    file = tmp_path / 'robot.yaml'
    robot = robot_from(
        nest(flatten(RobotConfig())) | {'effort': {'name': 'current', 'unit': 'A'}, 'battery': None},
        str(file),
    )
    layout = robot.layout
    assert layout.state_names[-2:] == ('left_current', 'right_current')
    assert layout.state_units[-2:] == ('A', 'A')
    assert layout.battery_voltage == slice(23, 23)
    state = layout.assemble(*np.zeros((4, 3)), np.array([0.5, -1.0]), np.array([3.0, 4.0]), np.array([0.1, 0.2]))
    np.testing.assert_allclose(state[layout.phase], [np.cos(0.5), np.sin(0.5), np.cos(1.0), -np.sin(1.0)])
    np.testing.assert_array_equal(state[layout.joint_velocity], [3.0, 4.0])
    np.testing.assert_array_equal(state[layout.joint_effort], [0.1, 0.2])


@pytest.mark.parametrize('robot', [RobotConfig(), 'holonomic'], ids=['velociroach', 'holonomic'])
def test_a_layout_survives_a_file(robot, holonomic):
    layout = holonomic.layout if robot == 'holonomic' else robot.layout
    assert read_layout(layout.record()) == layout
    config = holonomic if robot == 'holonomic' else robot
    assert robot_from(nest(flatten(config)), 'recorded') == config


def test_what_is_no_layout_is_refused():
    with pytest.raises(ValueError, match='not the layout of a state'):
        read_layout({'joints': []})


def test_a_robot_file_of_an_earlier_version_loads(tmp_path):
    file = tmp_path / 'old.yaml'
    file.write_text(
        'name: mine\nspeed_low: 3.0\nspeed_high: 8.0\ntimeout: 0\nradio: {address: 2}\n'
        'scales: {battery_low_counts: 800}\nsensor_noise: {leg_angle: 0.001}\n'
    )
    robot = load_robot(str(file))
    np.testing.assert_allclose(robot.action_high, 8.0 * 2 * np.pi)
    assert (robot.imageproc.timeout, robot.imageproc.radio.address) == (0, 2)
    assert 799 * 0.0045 < robot.battery.low < 800 * 0.0045
    assert robot.sensor_noise.joint_angle == 0.001
    assert robot.layout.state_names == LAYOUT.state_names


HEAD = 'name: r\ndriver: {kind: twist}\n'
FORWARD = '  - {name: forward, unit: m/s, low: -1.0, high: 1.0}\n'


def _twist(setting: str) -> str:
    return f'name: r\ndriver: {{kind: twist, {setting}}}\nactions:\n{FORWARD}'


BAD = {
    'an unknown driver': ('name: r\ndriver: {kind: twst}\nactions: []\n', 2, "did you mean 'twist'?"),
    'no kind': ('name: r\ndriver: {topic: a}\nactions: []\n', 2, "driver does not say its 'kind'"),
    'a misspelt setting': ('name: r\ndriver: {kind: twist, topc: a}\nactions: []\n', 2, "did you mean 'topic'?"),
    'no actions': (f'{HEAD}actions: []\n', 3, 'needs at least one action'),
    'a name twice': (f'{HEAD}actions:\n{FORWARD}{FORWARD}', 5, "actions[1]: the name 'forward' is given twice"),
    'neutral outside': (f'{HEAD}actions:\n  - {{name: turn, unit: rad/s, low: -1.0, high: 1.0, neutral: 2.0}}\n', 4,
                        'neutral = 2 is neither 0 nor inside -1 to 1'),
    'an empty range': (f'{HEAD}actions:\n  - {{name: turn, unit: rad/s, low: 1.0, high: 1.0}}\n', 4, 'is not below'),
    'joints without telemetry': (f'{HEAD}joints: [{{name: wheel}}]\nactions:\n{FORWARD}', 3, 'brings no telemetry'),
    'effort without joints': (f'{HEAD}effort: {{name: current, unit: A}}\nactions:\n{FORWARD}', 3, 'no joints'),
    'an action of another robot': (f'{HEAD}actions:\n  - {{name: left, unit: rad/s}}\n', 4, 'is no action of'),
    'another unit': (f'{HEAD}actions:\n  - {{name: turn, unit: deg/s}}\n', 4, 'turn [deg/s] is no action'),
    'a name with capitals': (f'{HEAD}actions:\n  - {{name: Turn, unit: rad/s}}\n', 4, 'small letters'),
    'no name of a topic': (_twist('topic: cmd vel'), 2, 'no name of a topic'),
    'a topic without a name': (_twist('topic: ""'), 2, 'no name of a topic'),
    'a topic that ends in /': (_twist('topic: a/'), 2, 'no name of a topic'),
    'no frame': (_twist('frame: ""'), 2, 'frame is empty'),
    'effort without a name': ('name: r\ndriver: {kind: imageproc}\neffort: {name: ""}\njoints: [{name: left}]\n'
                              f'actions:\n{FORWARD}', 3, 'small letters'),
    'no lowest value': (f'{HEAD}actions:\n{FORWARD}  - {{name: turn, unit: rad/s, high: 1.0}}\n', 5,
                        'actions[1]: low is missing; give the range of turn'),
    'no range': (f'{HEAD}actions:\n  - {{name: turn, unit: rad/s}}\n', 4, 'actions[0]: low is missing'),
    'a battery without a voltage': ('name: r\ndriver: {kind: imageproc}\njoints: [{name: left}, {name: right}]\n'
                                    'battery: {}\nactions:\n  - {name: left, unit: rad/s, low: 1.0, high: 2.0}\n'
                                    '  - {name: right, unit: rad/s, low: 1.0, high: 2.0}\n', 4, 'low is missing'),
    'too slow': (f'{HEAD}dt: 0.5\nactions:\n{FORWARD}', 3, 'dt = 0.5 s is above its highest value 0.2 s'),
}  # fmt: skip


@pytest.mark.parametrize(('content', 'line', 'says'), BAD.values(), ids=BAD)
def test_each_mistake_is_one_line_with_file_and_line(tmp_path, content, line, says):
    file = tmp_path / 'robot.yaml'
    file.write_text(content)
    with pytest.raises(UserError) as error:
        load_robot(str(file))
    assert str(error.value).startswith(f'{file}, line {line}: ')
    assert says in str(error.value)
    assert '\n' not in str(error.value)


NEW = '; a file that has all keys is written by: millirobot robot new NAME --driver KIND'
ALL = 'name, driver and actions are missing'


@pytest.mark.parametrize(
    ('content', 'says'),
    [
        ('', f'{ALL}{NEW}'),
        ('# name: r\n---\n', f'{ALL}{NEW}'),
        ('{}', f'{ALL}{NEW}'),
        ('name: r\n', f'driver and actions are missing{NEW}'),
        ('name: r\nmarker_offset: [0.0, 0.0, 0.1, 0.0, 0.0, 0.0]\ndt: 0.05\n', f'driver and actions are missing{NEW}'),
        ('name: r\nsensor_noise: {gyro: 0.02}\n', f'driver and actions are missing{NEW}'),
        ('joints: []\n', f'{ALL}{NEW}'),
        (f'name: r\ndrivr: {{kind: twist}}\nactions:\n{FORWARD}', "is missing; did you mean 'driver' by 'drivr'?"),
        ('name: r\ndriver: {kind: twist}\n', f'actions is missing{NEW}'),
        (f'name: r\ndt: 0.1\nactions:\n{FORWARD}', f'driver is missing{NEW}'),
        (f'{HEAD}speed_low: 2.0\nactions:\n{FORWARD}', 'speed_low has moved: write low and high of the actions'),
        (f'{HEAD}timeout: 2\nactions:\n{FORWARD}', 'timeout has moved: write driver: {kind: imageproc, timeout: ...}'),
    ],
)
def test_a_file_that_is_partial_or_mixes_versions_is_told_what_to_write(tmp_path, content, says):
    file = tmp_path / 'robot.yaml'
    file.write_text(content)
    with pytest.raises(UserError, match=r'robot\.yaml') as error:
        load_robot(str(file))
    assert str(error.value).endswith(says)


def test_another_driver_is_refused_where_an_imageproc_board_is_needed(holonomic):
    with pytest.raises(UserError, match='robot holonomic has driver twist'):
        _ = holonomic.imageproc


def _state_indices(tree: ast.AST) -> list[int]:
    """Return the lines on which an array called state(s) is indexed by a literal column, as in state[7]."""
    lines = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Subscript):
            continue
        name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, 'id', '')
        if not name.endswith(('state', 'states')):
            continue
        index = node.slice
        if isinstance(index, ast.Tuple) and isinstance(index.elts[0], ast.Constant) and index.elts[0].value is Ellipsis:
            columns = [index.elts[-1]]
        elif name.endswith('state') and not isinstance(index, ast.Tuple):
            columns = [index]
        else:
            columns = []
        for column in columns:
            ends = [column.lower, column.upper] if isinstance(column, ast.Slice) else [column]
            if any(isinstance(end, ast.Constant) and isinstance(end.value, int) for end in ends):
                lines.append(node.lineno)
    return lines


@pytest.mark.parametrize('line', ['state[7]', 'states[..., 15:17]', 'tick.state[:2]', 'before.states[..., 3]'])
def test_the_search_for_literal_columns_finds_them(line):
    assert _state_indices(ast.parse(line)) == [1]


def test_no_literal_column_of_a_state_stands_outside_the_layout():
    found = [
        f'{path}:{line}'
        for source in SOURCES
        for path in sorted(source.rglob('*.py'))
        if path.name != 'layout.py'
        for line in _state_indices(ast.parse(path.read_text(encoding='utf-8')))
    ]
    assert found == []


def test_a_layout_is_a_value():
    assert isinstance(LAYOUT, StateLayout)
    assert hash(LAYOUT) == hash(RobotConfig().layout)


@pytest.mark.parametrize('topic', ['cmd_vel', '/cmd_vel', 'base/cmd_vel', '~/cmd_vel', '/r2/_cmd'])
def test_names_of_topics_that_ros_knows_are_taken(topic):
    driver = {'kind': 'twist', 'topic': topic}
    actions = [{'name': 'forward', 'unit': 'm/s', 'low': -1.0, 'high': 1.0}]
    assert robot_from({'name': 'r', 'driver': driver, 'actions': actions}, 'test').driver.topic == topic
