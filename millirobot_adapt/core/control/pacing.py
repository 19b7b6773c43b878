"""Keep a steady rate, and shed load when the machine cannot hold it.

A planner that misses its deadline takes time from the processes that bring the next state. Fewer candidates cost a
little quality; several missed deadlines in a row stop the robot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator


def every(
    period: float,
    closing: threading.Event,
    steady: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """Yield once every `period` [s] of the steady clock until `closing` is set.

    Times are absolute, so that small delays do not add up; after a pause longer than a period (a machine that slept)
    the rhythm goes on from now instead of making up for what was missed.
    """
    due = steady()
    while not closing.wait(max(0.0, due - steady())):
        yield
        due = max(due + period, steady())


LEAST = 0.125
"""Smallest part of the candidates that is drawn."""
PATIENCE = 20
"""Ticks in time before the part is doubled again."""
FEW_SAMPLES = 100
"""Candidates with which the controller copes on a slow machine, at little loss (docs/tuning.md)."""
LATE_TICK = 1.25
"""A tick that begins more than this many control periods after the one before shows a busy machine, too."""


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


def missed_deadlines(count: int, samples: int) -> str:
    """Say that `count` deadlines in a row were missed with `samples` candidates, and what to do about it."""
    fewer = min(FEW_SAMPLES, max(1, samples // 2))
    return f'{count} deadlines in a row were missed; close other programs, or --set controller.planner.samples={fewer}'
