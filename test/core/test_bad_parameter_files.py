"""Parameter files with a mistake in them: each is refused with one line that says where and what."""

import pytest
import yaml

from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, NODES
from millirobot_adapt.core.config import flatten, read_params
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.share import find

HEAD = 'controller:\n  ros__parameters:\n'
BAD_FILES = {
    'nothing': ('', 'has no block "controller: ros__parameters:"; it is empty'),
    'only comments': ('# to be written\n', 'it is empty'),
    'another node': ('bridge:\n  ros__parameters:\n    seed: 1\n', "; it holds 'bridge'"),
    'a misspelt node': ('contoller:\n  ros__parameters:\n    seed: 1\n', "; it holds 'contoller'"),
    'no ros__parameters': ('controller:\n  seed: 1\n', 'write "controller: ros__parameters: ..."'),
    'an unknown key': (f'{HEAD}    sed: 1\n', "unknown parameter 'sed'; did you mean 'seed'?"),
    'an unknown key in a group': (
        f'{HEAD}    planner:\n      horizn: 9\n', "planner: unknown parameter 'horizn'; did you mean 'horizon'?",
    ),
    'an unknown dotted key': (
        f'{HEAD}    planner.horizn: 9\n', "planner: unknown parameter 'horizn'; did you mean 'horizon'?",
    ),
    'a number as key': (f'{HEAD}    1: 2\n', "unknown parameter '1'"),
    'text for a number': (f'{HEAD}    stale_after: soon\n', "stale_after must be of type float, not str ('soon')"),
    'a number in quotes': (f"{HEAD}    stale_after: '0.5'\n", "('0.5'); write it without quotes"),
    'an exponent that YAML takes for text': (f'{HEAD}    stale_after: 5e-1\n', 'an exponent as in 1.0e-3'),
    'a fraction for a count': (f'{HEAD}    planner.samples: 2.5\n', 'samples must be of type int, not float (2.5)'),
    'a truth for text': (f'{HEAD}    method: off\n', 'method must be of type str, not bool (False); put it in quotes'),
    'no value': (f'{HEAD}    seed:\n', 'seed has no value; give it one, or take the line out'),
    'too low': (f'{HEAD}    planner.samples: 0\n', 'samples = 0 is below its lowest value 1'),
    'too high': (f'{HEAD}    stale_after: 60\n', 'stale_after = 60 s is above its highest value 10.0 s'),
    'not a number': (f'{HEAD}    planner.noise: .nan\n', 'noise = nan is not finite'),
    'infinite': (f'{HEAD}    objective.reach: .inf\n', 'reach = inf is not finite'),
    'not one of the choices': (f'{HEAD}    anchor: moon\n', "anchor = 'moon' is not one of robot, world"),
    'a list of another length': (f'{HEAD}    objective.fence_corners: [-1, 1]\n', '2 numbers make no area'),
    'text in a list of numbers': (
        f'{HEAD}    objective.fence_corners: [a, 1, 2, 3]\n',
        "fence_corners: each value must be of type float, not str ('a')",
    ),
    'a number for a list': (
        f'{HEAD}    objective.fence_corners: 3.0\n', 'fence_corners must be a list, not float (3.0)',
    ),
    'a list for a number': (f'{HEAD}    seed: [1, 2]\n', 'seed must be of type int, not list ([1, 2])'),
    'a group for a value': (f'{HEAD}    seed:\n      one: 1\n', "seed must be of type int, not dict ({'one': 1})"),
    'a value for a group': (f'{HEAD}    planner: fast\n', "planner must be a group of parameters, not 'fast'"),
    'a value and a group': (f'{HEAD}    planner: 3\n    planner.samples: 9\n', 'planner is given a value, too'),
    'a key twice, in a group and dotted': (
        f'{HEAD}    planner: {{samples: 1}}\n    planner.samples: 2\n', 'planner.samples is given twice',
    ),
    'a key twice': (f'{HEAD}    seed: 1\n    seed: 2\n', "line 4, column 5: 'seed' is given twice"),
    'tabs': ('controller:\n\tros__parameters:\n', 'line 2, column 1: found character'),
    'a bracket left open': (f'{HEAD}    objective.fence_corners: [1, 2\n', 'cannot be read as YAML: line 4'),
    'a list at the top': ('- controller\n', 'must hold a mapping of keys to values, not list'),
    'code': (f'{HEAD}    seed: !!python/object/apply:os.getpid []\n', 'cannot be read as YAML: line 3'),
    'not text': (b'\xff\xfe\x00\x01', 'is not text in UTF-8'),
}  # fmt: skip


@pytest.mark.parametrize(('content', 'says'), BAD_FILES.values(), ids=BAD_FILES)
def test_each_mistake_is_one_line_with_its_file(tmp_path, content, says):
    file = tmp_path / 'mine.yaml'
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as error:
        read_params(file, CONTROLLER.name, CONTROLLER.config_class())
    assert str(error.value).startswith(f'{file}: ')
    assert says in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('node', NODES, ids=lambda node: node.name)
def test_every_node_refuses_a_misspelt_key_and_the_file_of_another_node(tmp_path, node):
    file = tmp_path / 'mine.yaml'
    key = min(flatten(node.config_class()()), key=lambda name: (name.count('.'), name))
    file.write_text(f'{node.name}:\n  ros__parameters:\n    {key}x: 1\n')
    with pytest.raises(UserError) as error:
        read_params(file, node.name, node.config_class())
    assert str(error.value) == f"{file}: unknown parameter '{key}x'; did you mean '{key}'?"
    file.write_text(f'{node.name}x:\n  ros__parameters:\n    {key}: 1\n')
    with pytest.raises(UserError, match=f"holds '{node.name}x'"):
        read_params(file, node.name, node.config_class())


def test_a_file_that_is_not_there_and_one_that_is_a_folder(tmp_path):
    with pytest.raises(UserError, match=r'nowhere\.yaml: no such file'):
        read_params(tmp_path / 'nowhere.yaml', BRIDGE.name, BRIDGE.config_class())
    with pytest.raises(UserError, match='cannot be read: Is a directory'):
        read_params(tmp_path, BRIDGE.name, BRIDGE.config_class())


@pytest.mark.parametrize(
    ('line', 'says'),
    [
        ('pid_gains: [1800, 200, 100]', 'driver: pid_gains has 3 values instead of 10'),
        ('pid_gains: [a, b, c, d, e, f, g, h, i, j]', "pid_gains: each value must be of type int, not str ('a')"),
        ('radio: {address: 70000}', 'driver: radio: address = 70000 is above its highest value 65534'),
    ],
)
def test_the_robots_file(tmp_path, line, says):
    file = tmp_path / 'robot.yaml'
    file.write_text(f'{line}\n')
    with pytest.raises(UserError) as error:
        load_robot(str(file))
    assert str(error.value).startswith(str(file))
    assert says in str(error.value)


@pytest.mark.parametrize(
    ('line', 'says'),
    [
        ('marker_offset: [0, 0]', 'marker_offset has 2 values instead of 6'),
        ('marker_ofset: [0.0]', "did you mean 'marker_offset'?"),
    ],
)
def test_a_line_in_a_whole_robots_file(tmp_path, line, says):
    file = tmp_path / 'robot.yaml'
    whole = yaml.safe_load(find('params/robots', 'rover', '.yaml').read_text())
    file.write_text(yaml.safe_dump({**whole, **yaml.safe_load(line)}))
    with pytest.raises(UserError) as error:
        load_robot(str(file))
    assert str(error.value).startswith(str(file))
    assert says in str(error.value)
