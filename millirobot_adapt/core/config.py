"""Declare parameters once, as fields of a `Config`, and build them from YAML with clear errors (pydantic).

A parameter is a field with a type hint and `param(...)`: default, one sentence, unit, range, live rule. From this one
declaration come the type that mypy knows, the checks (pydantic), the ROS descriptor, and the row in the reference
table. Lists are tuples; low, high and choices then hold for each value.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import PydanticCustomError, SchemaValidator
from typing_extensions import dataclass_transform

from millirobot_adapt.core.config_errors import Place, one_line, place_of
from millirobot_adapt.core.errors import PlacedError, UserError
from millirobot_adapt.core.parameter_file import ParameterFile, present_values, read_parameter_file
from millirobot_adapt.core.yaml_file import read_yaml as read_yaml

C = TypeVar('C', bound='Config')

_CHECKS = ConfigDict(extra='forbid', allow_inf_nan=False, arbitrary_types_allowed=True)


@dataclasses.dataclass(frozen=True)
class Parameter:
    """The declaration of one parameter, or of a group of parameters."""

    default: Any
    """Its default; of a group, the class."""
    doc: str
    """One sentence."""
    unit: str = ''
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    length: int | None = None
    live: str = ''
    holds: type[Config] | None = None
    """The class of the group, or of the entries of a list or mapping; found from the type hint."""
    variants: Mapping[str, type[Config]] = dataclasses.field(default_factory=dict)
    """Where the group may be of several classes: each by its `kind`; found from the type hint."""

    @property
    def is_group(self) -> bool:
        """Whether it is a group of parameters, made by `section`."""
        return isinstance(self.default, type)

    def checked(self, hint: Any) -> Any:
        """Return the type hint with the limits of this parameter, as pydantic checks them."""
        if get_origin(hint) is tuple and get_args(hint)[1:] == (...,):
            items: Any = (self._limited(get_args(hint)[0]), ...)
            return Annotated[tuple[items], Field(min_length=self.length, max_length=self.length)]
        if get_origin(hint) is Mapping:
            return Mapping[str, self.checked(get_args(hint)[1])]  # type: ignore[misc]
        return self._limited(hint)

    def _limited(self, hint: Any) -> Any:
        if self.choices:
            return Literal[self.choices]
        if hint in (float, int, str, bool):  # strict: no number from a text, no text from a number
            return Annotated[hint, Field(strict=True, ge=self.low, le=self.high)]
        return hint


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

    `live` says whether it may change while the node runs (core/live_rules.py): '' never, 'any' to any valid value,
    'lower' or 'higher' only that way, for a limit that may be tightened and not loosened.
    """
    return Parameter(default, doc, unit, low, high, choices, length, live)


def before(convert: Callable[[Any], Any]) -> BeforeValidator:
    """Return what to annotate a type with so that `convert` reads a value first, such as a name instead of a group.

    `convert` may raise UserError, which is then reported with its place in the file.
    """

    def located(value: Any) -> Any:
        try:
            return convert(value)
        except UserError as error:
            raise PydanticCustomError('rule', '{why}', {'why': str(error)}) from None

    return BeforeValidator(located)


def section(cls: type[C], doc: str) -> Any:
    """Declare a nested group of parameters (dotted names in ROS, a mapping in YAML)."""
    return Parameter(cls, doc)


@dataclass_transform(frozen_default=True)
class Config:
    """Base of every parameter set: a subclass is a frozen dataclass whose values are checked when it is made.

    A `__post_init__` may check what concerns several parameters, and raises UserError.

    Raises:
        UserError: a value has the wrong type, is outside its range or choices, or is not finite.
    """

    __parameters__: ClassVar[dict[str, Parameter]] = {}
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    __pydantic_validator__: ClassVar[SchemaValidator]

    def __init_subclass__(cls) -> None:
        """Turn the declarations into a pydantic dataclass."""
        hints = get_type_hints(cls, include_extras=True)
        declared = {name: value for name, value in vars(cls).items() if isinstance(value, Parameter)}
        for name, parameter in declared.items():
            declared[name] = dataclasses.replace(
                parameter, holds=_config_in(hints[name]), variants=_variants_in(hints[name])
            )
            cls.__annotations__[name] = parameter.checked(hints[name])
            setattr(cls, name, _field(parameter))
        cls.__parameters__ = {**cls.__parameters__, **declared}
        if '__post_init__' in vars(cls):
            cls.__post_init__ = _located(vars(cls)['__post_init__'])  # type: ignore[attr-defined]
        pydantic_dataclass(frozen=True, config=_CHECKS)(cls)
        cls.__init__ = _refusing_in_one_line(cls.__init__)  # type: ignore[method-assign]


def _field(parameter: Parameter) -> Any:
    if parameter.is_group:
        return dataclasses.field(default_factory=parameter.default)
    if isinstance(parameter.default, dict):
        return dataclasses.field(default_factory=parameter.default.copy)
    return parameter.default


def _config_in(hint: Any) -> type[Config] | None:
    """Find the `Config` that a type hint is or contains."""
    if isinstance(hint, type) and issubclass(hint, Config):
        return hint
    return next((found for found in map(_config_in, get_args(hint)) if found is not None), None)


def _variants_in(hint: Any) -> dict[str, type[Config]]:
    """Find the classes of a union whose members say their `kind`."""
    if get_origin(hint) is not Annotated:
        return {}
    classes = get_args(get_args(hint)[0])
    named = [each for each in classes if 'kind' in getattr(each, '__parameters__', {})]
    return {each.__parameters__['kind'].default: each for each in named}


def _located(check: Callable[[Any], None]) -> Callable[[Any], None]:
    """Let pydantic say in which group a check of several parameters failed."""

    @functools.wraps(check)
    def located(self: Any) -> None:
        try:
            check(self)
        except UserError as error:
            place = error.place if isinstance(error, PlacedError) else ()
            raise PydanticCustomError('rule', '{why}', {'why': str(error), 'place': place}) from None

    return located


def _refusing_in_one_line(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def refusing(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except ValidationError as error:
            raise UserError(one_line(error, type(self))) from None

    return refusing


def build(
    cls: type[C], values: Mapping[str, Any], source: str, line: Callable[[Place], int | None] = lambda place: None
) -> C:
    """Make a `cls` from a (nested) mapping; `source` names the file in errors, `line` finds the line of a place.

    Raises:
        UserError: an unknown key (the nearest valid key is named), a wrong type, a value out of range.
    """
    try:
        made: C = cls.__pydantic_validator__.validate_python(dict(values))
        return made
    except ValidationError as error:
        number = line(place_of(error))
        where = source if number is None else f'{source}, line {number}'
        raise UserError(f'{where}: {one_line(error, cls)}') from None


def parameters_of(cls: type[Config], prefix: str = '') -> Iterator[tuple[str, Parameter]]:
    """Return every parameter of a declaration by its dotted name, groups opened."""
    for name, parameter in cls.__parameters__.items():
        if parameter.is_group:
            yield from parameters_of(parameter.default, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', parameter


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
        if isinstance(place.get(last), dict):
            raise UserError(f'{name} is given a value, but it is a group of parameters')
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
            flat[f'{prefix}{field.name}'] = [_plain(item) for item in value] if isinstance(value, tuple) else value
    return flat


def _plain(value: Any) -> Any:
    """Return an entry of a list as plain values."""
    return nest(flatten(value)) if isinstance(value, Config) else value


def read_params(source: Path | ParameterFile, node: str, cls: type[C]) -> C:
    """Read one node's parameters from a ROS 2 parameter file, without ROS, whatever its namespace there.

    Raises:
        UserError: what `read_parameter_file`, `present_values` and `build` raise; no block is for the node.
    """
    file = source if isinstance(source, ParameterFile) else read_parameter_file(source)
    values = present_values(file, node)
    if values is None:
        heads = ', '.join(repr(block.head.lstrip('/')) for block in file.blocks)
        held = f'it holds {heads}' if heads else 'it is empty'
        raise UserError(f'{file.path}: has no block "{node}: ros__parameters:"; {held}')
    return build(cls, nested_in(values, str(file.path)), str(file.path))


def nested_in(values: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Nest as `nest` does, and name the source in errors."""
    try:
        return nest(values)
    except UserError as error:
        raise UserError(f'{source}: {error}') from None
