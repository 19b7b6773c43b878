"""What enters the runtime: one pose from motion capture, one telemetry reply from the robot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from millirobot_adapt.core.robot.state import FloatArray


class Arrival(NamedTuple):
    """When a sample reached the process that uses it, on both clocks of the host."""

    host: float
    """[s since the epoch]; this clock may be set."""
    steady: float
    """[s, steady clock]; this one never steps."""


@dataclass(frozen=True)
class PoseSample:
    """One pose of the marker body."""

    stamp: float
    """Time of exposure [s, host clock, seconds since the epoch]."""
    position: FloatArray
    """Position [m; world], shape (3,)."""
    quaternion: FloatArray
    """Orientation xyzw of the marker body in the world, shape (4,)."""
    arrival: Arrival | None = None
    """None where only the order of arrival is known."""
    in_world: bool = True
    """False where the message names another frame than `world`."""


@dataclass(frozen=True)
class Telemetry:
    """One telemetry reply in SI units; sides are ordered left, right."""

    stamp: float
    """Time at which the robot sampled it [s, host clock, seconds since the epoch]."""
    leg_angle: FloatArray
    """Unwrapped leg angle [rad], positive walking forward, shape (2,)."""
    leg_velocity: FloatArray
    """Mean leg velocity since the previous reply [rad/s], shape (2,)."""
    angular_velocity: FloatArray
    """Gyro [rad/s; body], shape (3,)."""
    acceleration: FloatArray
    """Accelerometer [m/s^2; body], shape (3,)."""
    back_emf: FloatArray
    """Back-EMF of the motors [V], shape (2,)."""
    battery: float
    """Battery voltage [V]."""
    index: int = 0
    """The robot's own count of its replies; it begins again when the robot restarts."""
    arrival: Arrival | None = None
    """At the estimator; None where only the order of arrival is known."""
