"""Read the parameters of older versions: what was called or meant otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def renewed(node: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return recorded parameters of a node, nested, under their present names."""
    made = dict(values)
    objective = made.get('objective')
    if node == 'controller' and isinstance(objective, Mapping) and 'arena' in objective:
        # Up to 0.1 a box without a margin: x low, x high, y low, y high.
        x_low, x_high, y_low, y_high = objective['arena']
        rest = {name: value for name, value in objective.items() if name != 'arena'}
        made['objective'] = {**rest, 'fence_corners': [x_low, y_low, x_high, y_high], 'fence_margin': 0.0}
    return made
