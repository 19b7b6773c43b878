"""Run the mock in real time: bytes in, physics up to the clock, bytes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.servo_line import ServoLine
from millirobot_adapt.sim.servo_rig import ServoBoard
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
        self._clock = clock
        self._host_clock = host_clock
        self._started = False
        self._start = self._host_offset = 0.0
        self.host_step = 0.0
        """How far the host's clock has been set ahead since the start, see `FAULT_KINDS`, `clock.host` [s]."""
        self.lost_time = 0.0
        """Time that the mock has let go because it could not keep up [s]."""

    def host_time(self, stamp: float) -> float:
        """Convert a time of the world to host time, seconds since the epoch."""
        return stamp + self._host_offset + self.host_step

    def turn(self) -> list[PoseSample]:
        """Wait for the next thing to do, do it, and return the poses that have arrived, stamped with host time."""
        if not self._started:
            self._started = True
            self._start = self._clock() - self.world.time
            self._host_offset = self._host_clock() - self.world.time
        data = self._port.read(self._wait(self._clock() - self._start))
        now = self._now(self._clock() - self._start)
        if data:
            self._line.write(data, now)
        out = self._robot.advance(now)
        if out:
            self._port.write(out)
        return [
            PoseSample(self.host_time(pose.stamp), pose.position, pose.quaternion) for pose in self.world.mocap.due(now)
        ]

    def _now(self, clock: float) -> float:
        """Return the time up to which the world should go; a large lag is forgiven, not caught up with."""
        lag = clock - self.world.time
        if lag <= (OWN_CLOCK_LAG if self.world.electronics.has_own_clock else LARGEST_LAG):
            return clock
        self._start += lag
        self._host_offset += lag
        self.lost_time += lag
        return self.world.time

    def _wait(self, now: float) -> float:
        """Return how long nothing is to be done [s]."""
        due = [time for time in (self._line.next_due(), self.world.mocap.next_due()) if time is not None]
        longest = OWN_CLOCK_WAIT if self.world.electronics.has_own_clock else LONGEST_WAIT
        return min(longest, max(0.0, min(due, default=now + longest) - now))
