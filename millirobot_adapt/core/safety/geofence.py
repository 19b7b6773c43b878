"""The part of the floor on which the robot may walk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.core.safety.polygon import Polygon


def fence_text(numbers: Sequence[float]) -> str:
    """Write the numbers of a fence so that two nodes can compare them."""
    return ' '.join(f'{number:g}' for number in numbers)


class Fence:
    """A polygon in the xy plane of `world`, shrunk by a margin.

    `numbers` is either a box (x low, y low, x high, y high) or three or more corners (x, y, x, y, ...), in order [m].

    Raises:
        UserError: the numbers are neither.
    """

    def __init__(self, numbers: Sequence[float], margin: float) -> None:
        try:
            self._polygon = Polygon(numbers)
        except UserError as error:
            raise UserError(f'fence = {error}') from None
        self._margin = margin

    @property
    def corners(self) -> FloatArray:
        """In order, shape (N, 2) [m; world]."""
        return self._polygon.corners

    def contains(self, position: FloatArray) -> bool:
        """Tell whether a position, x y first [m; world], is inside and at least the margin away from every side."""
        x, y = np.asarray(position, dtype=float)[:2]
        # Written so that a position that is not finite is outside.
        return bool(self._polygon.depth(x, y) >= self._margin)
