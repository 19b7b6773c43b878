"""A polygon on the floor: which points are inside, and how deep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from millirobot_adapt.core.arrays import Array, namespace
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.state import FloatArray


class Polygon:
    """A simple polygon in the xy plane of `world`; its corners may point inwards and run either way round.

    `numbers` is either a box (x low, y low, x high, y high) or three or more corners (x, y, x, y, ...), in order [m].

    Raises:
        UserError: the numbers are neither, or sides of the polygon meet or cross.
    """

    def __init__(self, numbers: Sequence[float]) -> None:
        self.corners = _corners(numbers)
        """In order, shape (N, 2) [m; world]."""
        self._sides = np.roll(self.corners, -1, axis=0) - self.corners
        if _crosses_itself(self.corners, self._sides):
            raise UserError(
                f'{list(numbers)}: sides of the polygon meet or cross; give its corners in order, each once'
            )

    def depth(self, x: Array, y: Array) -> Array:
        """Return how deep points [m; world] lie inside: their distance to the nearest side, negative outside.

        Args:
            x: Any shape.
            y: The same shape.

        Returns:
            [m], the shape of x; NaN for a point that is not finite.
        """
        xp = namespace(x)
        nearest = xp.full_like(x, xp.inf, dtype=xp.float64)
        inside = nearest < 0.0  # none yet
        for (x0, y0), (dx, dy) in zip(self.corners.tolist(), self._sides.tolist(), strict=True):
            with np.errstate(invalid='ignore'):  # of infinite coordinates
                px, py = x - x0, y - y0
                along = xp.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0.0, 1.0)
                nearest = xp.minimum(nearest, xp.hypot(px - along * dx, py - along * dy))
                # Even-odd rule: inside, where a ray along +x crosses the boundary an odd number of times.
                if dy != 0.0:
                    inside = inside ^ (((y0 > y) != (y0 + dy > y)) & (px < py / dy * dx))
        known = xp.isfinite(x) & xp.isfinite(y)
        return xp.where(known, xp.where(inside, nearest, -nearest), xp.nan)


def _corners(numbers: Sequence[float]) -> FloatArray:
    if len(numbers) == 4:
        x_low, y_low, x_high, y_high = numbers
        if not (x_low < x_high and y_low < y_high):
            raise UserError(f'{list(numbers)}: the box is empty; give x low, y low, x high, y high')
        return np.array([(x_low, y_low), (x_high, y_low), (x_high, y_high), (x_low, y_high)])
    if len(numbers) < 6 or len(numbers) % 2:
        raise UserError(f'{list(numbers)}: {len(numbers)} numbers make no area; give a box (4) or at least 3 corners')
    corners = np.array(numbers, dtype=float).reshape(-1, 2)
    if not np.isfinite(corners).all():
        raise UserError(f'{list(numbers)}: a corner is not finite; give every x, y in metres')
    if np.any(np.all(corners == np.roll(corners, -1, axis=0), axis=1)):
        raise UserError(f'{list(numbers)}: a corner is given twice in a row; remove one (the last side closes itself)')
    return corners


def _crosses_itself(corners: FloatArray, sides: FloatArray) -> bool:
    """Tell whether two sides share a point that is not the corner between them."""
    count = len(corners)
    for i in range(count):
        for j in range(i + 1, count):
            if j == i + 1 or (i == 0 and j == count - 1):
                first, second = (i, j) if j == i + 1 else (j, i)
                # Neighbours share more than their corner only where the second goes straight back.
                straight = _cross(sides[first], sides[second]) == 0.0
                if straight and sides[first] @ sides[second] < 0:
                    return True
            elif _meet(corners[i], sides[i], corners[j], sides[j]):
                return True
    return False


def _meet(start: FloatArray, side: FloatArray, other: FloatArray, other_side: FloatArray) -> bool:
    """Tell whether two segments, each a start and a vector, have a point in common."""
    turns = [
        np.sign(_cross(side, other - start)),
        np.sign(_cross(side, other + other_side - start)),
        np.sign(_cross(other_side, start - other)),
        np.sign(_cross(other_side, start + side - other)),
    ]
    if turns[0] == turns[1] == 0:  # on one line: their extents decide
        ends = np.sort(np.array([other - start, other + other_side - start]) @ side)
        return bool(ends[0] <= side @ side and ends[1] >= 0)
    return bool(turns[0] * turns[1] <= 0 and turns[2] * turns[3] <= 0)


def _cross(a: FloatArray, b: FloatArray) -> float:
    return float(a[0] * b[1] - a[1] * b[0])
