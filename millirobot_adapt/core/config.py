"""Declare parameters once, as fields of a frozen dataclass, and build them from YAML with clear errors.

A parameter is a dataclass field made by `param`: default, one sentence, unit, range. The same declaration serves the
ROS node (which declares it with its description), the YAML reader outside ROS, and the reference table in the docs.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from millirobot_adapt.core.errors import UserError

C = TypeVar('C', bound='Config')


def param(
    default: Any,
    doc: str,
    *,
    unit: str = '',
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    length: int | None = None,
    live: str = '',
) -> Any:
    """Declare one parameter: its default, one sentence, its unit, its inclusive range or choices, a list's length.

    `live` says whether it may change while the node runs (core/live.py): '' not, 'any' to any valid value, 'lower' or
    'higher' only that way, for a limit that may be tightened and not loosened.
    """
    metadata = {'doc': doc, 'unit': unit, 'low': low, 'high': high, 'choices': choices, 'length': length, 'live': live}
    return dataclasses.field(default=default, metadata=metadata)


def section(cls: type[C], doc: str) -> Any:
    """Declare a nested group of parameters (dotted names in ROS, a mapping in YAML)."""
    return dataclasses.field(default_factory=cls, metadata={'doc': doc})


@dataclasses.dataclass(frozen=True)
class Config:
    """Base of every parameter set: checks ranges and choices when it is made.

    Raises:
        UserError: a value is outside its range or choices, or not finite.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            self._check(field, getattr(self, field.name))

    @staticmethod
    def _check(field: dataclasses.Field[Any], value: Any) -> None:
        unit = f' {field.metadata.get("unit")}' if field.metadata.get('unit') else ''
        choices = field.metadata.get('choices') or ()
        if choices and value not in choices:
            raise UserError(f'{field.name} = {value!r} is not one of {", ".join(choices)}')
        length = field.metadata.get('length')
        if length is not None and len(value) != length:
            raise UserError(f'{field.name} has {len(value)} values instead of {length}')
        low, high = field.metadata.get('low'), field.metadata.get('high')
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float) and not math.isfinite(number):
                raise UserError(f'{field.name} = {number} is not finite')
            if low is not None and number < low:
                raise UserError(f'{field.name} = {number}{unit} is below its lowest value {low}{unit}')
            if high is not None and number > high:
                raise UserError(f'{field.name} = {number}{unit} is above its highest value {high}{unit}')


def build(cls: type[C], values: Mapping[str, Any], source: str) -> C:
    """Make a `cls` from a (nested) mapping; `source` names the file in errors.

    Raises:
        UserError: an unknown key (the nearest valid key is named), a wrong type, a value out of range.
    """
    hints = get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1, cutoff=0.0)
            raise UserError(f'{source}: unknown parameter {key!r}; did you mean {near[0]!r}?')
        hint = hints[key]
        if isinstance(hint, type) and issubclass(hint, Config):
            if not isinstance(value, Mapping):
                raise UserError(f'{source}: {key} must be a group of parameters, not {value!r}')
            made[key] = build(hint, value, f'{source}: {key}')
        else:
            made[key] = _convert(value, fields[key], f'{source}: {key}')
    try:
        return cls(**made)
    except UserError as error:
        raise UserError(f'{source}: {error}') from None


def _convert(value: Any, field: dataclasses.Field[Any], where: str) -> Any:
    """Check a YAML value against the type of the field's default; whole numbers serve as floats."""
    if field.default is dataclasses.MISSING:
        return value
    if value is None:
        raise UserError(f'{where} has no value; give it one, or take the line out')
    wanted = type(field.default)
    if wanted is tuple and isinstance(value, list | tuple):
        if not field.default:
            return tuple(value)  # an empty default tells nothing of its items: whoever declares it checks them
        return tuple(_scalar(item, type(field.default[0]), f'{where}: each value') for item in value)
    return _scalar(value, wanted, where)


def _scalar(value: Any, wanted: type, where: str) -> Any:
    if wanted is float and type(value) in (int, float):
        return float(value)
    if type(value) is wanted:
        return value
    if wanted is tuple:
        raise UserError(f'{where} must be a list, not {type(value).__name__} ({value!r}); write [..., ...]')
    mend = ''
    if wanted is str and not isinstance(value, list | dict):
        mend = '; put it in quotes'
    elif wanted is float and isinstance(value, str) and is_number(value):
        mend = '; write it without quotes, and an exponent as in 1.0e-3'
    raise UserError(f'{where} must be of type {wanted.__name__}, not {type(value).__name__} ({value!r}){mend}')


def is_number(text: str) -> bool:
    """Tell whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, refusing keys that are given twice: the first value would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if isinstance(key_node, yaml.ScalarNode) and key in seen:
                raise yaml.MarkedYAMLError(problem=f'{key!r} is given twice', problem_mark=key_node.start_mark)
            seen.add(key if isinstance(key_node, yaml.ScalarNode) else id(key_node))
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        UserError: the file is missing, unreadable, not YAML, or not a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding='utf-8'), _Loader)
    except FileNotFoundError:
        raise UserError(f'{path}: no such file') from None
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror}') from None
    except UnicodeDecodeError:
        raise UserError(f'{path}: is not text in UTF-8; save it as such') from None
    except yaml.YAMLError as error:
        raise UserError(f'{path}: cannot be read as YAML: {_where_and_why(error)}') from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UserError(f'{path}: must hold a mapping of keys to values, not {type(content).__name__}')
    return content


def _where_and_why(error: yaml.YAMLError) -> str:
    """Say in one line where the YAML is broken, and how."""
    problem, mark = getattr(error, 'problem', None), getattr(error, 'problem_mark', None)
    if problem is None or mark is None:
        return ' '.join(str(error).split())
    mend = '; indent with spaces, not with tabs' if '\\t' in problem else ''
    return f'line {mark.line + 1}, column {mark.column + 1}: {problem}{mend}'


def read_params(path: Path, node: str, cls: type[C]) -> C:
    """Read one node's parameters from a ROS 2 parameter file (`node: ros__parameters: ...`), without ROS.

    Raises:
        UserError: what `read_yaml` and `build` raise; the node has no block in the file.
    """
    content = read_yaml(path)
    block = content.get(node, content.get('/**'))
    if not isinstance(block, dict) or not isinstance(block.get('ros__parameters'), dict):
        held = f'it begins with {", ".join(map(repr, content))}' if content else 'it is empty'
        raise UserError(f'{path}: has no block "{node}: ros__parameters:"; {held}')
    values = {key: value for key, value in block['ros__parameters'].items() if key != 'use_sim_time'}
    try:
        nested = nest(values)
    except UserError as error:
        raise UserError(f'{path}: {error}') from None
    return build(cls, nested, str(path))


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted names into nested mappings: {'mppi.samples': 8} -> {'mppi': {'samples': 8}}.

    Raises:
        UserError: a name stands for a value and for a group at once.
    """
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *groups, last = str(name).split('.')
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise UserError(f'{name}: {group} is given a value, too; it is a group of parameters')
        place[last] = value
    return nested


def flatten(config: Config, prefix: str = '') -> dict[str, Any]:
    """Turn a configuration into dotted names and plain values (tuples as lists), as ROS parameters are."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, Config):
            flat |= flatten(value, f'{prefix}{field.name}.')
        else:
            flat[f'{prefix}{field.name}'] = list(value) if isinstance(value, tuple) else value
    return flat
