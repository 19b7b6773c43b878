"""Parameters that were set while the nodes of a run were running, from /parameter_events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FIELDS = {
    1: 'bool_value', 2: 'integer_value', 3: 'double_value', 4: 'string_value', 5: 'byte_array_value',
    6: 'bool_array_value', 7: 'integer_array_value', 8: 'double_array_value', 9: 'string_array_value',
}  # fmt: skip
"""Where a rcl_interfaces/ParameterValue holds its value, by its type."""


@dataclass(frozen=True)
class LiveChange:
    """One parameter that was set."""

    received: float
    """[s since the epoch]."""
    parameter: str
    """Node, dot, dotted name of the parameter; without the namespace."""
    value: bool | int | float | str | list[Any]


def live_changes(message: Any, received: float) -> list[LiveChange]:
    """Return what a rcl_interfaces/ParameterEvent received at `received` [s] describes; parameters at a start are none.

    Raises:
        ValueError: a value has a type that does not exist.
    """
    node = message.node.rsplit('/', 1)[-1]
    return [LiveChange(received, f'{node}.{each.name}', _plain(each.value)) for each in message.changed_parameters]


def _plain(value: Any) -> Any:
    if value.type not in FIELDS:
        raise ValueError(f'no parameter has the type {value.type}')
    found = getattr(value, FIELDS[value.type])
    return found.tolist() if hasattr(found, 'tolist') else found
