"""What `link-test` measures on a real robot, as data: round trips, the live view, a jog, the robot's own watchdog."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_bridge.packets import TelemetryReply
from firmware_bridge.replies import Refusal
from millirobot_adapt.core.robot.state import FloatArray

JOG_RATE = 2.0
"""Leg rate of a jog [rev/s]."""
BRAKING = 0.7
"""A leg may turn on for this long after its motor was switched off [s]."""


@dataclass(frozen=True)
class Trip:
    """One request and the telemetry that came for it."""

    sent: float
    """[s, steady clock]"""
    reply: TelemetryReply | None
    """The reply that counts, else the last one that came, None when none came."""
    arrived: float | None
    """[s, steady clock]"""
    refusal: Refusal | None
    """Why the reply does not count; None when it does."""

    @property
    def round_trip(self) -> float | None:
        """From sending to the reply that counts [s], None when none does."""
        return None if self.arrived is None or self.refusal is not None else self.arrived - self.sent


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
    """Result of commanding one side to turn for a second."""

    side: str
    replies: int
    """Replies that the rates rest on."""
    rate: float
    """Mean rate of that side over the second half, by the robot's clock [rev/s]; `JOG_RATE` was asked for."""
    other: float
    """The same of the other side, which was commanded to stand."""
    unconfirmed: str | None = None
    """What the robot did not confirm, so that nothing was turned."""


@dataclass(frozen=True)
class Watchdog:
    """Setpoints stopped while a leg turned and the robot's own timeout was set."""

    timeout: int
    """The timeout that was set [ms]."""
    rate_before: float
    """Leg rate right before the silence, by the host's clock [rev/s]."""
    travel: float | None
    """Travel from the last setpoint to the end of the silence [rev]; None when 0x84 was not answered."""
    step: float | None
    """Travel between two looks after the silence [rev]; None when not both were answered."""
    restarted: bool
    """The robot has restarted meanwhile: its index starts again."""
    unconfirmed: str | None = None
    """What the robot did not confirm, so that nothing was turned."""
