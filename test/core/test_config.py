from pathlib import Path

import pytest

from millirobot_adapt.core.config import Config, build, flatten, nest, param, read_params, section
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.yaml_file import read_yaml


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
