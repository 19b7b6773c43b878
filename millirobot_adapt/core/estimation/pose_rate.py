"""Judge whether motion capture is healthy enough to begin: poses come often enough.

How old they are is no matter here: the estimator follows their clock, and says so where it cannot.
"""

from __future__ import annotations

import math
from collections import deque

WINDOW = 1.0
"""Poses are counted over this time [s]."""


class PoseRate:
    """Count the poses of the last second."""

    def __init__(self, lowest: float, clock_offset: float = 0.0) -> None:
        """Begin without a pose.

        Args:
            lowest: Fewer poses in a second are too few [Hz].
            clock_offset: Stamps of motion capture are ahead of the host by this [s].
        """
        self._lowest = lowest
        self._clock_offset = clock_offset
        self._arrivals: deque[float] = deque()
        self.age = math.nan
        """How long ago the newest pose was stamped, by the corrected clock [s]; NaN before the first."""

    def on_pose(self, steady: float, age: float) -> None:
        """Take the arrival of a pose [s, steady clock] and how long ago it was stamped [s]."""
        self._arrivals.append(steady)
        self.age = age + self._clock_offset
        self._forget(steady)

    def rate(self, steady: float) -> int:
        """Return how many poses came within the last second [Hz]."""
        self._forget(steady)
        return len(self._arrivals)

    def objection(self, steady: float) -> str:
        """Say what is not healthy yet; empty when all is well. Without any pose the reason is for others to find."""
        rate = self.rate(steady)
        if rate < self._lowest:
            return f'motion capture comes at {rate} Hz, at least {self._lowest:g} Hz are needed (lowest_pose_rate)'
        return ''

    def _forget(self, steady: float) -> None:
        while self._arrivals and self._arrivals[0] <= steady - WINDOW:
            self._arrivals.popleft()
