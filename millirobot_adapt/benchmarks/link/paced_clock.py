"""The clock of a simulated link whose robot runs on a clock of its own: real time."""

from __future__ import annotations

import time

from millirobot_adapt.benchmarks.link.simulated_clock import SimulatedClock


class PacedClock(SimulatedClock):
    """A `SimulatedClock` that waits until its time has come, and runs on while nobody waits."""

    def __init__(self) -> None:
        super().__init__()
        self._start = time.monotonic()

    def steady(self) -> float:
        """Return the time since the clock was made [s]."""
        return time.monotonic() - self._start

    def host(self) -> float:
        """Return the epoch plus that time [s]."""
        return self._epoch + self.steady()

    def _move(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))
