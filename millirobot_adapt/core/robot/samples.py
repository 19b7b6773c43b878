"""What enters the runtime: one pose from motion capture, one telemetry reply from the robot."""

from __future__ import annotations

from dataclasses import dataclass

from millirobot_adapt.core.robot.state import FloatArray


@dataclass(frozen=True)
class PoseSample:
    """One pose of the marker body."""

    stamp: float
    """Time of exposure [s, host clock, seconds since the epoch]."""
    position: FloatArray
    """Position [m; world], shape (3,)."""
    quaternion: FloatArray
    """Orientation xyzw of the marker body in the world, shape (4,)."""


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
