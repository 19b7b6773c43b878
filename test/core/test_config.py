import dataclasses
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest

from millirobot_adapt.bringup.processes import NODES
from millirobot_adapt.core.config import (
    Config,
    before,
    build,
    flatten,
    nest,
    param,
    parameters_of,
    read_params,
    section,
)
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import ActionConfig
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.experiments.experiment import ConditionEntry, MethodEntry

NEEDED = {
    ConditionEntry.__name__: {'name': 'some'},
    MethodEntry.__name__: {'name': 'some'},
    ActionConfig.__name__: {'name': 'some'},
    'RecipeFile': {'models': {'velociroach_mb': {'method': 'mb'}}},  # imported by other tests, where PyTorch is
}
"""What has no valid default."""


class Inner(Config):
    samples: int = param(8, 'How many.', low=1, high=100)


class Outer(Config):
    rate: float = param(10.0, 'How often.', unit='Hz', low=1.0, high=100.0)
    kind: str = param('a', 'Which.', choices=('a', 'b'))
    arena: tuple[float, ...] = param((0.0, 1.0), 'Where.', unit='m')
    inner: Inner = section(Inner, 'What is inside.')


def test_values_are_built_nested_and_whole_numbers_serve_as_floats():
    made = build(Outer, {'rate': 20, 'arena': [1, 2.5], 'inner': {'samples': 9}}, 'x.yaml')
    assert made == Outer(rate=20.0, arena=(1.0, 2.5), inner=Inner(9))
    assert flatten(made) == {'rate': 20.0, 'kind': 'a', 'arena': [1.0, 2.5], 'inner.samples': 9}
    assert build(Outer, nest(flatten(made)), 'x.yaml') == made


@pytest.mark.parametrize(
    ('values', 'says'),
    [
        ({'rat': 3.0}, "x.yaml: unknown parameter 'rat'; did you mean 'rate'?"),
        ({'inner': {'sample': 3}}, "x.yaml: inner: unknown parameter 'sample'; did you mean 'samples'?"),
        ({'rate': 'fast'}, "x.yaml: rate must be of type float, not str ('fast')"),
        ({'rate': True}, 'x.yaml: rate must be of type float, not bool (True)'),
        ({'rate': 0.5}, 'x.yaml: rate = 0.5 Hz is below its lowest value 1.0 Hz'),
        ({'rate': 1e9}, 'x.yaml: rate = 1000000000.0 Hz is above its highest value 100.0 Hz'),
        ({'rate': float('nan')}, 'x.yaml: rate = nan is not finite'),
        ({'kind': 'c'}, "x.yaml: kind = 'c' is not one of a, b"),
        ({'arena': ['left', 1.0]}, "x.yaml: arena: each value must be of type float, not str ('left')"),
        ({'inner': 3}, 'x.yaml: inner must be a group of parameters, not 3'),
        ({'inner': {'samples': 0}}, 'x.yaml: inner: samples = 0 is below its lowest value 1'),
        ({'inner': {'samples': 2.5}}, 'x.yaml: inner: samples must be of type int, not float (2.5)'),
    ],
)
def test_a_bad_value_is_named_with_its_file_and_key(values, says):
    with pytest.raises(UserError) as error:
        build(Outer, values, 'x.yaml')
    assert str(error.value) == says


class Pair(Config):
    low: float = param(0.0, 'Low.', unit='m')
    high: float = param(1.0, 'High.', unit='m')

    def __post_init__(self):
        if self.low > self.high:
            raise UserError('low is above high')


def by_length(value):
    if value == '':
        raise UserError('a name is empty')
    return Inner(len(value)) if isinstance(value, str) else value


class Lists(Config):
    pairs: tuple[Pair, ...] = param((Pair(),), 'Pairs.')
    named: tuple[Annotated[Inner, before(by_length)], ...] = param((), 'Groups, or names that stand for them.')
    seeds: Mapping[str, tuple[int, ...]] = param({}, 'Lists by name.')
    extra: Mapping[str, Any] = param({}, 'Anything.')
    legs: tuple[str, ...] = param((), 'Legs.', choices=('left', 'right'))
    three: tuple[float, ...] = param((0.0,) * 3, 'Three.', low=-1.0, high=1.0, length=3, unit='m')


def test_lists_of_groups_names_for_groups_and_lists_by_name():
    given = {'pairs': [{'low': -1}], 'named': ['abc', {'samples': 7}], 'seeds': {'a': [1, 2]}, 'extra': {'x': {'y': 1}}}
    made = build(Lists, given, 'x.yaml')
    assert made.pairs == (Pair(-1.0, 1.0),)
    assert made.named == (Inner(3), Inner(7))
    assert made.seeds == {'a': (1, 2)}
    assert made.extra == {'x': {'y': 1}}


@pytest.mark.parametrize(
    ('values', 'says'),
    [
        ({'pairs': [{}, {'low': 2}]}, 'x.yaml: pairs[1]: low is above high'),
        ({'pairs': [{}, {'hihg': 2}]}, "x.yaml: pairs[1]: unknown parameter 'hihg'; did you mean 'high'?"),
        ({'pairs': [{'low': 'deep'}]}, "x.yaml: pairs[0]: low must be of type float, not str ('deep')"),
        ({'pairs': [3]}, 'x.yaml: pairs[0] must be a group of parameters, not 3'),
        ({'pairs': {'low': 1}}, "x.yaml: pairs must be a list, not dict ({'low': 1}); write [..., ...]"),
        ({'named': ['abc', '']}, 'x.yaml: named[1]: a name is empty'),
        ({'named': [{'samples': 0}]}, 'x.yaml: named[0]: samples = 0 is below its lowest value 1'),
        ({'seeds': {'a': 1}}, 'x.yaml: seeds: a must be a list, not int (1); write [..., ...]'),
        ({'seeds': {'a': [1, True]}}, 'x.yaml: seeds: a: each value must be of type int, not bool (True)'),
        ({'extra': 3}, 'x.yaml: extra must be a group of parameters, not 3'),
        ({'legs': ['left', 'tail']}, "x.yaml: legs = 'tail' is not one of left, right"),
        ({'three': [0, 0]}, 'x.yaml: three has 2 values instead of 3'),
        ({'three': [0, 2, 0]}, 'x.yaml: three = 2 m is above its highest value 1.0 m'),
        ({'three': [0, None, 0]}, 'x.yaml: three has no value; give it one, or take the line out'),
        ({'zzz': 1}, "x.yaml: unknown parameter 'zzz'; known are pairs, named, seeds, extra, legs, three"),
        ({'three': 'x', 'thre': 1}, "x.yaml: unknown parameter 'thre'; did you mean 'three'?"),
    ],
)
def test_what_is_wrong_in_a_list_is_named_with_its_place(values, says):
    with pytest.raises(UserError) as error:
        build(Lists, values, 'x.yaml')
    assert str(error.value) == says


@pytest.mark.parametrize(
    'make',
    [
        lambda: Inner(0),
        lambda: Inner(samples='many'),
        lambda: replace(Inner(8), samples=101),
        lambda: Outer(rate=float('inf')),
        lambda: Pair(2.0, 1.0),
    ],
)
def test_no_set_of_parameters_is_made_with_a_value_that_is_not_allowed(make):
    with pytest.raises(UserError):
        make()


def test_a_set_of_parameters_cannot_be_changed_and_can_be_a_key():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Inner(8).samples = 9  # type: ignore[misc]
    assert {Inner(8): 1}[Inner(8)] == 1
    assert pickle.loads(pickle.dumps(Outer(inner=Inner(3)))) == Outer(inner=Inner(3))


def every_config(cls=Config):
    for sub in cls.__subclasses__():
        yield sub
        yield from every_config(sub)


def test_every_declaration_has_valid_defaults_and_is_made_again_from_its_plain_values():
    for node in NODES:
        node.config_class()
    checked = [cls for cls in every_config() if cls.__module__.split('.')[0] in ('millirobot_adapt', 'firmware_bridge')]
    assert len(checked) > 20
    for cls in checked:
        for name, parameter in parameters_of(cls):
            if parameter.holds is None and not isinstance(parameter.default, dict):
                values = {name: _plain(parameter.default), **NEEDED.get(cls.__name__, {})}
                build(cls, nest(values), cls.__name__)


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def test_parameter_files_are_read_as_ros_reads_them(tmp_path):
    file = tmp_path / 'node.yaml'
    file.write_text('node:\n  ros__parameters:\n    rate: 5.0\n    inner.samples: 3\n    use_sim_time: false\n')
    assert read_params(file, 'node', Outer) == Outer(rate=5.0, inner=Inner(3))
    file.write_text('/**:\n  ros__parameters:\n    inner:\n      samples: 4\n')
    assert read_params(file, 'node', Outer).inner.samples == 4
    file.write_text('node:\n  ros__parameters: {}\n')
    with pytest.raises(UserError, match='has no block "other: ros__parameters:"'):
        read_params(file, 'other', Outer)


@pytest.mark.parametrize('text', ['a: [1', '- 1\n- 2\n', 'a: !!python/object:os.system 1'])
def test_a_file_that_is_no_mapping_is_refused_with_its_name(tmp_path, text):
    file = tmp_path / 'bad.yaml'
    file.write_text(text)
    with pytest.raises(UserError, match=r'bad\.yaml'):
        read_yaml(file)


def test_a_missing_file_is_named():
    with pytest.raises(UserError, match=r'nowhere\.yaml: no such file'):
        read_yaml(Path('nowhere.yaml'))
