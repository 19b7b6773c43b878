"""Keep the time of a mock beside a steady clock: how far its world goes on, and what the host's clock says then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from millirobot_adapt.core.robot.samples import PoseSample


class Timekeeper:
    """Times of the world are seconds since its beginning. The clock starts with the first call of `now`."""

    def __init__(
        self,
        largest_lag: float,
        clock: Callable[[], float] = time.monotonic,
        host_clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the clocks.

        Args:
            largest_lag: Further behind than this the mock lets time go instead of catching up [s].
            clock: Steady time [s].
            host_clock: The host's time [s since the epoch].
        """
        self._largest_lag = largest_lag
        self._clock, self._host_clock = clock, host_clock
        self._start: float | None = None
        self._host_offset = 0.0
        self.host_step = 0.0
        """How far the host's clock has been set ahead since the start, see `FAULT_KINDS`, `clock.host` [s]."""
        self.lost_time = 0.0
        """Time that the mock has let go because it could not keep up [s]."""

    def now(self, world: float) -> float:
        """Return what the clock says where the world is at `world` [s]."""
        if self._start is None:
            self._start = self._clock() - world
            self._host_offset = self._host_clock() - world
        return self._clock() - self._start

    def until(self, world: float) -> float:
        """Return the time up to which a world at `world` should go [s]; a large lag is forgiven, not caught up with."""
        now = self.now(world)
        lag = now - world
        if lag <= self._largest_lag:
            return now
        assert self._start is not None
        self._start += lag
        self._host_offset += lag
        self.lost_time += lag
        return world

    def host_time(self, stamp: float) -> float:
        """Convert a time of the world to host time, seconds since the epoch."""
        return stamp + self._host_offset + self.host_step

    def stamped(self, poses: Iterable[PoseSample]) -> list[PoseSample]:
        """Return poses with host time in place of the world's."""
        return [PoseSample(self.host_time(pose.stamp), pose.position, pose.quaternion) for pose in poses]
