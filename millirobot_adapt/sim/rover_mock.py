"""The rover in real time: velocity commands in, physics up to the clock, poses out."""

from __future__ import annotations

import time
from collections.abc import Callable

from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.sim.conditions import Fault
from millirobot_adapt.sim.process_faults import ProcessFaults
from millirobot_adapt.sim.realtime import LARGEST_LAG, LONGEST_WAIT
from millirobot_adapt.sim.rover_world import RoverWorld


class RoverMock:
    """Couple a rover's world to a steady clock, as `Mock` does a hexapod's; the clock starts with the first turn."""

    def __init__(
        self,
        world: RoverWorld,
        clock: Callable[[], float] = time.monotonic,
        host_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Add the faults that only a mock in real time has.

        Raises:
            UserError: the condition's schedule holds a fault that nobody implements.
        """
        self.world = world
        self._clock, self._host_clock, self._sleep = clock, host_clock, sleep
        self._start: float | None = None
        self._host_offset = 0.0
        self.lost_time = 0.0
        """Time that the mock has let go because it could not keep up [s]."""
        world.injector.add('process', ProcessFaults())
        world.injector.check('in the mock of a rover')

    def host_time(self, stamp: float) -> float:
        """Convert a time of the world to host time, seconds since the epoch."""
        return stamp + self._host_offset

    def command(self, action: FloatArray) -> None:
        """Take a velocity command, shape (nu,)."""
        self.world.command(action)

    def turn(self) -> list[PoseSample]:
        """Wait for a moment, go on to the present, and return the poses that have arrived, stamped with host time."""
        if self._start is None:
            self._start = self._clock() - self.world.time
            self._host_offset = self._host_clock() - self.world.time
        self._sleep(LONGEST_WAIT)
        now = self._clock() - self._start
        lag = now - self.world.time
        if lag > LARGEST_LAG:
            self._start += lag
            self._host_offset += lag
            self.lost_time += lag
            now = self.world.time
        self.world.advance(now)
        return [
            PoseSample(self.host_time(pose.stamp), pose.position, pose.quaternion) for pose in self.world.mocap.due(now)
        ]

    def inject(self, fault: Fault) -> None:
        """Let a fault begin now.

        Raises:
            UserError: nobody implements it, or it cannot happen now.
        """
        self.world.injector.inject(fault, self.world.time)

    def close(self) -> None:
        """End the faults that last."""
        self.inject(Fault('clear', True))
