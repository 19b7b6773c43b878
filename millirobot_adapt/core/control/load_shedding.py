"""Shed load: draw fewer candidates while the machine is busy, and more again when it is not.

A planner that misses its deadline takes time from the processes that bring the next state. Fewer candidates cost a
little quality; several missed deadlines in a row stop the robot.
"""

from __future__ import annotations

LEAST = 0.125
"""Smallest part of the candidates that is drawn."""
PATIENCE = 20
"""Ticks in time before the part is doubled again."""
LATE_TICK = 1.25
"""A tick that begins later than so many control periods after the one before shows a busy machine, too."""


class LoadShedding:
    """The part of the candidates to draw: halved in a tick that was late, doubled after `PATIENCE` ticks in time."""

    def __init__(self) -> None:
        """Draw all candidates."""
        self.share = 1.0
        """Part of the candidates to draw, LEAST to 1."""
        self._in_time = 0

    def on_tick(self, *, late: bool) -> None:
        """Take whether a tick was late: it began late, its search was cut short, or its plan missed the deadline."""
        if late:
            self.share, self._in_time = max(LEAST, 0.5 * self.share), 0
            return
        self._in_time += 1
        if self._in_time >= PATIENCE:
            self.share, self._in_time = min(1.0, 2.0 * self.share), 0
