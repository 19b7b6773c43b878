"""The parameters that have other names than in earlier versions, or are gone: the one table of them.

Add a line to `RENAMES` whenever a parameter of a node is renamed, converted or removed. Parameter files of users and
recorded runs then load with the new name, and `millirobot params migrate` rewrites files. A parameter that is gone is
refused with what to do instead, so that no limit falls back to its default in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from millirobot_adapt.core.errors import UserError


@dataclass(frozen=True)
class Rename:
    """What became of one parameter."""

    node: str
    old: str
    """Its former dotted name; `group.*` stands for all parameters of a group."""
    new: str = ''
    """Its present name; '' where it is gone."""
    instead: str = ''
    """Where it is gone: what to do instead."""
    convert: Callable[[Any], Mapping[str, Any]] | None = None
    """Where one value became several: present dotted names and values, from the former value."""

    def is_about(self, name: str) -> bool:
        """Return whether it is about a dotted name."""
        return name.startswith(self.old[:-1]) if self.old.endswith('.*') else name == self.old

    def renewed(self, value: Any) -> dict[str, Any]:
        """Return present names and values; empty where it is gone."""
        if self.convert is not None:
            return dict(self.convert(value))
        return {self.new: value} if self.new else {}


def _fence_of_box(box: Sequence[float]) -> dict[str, Any]:
    """Turn the box of the first version (x low, x high, y low, y high; no margin) into opposite corners."""
    x_low, x_high, y_low, y_high = box
    return {'objective.fence_corners': [x_low, y_low, x_high, y_high], 'objective.fence_margin': 0.0}


RENAMES: tuple[Rename, ...] = (
    Rename('bridge', 'gate.odometry_hold', new='gate.state_hold'),
    Rename('bridge', 'gate.odometry_stop', new='gate.state_stop'),
    Rename('controller', 'objective.arena', new='objective.fence_corners', convert=_fence_of_box),
    Rename('controller', 'planner.chunk', new='planner.batch'),
    Rename('mock_robot', 'radio.*', instead='list the faults in a condition (docs/mock.md) or use millirobot inject'),
)


def renewed(node: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a node's parameters under their present names, and a note about each that has another one.

    Args:
        node: Name of the node.
        values: Dotted name -> value.

    Raises:
        UserError: a parameter is gone; a parameter is given under its former and its present name.
    """
    made: dict[str, Any] = {}
    notes = []
    for name, value in values.items():
        rename = _rename_of(node, name)
        if rename is None:
            made[name] = value
            continue
        present = rename.renewed(value)
        if not present:
            raise UserError(f'{name} is gone: {rename.instead}; take the line out, or run millirobot params migrate')
        for new in present:
            if new in values:
                raise UserError(f'{name} is now called {new}, which is given too; take the line of {name} out')
        made |= present
        notes.append(f'{node}: {name} is now called {", ".join(present)}; run millirobot params migrate')
    return made, notes


def as_recorded(node: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that an earlier version recorded under their present names, without those that are gone."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        rename = _rename_of(node, name)
        made |= {name: value} if rename is None else rename.renewed(value)
    return made


def is_former(name: str, node: str = '') -> bool:
    """Return whether a dotted name was a parameter of a node, or of any node, in an earlier version."""
    return any(each.is_about(name) and node in ('', each.node) for each in RENAMES)


def _rename_of(node: str, name: str) -> Rename | None:
    return next((each for each in RENAMES if each.node == node and each.is_about(name)), None)
