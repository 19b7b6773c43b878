"""Judge whether motion capture is healthy enough to begin: poses come often enough, stamped with our time."""

from __future__ import annotations

from collections import deque

WINDOW = 1.0
"""Poses are counted over this time [s]."""


class PoseRate:
    """Count the poses of the last second."""

    def __init__(self, lowest: float, largest_age: float) -> None:
        """Begin without a pose.

        Args:
            lowest: Fewer poses in a second are too few [Hz].
            largest_age: A pose stamped longer ago, or so far ahead, does not tell of now [s].
        """
        self._lowest = lowest
        self._largest_age = largest_age
        self._arrivals: deque[float] = deque()
        self._age = 0.0

    def on_pose(self, steady: float, age: float) -> None:
        """Take the arrival of a pose [s, steady clock] and how long ago it was stamped [s]."""
        self._arrivals.append(steady)
        self._age = age
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
        if not abs(self._age) <= self._largest_age:
            return f'poses are stamped {self._age:.1f} s ago: synchronise the clocks of motion capture and host'
        return ''

    def _forget(self, steady: float) -> None:
        while self._arrivals and self._arrivals[0] <= steady - WINDOW:
            self._arrivals.popleft()
