"""Raw telemetry to SI units and setpoints to firmware units."""

from __future__ import annotations

import numpy as np

from firmware_bridge.packets import TelemetryReply
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray


class TelemetryDecoder:
    """Convert replies, in the order of their index, to SI units.

    The encoder is a cumulative int32 and the clock a u32. Both are differenced modulo 2^32, so wrapping is harmless.
    The velocity of the first reply is 0.
    """

    def __init__(self, robot: RobotConfig) -> None:
        self._scales = robot.imageproc.scales
        self._radians_per_count = RADIANS_PER_REVOLUTION / robot.imageproc.scales.encoder_counts
        self._previous: TelemetryReply | None = None
        self._angle: FloatArray | None = None
        self._velocity = np.zeros(2)

    def restart(self) -> None:
        """Start again after the encoders were zeroed: leg angles continue from their last values."""
        self._previous = None
        self._velocity = np.zeros(2)

    def decode(self, reply: TelemetryReply, stamp: float) -> Telemetry:
        """Convert one reply sampled at `stamp` [s, host clock]; leg velocity is encoder step over robot-clock step."""
        scales = self._scales
        angle = self._follow(reply)
        return Telemetry(
            stamp=stamp,
            joint_angle=angle.copy(),
            joint_velocity=self._velocity.copy(),
            angular_velocity=np.array(reply.gyro) * scales.gyro,
            acceleration=np.array(reply.accel) * scales.accelerometer,
            joint_effort=np.array(reply.back_emf) * scales.back_emf * np.array(scales.back_emf_signs),
            battery=reply.battery * scales.battery,
            index=reply.index,
        )

    def _follow(self, reply: TelemetryReply) -> FloatArray:
        """Update leg angle and velocity; return the angle [rad], shape (2,)."""
        previous, self._previous = self._previous, reply
        if self._angle is None:
            self._angle = np.array(reply.position) * self._radians_per_count
        elif previous is not None:
            step = encoder_step(previous, reply) * self._radians_per_count
            self._angle = self._angle + step
            elapsed = clock_step(previous, reply) * self._scales.clock
            if elapsed > 0:
                self._velocity = step / elapsed
        return self._angle


def encoder_step(earlier: TelemetryReply, later: TelemetryReply) -> FloatArray:
    """Return the encoder step between two replies [counts], shape (2,); the counters may wrap between them."""
    step = np.array(later.position, dtype=np.int64) - np.array(earlier.position, dtype=np.int64)
    return ((step + 2**31) % 2**32 - 2**31).astype(np.float64)


def clock_step(earlier: TelemetryReply, later: TelemetryReply) -> int:
    """Return the step of the robot's clock (u32) between two replies [counts]; it may wrap between them."""
    return (later.timestamp - earlier.timestamp) % 2**32


def setpoint_to_counts(robot: RobotConfig, setpoint: FloatArray) -> tuple[int, int]:
    """Round leg velocities [rad/s], shape (2,), to firmware units [counts/ms], left and right."""
    left, right = np.rint(np.asarray(setpoint) * robot.counts_per_ms)
    return int(left), int(right)


def counts_to_setpoint(robot: RobotConfig, counts: tuple[int, int]) -> FloatArray:
    """Return the leg velocities [rad/s], shape (2,), that firmware units [counts/ms] stand for."""
    return np.array(counts) / robot.counts_per_ms
