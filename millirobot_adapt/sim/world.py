"""The whole mock in simulated time: body, microcontroller, disturbances, faults and motion capture."""

from __future__ import annotations

from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim import disturbances
from millirobot_adapt.sim.conditions import Condition, Fault
from millirobot_adapt.sim.disturbances import Disturbances
from millirobot_adapt.sim.hexapod import Hexapod
from millirobot_adapt.sim.microcontroller import Microcontroller
from millirobot_adapt.sim.mocap import Mocap

TICK = 0.001
"""Period of the firmware's controller and of the physics [s]."""
_DISTURBANCE_TICKS = round(disturbances.PERIOD / TICK)
_BODY, _MICROCONTROLLER, _DISTURBANCES, _MOCAP, _FORWARD_PUSHES = range(5)
"""Keys of the random generators: what one part draws changes nothing for the others."""


class World:
    """Advance the robot and what observes it; equal seeds and equal packets give equal runs, bit for bit."""

    def __init__(self, robot: RobotConfig, condition: Condition, seed: int) -> None:
        self.hexapod = Hexapod(condition, generator(seed, _BODY))
        self.microcontroller = Microcontroller(robot, self.hexapod, generator(seed, _MICROCONTROLLER))
        self.mocap = Mocap(robot, condition, generator(seed, _MOCAP))
        self._disturbances = Disturbances(condition, generator(seed, _DISTURBANCES), generator(seed, _FORWARD_PUSHES))
        self.microcontroller.frozen_encoders = condition.frozen_encoders
        self._condition = condition
        self._coming = sorted(condition.faults, key=lambda fault: fault.time)
        self._ticks = 0
        self.faults: list[tuple[float, Fault]] = []
        """Faults that have begun, each with the time of its beginning [s]."""

    @property
    def time(self) -> float:
        """Simulated time [s]."""
        return self._ticks * TICK

    def advance(self, until: float) -> None:
        """Advance to the last tick that is not later than `until` [s]."""
        last = int(until / TICK + 1e-6)
        while self._ticks < last:
            if self._ticks % _DISTURBANCE_TICKS == 0:
                self._begin_faults()
                self._disturbances.update(self.hexapod, self.time)
                self.hexapod.update(disturbances.PERIOD)
            if self.time >= self.mocap.next_exposure:
                self.mocap.expose(self.time, *self.hexapod.pose())
            self.hexapod.step(*self.microcontroller.tick())
            self._ticks += 1

    def _begin_faults(self) -> None:
        start = self.microcontroller.first_motion
        while self._coming and start is not None and self.time >= start + self._coming[0].time:
            fault = self._coming.pop(0)
            self._take_over(self._condition.after(fault))
            self.faults.append((self.time, fault))

    def _take_over(self, condition: Condition) -> None:
        """Let all go on under another condition."""
        self._condition = condition
        self.hexapod.take_over(condition)
        self.mocap.take_over(condition)
        self._disturbances.take_over(condition)
        self.microcontroller.frozen_encoders = condition.frozen_encoders
