"""Say in one line what pydantic found wrong with a set of parameters: where, what, and how to fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from millirobot_adapt.core.errors import did_you_mean, not_one_of
from millirobot_adapt.core.yaml_file import is_number

if TYPE_CHECKING:
    from millirobot_adapt.core.config import Config, Parameter

_TYPES = {'float_type': 'float', 'int_type': 'int', 'string_type': 'str', 'bool_type': 'bool'}
_GROUPS = ('dataclass_type', 'model_type', 'mapping_type', 'dict_type')
_RULES = ('rule', 'value_error')
_WHOLE = (*_GROUPS, *_RULES)
"""What is said of one entry of a list, and not of one number in it."""
_UNKNOWN = 'unexpected_keyword_argument'


Place = tuple[str | int, ...]
"""Keys and numbers that lead to a value, from the top of a file."""


def one_line(error: ValidationError, cls: type[Config] | None = None) -> str:
    """Describe the first error of a `cls`, or of another model; an unknown key comes before what may follow from it."""
    return _describe(_first(error), cls)


def place_of(error: ValidationError) -> Place:
    """Return where the error is that `one_line` describes."""
    first = _first(error)
    return (*first['loc'], *first.get('ctx', {}).get('place', ()))


def _first(error: ValidationError) -> ErrorDetails:
    found = error.errors(include_url=False)
    return next((each for each in found if each['type'] == _UNKNOWN), found[0])


def _describe(error: ErrorDetails, cls: type[Config] | None) -> str:
    """Follow the location through the declarations, then say what is wrong there."""
    holder: type[Config] | None = cls
    declared: Parameter | None = None
    words: list[str] = []
    location = _location(error)
    for place, part in enumerate(location):
        is_last = place == len(location) - 1
        if isinstance(part, int) and not words and holder is not None:
            part = list(holder.__parameters__)[part]  # an argument given by its position
        if isinstance(part, int):
            words[-1] += f'[{part}]' if not is_last or error['type'] in _WHOLE else ''
            words[-1] += ': each value' if is_last and error['type'] in _TYPES and error['input'] is not None else ''
        elif declared is not None and part in declared.variants:
            holder = declared.variants[part]
        elif not part.startswith('<'):  # the tag of a union's branch
            words.append(part)
            if holder is not None and part in holder.__parameters__:
                declared = holder.__parameters__[part]
                holder = declared.holds
    *groups, name = words or ['']
    if error['type'] == _UNKNOWN:
        known = () if holder is None else holder.__parameters__
        return ': '.join([*groups, f'unknown parameter {name!r}{did_you_mean(name, known)}'])
    if error['type'] in _RULES:
        return ': '.join([*words, error['msg'].removeprefix('Value error, ')])
    return ': '.join([*groups, f'{name}{_what(error, declared)}'])


def _location(error: ErrorDetails) -> Place:
    """Return where the error is, without the key that its message names itself."""
    place: Place = error.get('ctx', {}).get('place', ())
    if place and isinstance(place[-1], str) and place[-1] in error['msg'].split():
        place = place[:-1]
    return (*error['loc'], *place)


def _what(error: ErrorDetails, declared: Parameter | None) -> str:
    """Say what is wrong with the value of a parameter, as the text that follows its name."""
    kind, value = error['type'], error['input']
    unit = f' {declared.unit}' if declared is not None and declared.unit else ''
    if value is None:
        return ' has no value; give it one, or take the line out'
    if kind in _TYPES:
        return f' must be of type {_TYPES[kind]}, not {type(value).__name__} ({value!r}){_fix(_TYPES[kind], value)}'
    if kind in _GROUPS:
        return f' must be a group of parameters, not {value!r}'
    if kind == 'tuple_type':
        return f' must be a list, not {type(value).__name__} ({value!r}); write [..., ...]'
    if kind in ('too_short', 'too_long'):
        return f' has {len(value)} values instead of {error["ctx"].get("min_length", error["ctx"].get("max_length"))}'
    if kind == 'greater_than':
        return f' = {value}{unit} must be greater than {error["ctx"]["gt"]:g}{unit}'
    if kind == 'greater_than_equal':
        return f' = {value}{unit} is below its lowest value {error["ctx"]["ge"]}{unit}'
    if kind == 'less_than_equal':
        return f' = {value}{unit} is above its highest value {error["ctx"]["le"]}{unit}'
    if kind == 'finite_number':
        return f' = {value} is not finite'
    if kind == 'literal_error' and declared is not None:
        return f' = {not_one_of(value, declared.choices)}'
    if kind == 'union_tag_not_found':
        return f' does not say its {error["ctx"]["discriminator"]}; give it one'
    if kind == 'union_tag_invalid' and declared is not None:
        tag = str(error['ctx']['tag'])
        name = error['ctx']['discriminator'].strip("'")
        return f': {name} = {tag!r} is not known{did_you_mean(tag, declared.variants)}'
    if kind == 'missing':
        return ' is missing'
    return f' = {value!r}: {error["msg"]}'


def _fix(wanted: str, value: Any) -> str:
    if wanted == 'str' and not isinstance(value, list | dict):
        return '; put it in quotes'
    if wanted == 'float' and isinstance(value, str) and is_number(value):
        return '; write it without quotes, and an exponent as in 1.0e-3'
    return ''
