"""Check a real robot on the bench: who it is, how the radio does, and whether it stops by itself.

Nothing here turns a motor but `jog` and `watchdog`, which leave them switched off however they end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firmware_bridge.clock import Clock
from firmware_bridge.console import Console
from firmware_bridge.dialogue import STILL
from firmware_bridge.packets import (
    GetPosition,
    Pair,
    PidGains,
    PositionReply,
    SetPidOutputChannel,
    SetTimeout,
    StartMotors,
    TelemetryReply,
    WhoAmI,
    WhoAmIReply,
)
from firmware_bridge.telemetry import encoder_step
from firmware_bridge.transports import TransportLost
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import FloatArray

SIDES = ('left', 'right')
JOG_RATE = 2.0
"""Leg rate of a jog [rev/s]."""
JOG_SECONDS = 1.0
JOG_PERIOD = 0.1
"""Time between two commands of a jog, as in the control loop [s]."""
SLOWEST_JOG = 0.5
"""A jogged leg has to reach this share of the rate asked for; a real one lags behind its command at about 0.9."""
WATCH_PERIOD = 0.1
"""Time between two samples of the live view [s]."""
BRAKING = 0.7
"""A leg may turn on for so long after its motor was switched off [s]."""
SILENCE = 1.0
"""The watchdog is waited for so much longer than timeout and braking [s]."""
STANDING = 0.02
"""A leg that turns less between two looks stands [rev]."""
LOOK_AGAIN = 0.2
"""Time between the two looks [s]."""


@dataclass(frozen=True)
class Live:
    """What encoders and gyro say at one moment."""

    legs: FloatArray
    """Turned since the start of the view [rev], left and right, shape (2,)."""
    gyro: FloatArray
    """Angular velocity [rad/s; body], shape (3,)."""
    battery: int
    """[counts]"""


@dataclass(frozen=True)
class Jog:
    """One side was told to turn for a second."""

    side: str
    rate: float
    """Mean rate of that side over the second half [rev/s]; `JOG_RATE` was asked for."""
    other: float
    """The same of the other side, which was told to stand."""

    @property
    def passed(self) -> bool:
        """Tell whether the right leg turned, forward."""
        return self.rate > SLOWEST_JOG * JOG_RATE and abs(self.other) < self.rate / 4


@dataclass(frozen=True)
class Watchdog:
    """Setpoints ceased while a leg turned and the robot's own timeout was set."""

    timeout: int
    """What the robot was told [ms]."""
    travel: float
    """How far the leg turned on [rev]."""
    standing: bool
    """It stood at the end, before anybody told it to."""

    @property
    def passed(self) -> bool:
        """Tell whether the robot stopped by itself, and in time."""
        return self.standing and self.travel < JOG_RATE * (1e-3 * self.timeout + BRAKING)


class LinkCheck:
    """The checks, each on its own; every method may raise TransportLost."""

    def __init__(self, console: Console, robot: RobotConfig, clock: Clock) -> None:
        self._console = console
        self._robot = robot
        self._clock = clock
        self._jog_counts = round(JOG_RATE * robot.scales.encoder_counts / 1000)

    @property
    def motors_off(self) -> bool:
        """Tell whether the robot has confirmed that its motors are off."""
        return self._console.motors_off

    def name(self) -> str | None:
        """Return what the firmware calls itself, None if it does not answer."""
        answer = self._console.ask(WhoAmI(), WhoAmIReply)
        return None if answer is None else answer.text.strip()

    def gains_echoed(self) -> bool:
        """Send the PID gains of the robot's file; return whether it echoes them."""
        gains = self._gains()
        return any(self._console.ask(gains, PidGains) == gains for _ in range(3))

    def round_trips(self, count: int, tell: Callable[[], object]) -> list[float | None]:
        """Send zero `count` times with the motors off; return the round trips [s], None for no answer."""
        trips = []
        for _ in range(count):
            answer = self._console.ask_telemetry(STILL)
            trips.append(None if answer is None else answer[1])
            tell()
        return trips

    def watch(self, seconds: float, show: Callable[[Live], object]) -> int:
        """Show encoders and gyro for some time while the legs are turned by hand; return the samples shown."""
        first: TelemetryReply | None = None
        shown = 0
        end = self._clock.steady() + seconds
        while self._clock.steady() < end:
            answer = self._console.ask_telemetry(STILL)
            if answer is not None:
                reply = answer[0]
                first = first or reply
                show(Live(self._turned(first, reply), np.array(reply.gyro) * self._robot.scales.gyro, reply.battery))
                shown += 1
            self._console.pause(WATCH_PERIOD)
        return shown

    def jog(self, side: str) -> Jog:
        """Turn one side for a second, then switch the motors off."""
        try:
            self._start_motors()
            replies = self._turn(side)
        finally:
            self._console.stand()
        if len(replies) < 4:
            return Jog(side, 0.0, 0.0)
        middle = replies[len(replies) // 2]
        elapsed = (replies[-1].timestamp - middle.timestamp) % 2**32 * self._robot.scales.clock
        rates = self._turned(middle, replies[-1]) / elapsed if elapsed > 0 else np.zeros(2)
        place = SIDES.index(side)
        return Jog(side, float(rates[place]), float(rates[1 - place]))

    def watchdog(self, side: str) -> Watchdog:
        """Set the robot's timeout, turn a side, fall silent, and see whether it stops; then switch the motors off.

        The encoders are asked for with 0x84, which commands nothing, and only after the silence: any packet may count
        as a sign of life.
        """
        timeout = self._robot.timeout
        place = SIDES.index(side)
        try:
            self._start_motors()
            self._console.insist(SetTimeout(timeout))
            replies = self._turn(side)
            self._console.pause(1e-3 * timeout + BRAKING + SILENCE)
            looks = []
            for _ in range(2):
                answer = self._console.ask(GetPosition(), PositionReply)
                if answer is not None:
                    looks.append(answer.position[place])
                self._console.pause(LOOK_AGAIN)
            trouble = self._console.guardian_trouble()
        finally:
            self._console.stand()
        if trouble is not None:
            raise TransportLost(trouble)  # it may have been the guardian, and not the robot, that stopped the leg
        if len(looks) < 2 or not replies:
            return Watchdog(timeout, float('nan'), standing=False)
        turn = self._robot.scales.encoder_counts
        travel = _wrapped(looks[0] - replies[-1].position[place]) / turn
        return Watchdog(timeout, travel, abs(_wrapped(looks[1] - looks[0])) < STANDING * turn)

    def _start_motors(self) -> None:
        for packet in (SetPidOutputChannel(1), StartMotors()):
            self._console.insist(packet)
        self.gains_echoed()

    def _turn(self, side: str) -> list[TelemetryReply]:
        """Tell one side to turn for `JOG_SECONDS`; return what the robot said."""
        counts: Pair = (self._jog_counts, 0) if side == 'left' else (0, self._jog_counts)
        replies = []
        end = self._clock.steady() + JOG_SECONDS
        while self._clock.steady() < end:
            answer = self._console.ask_telemetry(counts, JOG_PERIOD)
            if answer is not None:
                replies.append(answer[0])
            self._console.pause(JOG_PERIOD)
        return replies

    def _gains(self) -> PidGains:
        gains = self._robot.pid_gains
        return PidGains(gains[:5], gains[5:])  # type: ignore[arg-type]

    def _turned(self, earlier: TelemetryReply, later: TelemetryReply) -> FloatArray:
        return encoder_step(earlier, later) / self._robot.scales.encoder_counts


def _wrapped(step: int) -> int:
    """Return an int32 counter's step, whatever wrapped within it."""
    return (step + 2**31) % 2**32 - 2**31
