"""Compare the telemetry that the link accepts with what the robot truly answered to that request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from firmware_bridge.packets import TelemetryReply
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray

COUNT_TOLERANCE = 1e-3
"""Numbers agree when they differ by less [counts]: conversion to SI and back rounds."""


class TelemetryTruth:
    """Count accepted telemetry that is not what the robot said when it was asked.

    Every value is compared, with what the robot answered to that command since the request was sent. So it catches what
    a checksum lets pass: a damaged frame with a fitting sum, and a sound reply to an earlier request.
    """

    def __init__(self, robot: RobotConfig) -> None:
        self._robot = robot
        self._offset: FloatArray | None = None
        self.accepted = 0
        self.wrong = 0

    def restart(self) -> None:
        """Forget where the encoders stood: they count from zero after every start-up of the link."""
        self._offset = None

    def check(self, telemetry: Telemetry, answers: Sequence[TelemetryReply]) -> None:
        """Count one accepted reply; `answers` is all that the robot said to that command since the request was sent."""
        self.accepted += 1
        self.wrong += not any(self._agrees(telemetry, reply) for reply in answers)

    def _agrees(self, telemetry: Telemetry, reply: TelemetryReply) -> bool:
        scales = self._robot.imageproc.scales
        said = (
            (telemetry.angular_velocity / scales.gyro, reply.gyro),
            (telemetry.acceleration / scales.accelerometer, reply.accel),
            (telemetry.joint_effort / scales.back_emf / np.array(scales.back_emf_signs), reply.back_emf),
            (np.array([telemetry.battery / scales.battery]), (reply.battery,)),
        )
        if not all(np.allclose(ours, theirs, rtol=0.0, atol=COUNT_TOLERANCE) for ours, theirs in said):
            return False
        # The link unwraps leg angles and lets them go on over a start-up: their difference to the count is constant.
        angle = telemetry.joint_angle * scales.encoder_counts / RADIANS_PER_REVOLUTION
        offset = angle - np.array(reply.position)
        agrees = self._offset is None or bool(np.allclose(offset, self._offset, rtol=0.0, atol=COUNT_TOLERANCE))
        self._offset = offset if self._offset is None else self._offset
        return agrees
