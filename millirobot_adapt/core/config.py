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
) -> Any:
    """Declare one parameter: its default, one sentence, its unit, and its inclusive range or its choices."""
    metadata = {'doc': doc, 'unit': unit, 'low': low, 'high': high, 'choices': choices}
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
    wanted = type(field.default)
    if wanted is float and type(value) in (int, float):
        return float(value)
    if wanted is tuple and isinstance(value, list | tuple):
        if field.default and isinstance(field.default[0], float):
            if not all(type(item) in (int, float) for item in value):
                raise UserError(f'{where} must be a list of numbers, not {value!r}')
            return tuple(float(item) for item in value)
        return tuple(value)
    if type(value) is wanted:
        return value
    raise UserError(f'{where} must be of type {wanted.__name__}, not {type(value).__name__} ({value!r})')


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        UserError: the file is missing, unreadable, not YAML, or not a mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise UserError(f'{path}: no such file') from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = ' '.join(str(error).split())
        raise UserError(f'{path}: cannot be read as YAML: {reason}') from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UserError(f'{path}: must hold a mapping of keys to values, not {type(content).__name__}')
    return content


def read_params(path: Path, node: str, cls: type[C]) -> C:
    """Read one node's parameters from a ROS 2 parameter file (`node: ros__parameters: ...`), without ROS.

    Raises:
        UserError: what `read_yaml` and `build` raise; the node has no block in the file.
    """
    content = read_yaml(path)
    block = content.get(node, content.get('/**'))
    if not isinstance(block, dict) or not isinstance(block.get('ros__parameters'), dict):
        raise UserError(f'{path}: has no block "{node}: ros__parameters:"')
    values = {key: value for key, value in block['ros__parameters'].items() if key != 'use_sim_time'}
    return build(cls, nest(values), str(path))


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted names into nested mappings: {'mppi.samples': 8} -> {'mppi': {'samples': 8}}."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *groups, last = name.split('.')
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
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
