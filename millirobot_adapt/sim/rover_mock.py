"""The rover in real time: velocity commands in, physics up to the clock, poses out."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.sim.conditions import Fault
from millirobot_adapt.sim.process_faults import ProcessFaults
from millirobot_adapt.sim.realtime import LARGEST_LAG, LONGEST_WAIT
from millirobot_adapt.sim.robot_faults import ClockFaults, host_step
from millirobot_adapt.sim.rover_world import RoverWorld
from millirobot_adapt.sim.timekeeper import Timekeeper


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
        self._sleep = sleep
        self.time = Timekeeper(LARGEST_LAG, clock, host_clock)
        """The time of the world beside that of the host."""
        world.injector.add('process', ProcessFaults())
        world.injector.add('clock', ClockFaults(None, world.mocap, host_step(self.time)))
        world.injector.check('in the mock of a rover')

    @property
    def motors(self) -> tuple[float, FloatArray]:
        """Since when it is told to move, or to stand [s, world], and its command: forward [m/s], turn [rad/s]."""
        return self.world.command_since, np.array(self.world.rover.command)

    def command(self, action: FloatArray) -> None:
        """Take a velocity command, shape (nu,)."""
        self.world.command(action)

    def turn(self) -> list[PoseSample]:
        """Wait for a moment, go on to the present, and return the poses that have arrived, stamped with host time."""
        self.time.now(self.world.time)  # the clock starts with the first turn
        self._sleep(LONGEST_WAIT)
        now = self.time.until(self.world.time)
        self.world.advance(now)
        return self.time.stamped(self.world.mocap.due(now))

    def close(self) -> None:
        """End the faults that last."""
        self.world.inject(Fault('clear', True))
