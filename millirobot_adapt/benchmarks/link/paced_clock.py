"""The clock of a simulated link whose robot runs on a clock of its own: real time."""

from __future__ import annotations

import time
from collections.abc import Callable

from millirobot_adapt.benchmarks.link.simulated_clock import SimulatedClock
from millirobot_adapt.sim.realtime import OWN_CLOCK_LAG


class PacedClock(SimulatedClock):
    """A `SimulatedClock` that waits until its time has come, and runs on while nobody waits.

    It is never ahead of the robot's body by more than `OWN_CLOCK_LAG`: further time is let go. Making it up takes a
    busy machine longer than the time itself, during which more falls due, and so on without end. The mock's
    `Timekeeper` then goes back to the body's time, which a clock that a bridge reads may not.
    """

    def __init__(self, lived: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        """`lived` returns how far the body has lived [s]."""
        super().__init__()
        self._lived, self._clock = lived, clock
        self._start = clock()

    def steady(self) -> float:
        """Return the time since the clock was made, less what was let go [s]; it never goes back."""
        now = self._clock() - self._start
        too_far = now - self._lived() - OWN_CLOCK_LAG
        if too_far > 0.0:
            self._start += too_far
            now -= too_far
        return now

    def host(self) -> float:
        """Return the epoch plus that time [s]."""
        return self._epoch + self.steady()

    def _move(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))
