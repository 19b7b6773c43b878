"""Sort the parameters of a run for the page, and mark those that differ from what ships."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from millirobot_adapt.analysis.page import ParameterGroup, ParameterRow
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.core.yaml_file import read_yaml

_RUN_FILES = ('bag', 'run_file')
_HASH = re.compile('[0-9a-f]{64}')


def parameter_groups(parameters: Mapping[str, Any]) -> list[ParameterGroup]:
    """Sort parameters.yaml into the run's own values and one group for each mapping."""
    alone = {key: value for key, value in parameters.items() if not isinstance(value, Mapping)}
    groups = {'run': alone} | {key: value for key, value in parameters.items() if isinstance(value, Mapping)}
    return [
        ParameterGroup(heading, _rows(_flat(values), shipped(heading))) for heading, values in groups.items() if values
    ]


def shipped(node: str) -> dict[str, Any]:
    """Return what the shipped parameter file gives a node, by dotted name; nothing for what is no node."""
    try:
        path = share_dir() / 'params' / f'{node}.yaml'
        content = read_yaml(path) if path.is_file() else {}
    except UserError:
        return {}
    block = content.get(node)
    values = block.get('ros__parameters') if isinstance(block, Mapping) else None
    return _flat(values) if isinstance(values, Mapping) else {}


def _rows(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[ParameterRow]:
    return [
        ParameterRow(name, _text(value), _text(defaults[name]) if _differs(name, value, defaults) else None)
        for name, value in values.items()
    ]


def _differs(name: str, value: Any, defaults: Mapping[str, Any]) -> bool:
    """Tell whether a person chose a value; where the run's own files lie is set by whoever starts it."""
    return name in defaults and value != defaults[name] and name not in _RUN_FILES


def _flat(values: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    """Return nested parameters by dotted name."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f'{prefix}{key}.') if isinstance(value, Mapping) else {f'{prefix}{key}': value}
    return flat


def _text(value: Any) -> str:
    """Write a value; of a hash only its beginning."""
    text = str(value)
    return f'{text[:12]}...' if _HASH.fullmatch(text) else text
