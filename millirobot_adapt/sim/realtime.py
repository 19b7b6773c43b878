"""Run the mock in real time: bytes in, physics up to the clock, bytes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.servo_line import ServoLine
from millirobot_adapt.sim.servo_rig import ServoBoard
from millirobot_adapt.sim.timekeeper import Timekeeper
from millirobot_adapt.sim.wired_robot import WiredRobot
from millirobot_adapt.sim.wireless_robot import WirelessRobot
from millirobot_adapt.sim.world import World

LONGEST_WAIT = 0.005
"""The physics is never further behind the clock than this while all is well [s]."""
LARGEST_LAG = 0.5
"""Further behind than this the mock lets time go instead of catching up [s].

Letting time go sets the robot's clock back, which no real robot does, so the bridge refuses its replies then. Catching
up takes a tenth of the lag or less.
"""
OWN_CLOCK_WAIT, OWN_CLOCK_LAG = 0.001, 0.05
"""The same for a robot whose firmware ticks by a clock of its own [s].

It drives the legs as they are shown to it, so they are shown often, and a lag that it has lived through is not made up
with what it commands now. Letting time go does not touch its clock.
"""


class Port(Protocol):
    """The robot's end of a serial line."""

    def read(self, timeout: float) -> bytes:
        """Return what the host has written, waiting for up to `timeout` [s]."""

    def write(self, data: bytes) -> None:
        """Give bytes to the host."""


class RealtimeRobot:
    """Couple a world and its line to a port and a steady clock; times given and taken are the world's unless said so.

    The clock starts with the first turn.
    """

    def __init__(
        self,
        world: World,
        line: Radio | ServoLine,
        port: Port,
        clock: Callable[[], float] = time.monotonic,
        host_clock: Callable[[], float] = time.time,
    ) -> None:
        self.world = world
        self._line = line
        self._robot: WirelessRobot | WiredRobot
        if isinstance(line, Radio):
            self._robot = WirelessRobot(world, line)
        else:
            assert isinstance(world.electronics, ServoBoard)
            self._robot = WiredRobot(world, world.electronics)
        self._port = port
        lag = OWN_CLOCK_LAG if world.electronics.has_own_clock else LARGEST_LAG
        self.time = Timekeeper(lag, clock, host_clock)
        """The time of the world beside that of the host."""

    def turn(self) -> list[PoseSample]:
        """Wait for the next thing to do, do it, and return the poses that have arrived, stamped with host time."""
        data = self._port.read(self._wait(self.time.now(self.world.time)))
        now = self.time.until(self.world.time)
        if data:
            self._line.write(data, now)
        out = self._robot.advance(now)
        if out:
            self._port.write(out)
        return self.time.stamped(self.world.mocap.due(now))

    def _wait(self, now: float) -> float:
        """Return how long nothing is to be done [s]."""
        due = [time for time in (self._line.next_due(), self.world.mocap.next_due()) if time is not None]
        longest = OWN_CLOCK_WAIT if self.world.electronics.has_own_clock else LONGEST_WAIT
        return min(longest, max(0.0, min(due, default=now + longest) - now))
