"""The part of the floor on which the robot may walk."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.state import FloatArray


class Fence:
    """A polygon in the xy plane of `world`, shrunk by a margin.

    `numbers` is either a box (x low, y low, x high, y high) or three or more corners (x, y, x, y, ...), in order [m].

    Raises:
        UserError: the numbers are neither.
    """

    def __init__(self, numbers: tuple[float, ...], margin: float) -> None:
        self.corners = _corners(numbers)
        """In order, shape (N, 2) [m; world]."""
        self._margin = margin

    def contains(self, position: FloatArray) -> bool:
        """Tell whether a position, x y first [m; world], is inside and at least the margin away from every side."""
        point = np.asarray(position, dtype=float)[:2]
        if not np.all(np.isfinite(point)):
            return False
        starts, sides = self.corners, np.roll(self.corners, -1, axis=0) - self.corners
        # Even-odd rule: a point is inside when a ray along +x crosses the boundary an odd number of times.
        spans = (starts[:, 1] > point[1]) != (starts[:, 1] + sides[:, 1] > point[1])
        rises = np.where(sides[:, 1] == 0, 1.0, sides[:, 1])
        crossings = starts[:, 0] + (point[1] - starts[:, 1]) / rises * sides[:, 0]
        inside = bool(np.sum(spans & (point[0] < crossings)) % 2)
        along = np.clip(np.sum((point - starts) * sides, axis=1) / np.sum(sides**2, axis=1), 0.0, 1.0)
        distance = np.linalg.norm(point - starts - along[:, None] * sides, axis=1).min()
        return inside and bool(distance >= self._margin)


def _corners(numbers: tuple[float, ...]) -> FloatArray:
    if len(numbers) == 4:
        x_low, y_low, x_high, y_high = numbers
        if not (x_low < x_high and y_low < y_high):
            raise UserError(f'fence = {list(numbers)}: the box is empty; give x low, y low, x high, y high')
        return np.array([(x_low, y_low), (x_high, y_low), (x_high, y_high), (x_low, y_high)])
    if len(numbers) < 6 or len(numbers) % 2:
        raise UserError(
            f'fence = {list(numbers)}: {len(numbers)} numbers make no area; give a box (4) or at least 3 corners'
        )
    corners = np.array(numbers, dtype=float).reshape(-1, 2)
    if np.any(np.all(corners == np.roll(corners, -1, axis=0), axis=1)):
        raise UserError(f'fence = {list(numbers)}: a corner is given twice in a row; remove one')
    return corners
