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
    """One telemetry reply in SI units; joints are in the order of the robot's file, and as many as it lists."""

    stamp: float
    """Time at which the robot sampled it [s, host clock, seconds since the epoch]."""
    joint_angle: FloatArray
    """Unwrapped angle of each joint [rad], positive driving forward, shape (joints,)."""
    joint_velocity: FloatArray
    """Mean velocity of each joint since the previous reply [rad/s], shape (joints,)."""
    angular_velocity: FloatArray
    """Gyro [rad/s; body], shape (3,); says nothing where the robot has none."""
    acceleration: FloatArray
    """Accelerometer [m/s^2; body], shape (3,); says nothing where the robot has none."""
    joint_effort: FloatArray
    """Effort of each joint, in the unit of the robot's file, shape (joints,); empty where none is reported."""
    battery: float
    """Battery voltage [V]; NaN where it is not reported."""
    index: int = 0
    """The robot's own count of its replies; it begins again when the robot restarts."""
    arrival: Arrival | None = None
    """At the estimator; None where only the order of arrival is known."""
