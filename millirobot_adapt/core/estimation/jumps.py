"""Tell a jump from motion, and a glitch from a robot that was moved by hand or seen anew.

A pose jumps when the body cannot have come there. Jumps that agree with each other are believed after a while.
"""

from __future__ import annotations

import math

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.config import EstimatorConfig
from millirobot_adapt.core.estimation.motion import TURN, Motion, MotionModel
from millirobot_adapt.core.estimation.pose_input import BodyPose

LARGEST_ANGULAR_SPEED = 40.0
"""Jumps that agree do not turn faster [rad/s]."""


class JumpWatch:
    """Judge poses against the prediction; count jumps in a row that agree: the body could have moved between them."""

    def __init__(self, config: EstimatorConfig, model: MotionModel) -> None:
        self._config = config
        self._model = model
        self._margin = config.gate * config.position_noise
        self._first: BodyPose | None = None
        self._latest: BodyPose | None = None
        self._agreeing = 0

    def clear(self) -> None:
        """Forget the jumps so far: a pose has been accepted."""
        self._first = self._latest = None
        self._agreeing = 0

    def judge(self, before: BodyPose, motion: Motion, pose: BodyPose) -> tuple[bool, float]:
        """Return whether a pose fits, and its squared Mahalanobis distance e' S^-1 e, e and S of (6).

        A pose that fits is chi-square distributed with 6 degrees of freedom (Bar-Shalom, section 5.4), if the model is
        right; contacts make the tails heavier. The gyro has its say through the motion. What no covariance knows is
        asked besides: whether the body can have gone so fast, and turned so far.

        Args:
            before: The accepted pose before it.
            motion: The filtered motion before it.
            pose: The pose in question.
        """
        error, variance = self._model.innovation(self._model.predict(motion, pose.stamp), pose)
        distance = float((error * error / variance).sum())
        turned = math.hypot(*error[TURN].tolist())
        fits = distance <= self._config.gate**2 and turned <= self._config.largest_turn
        return fits and self._near(before, pose), distance

    def confirmed_by(self, pose: BodyPose) -> bool:
        """Take a pose that jumped; return whether enough in a row agree by now."""
        if self._latest is None or not self._near(self._latest, pose):
            self._first, self._agreeing = pose, 0
        self._latest = pose
        self._agreeing += 1
        assert self._first is not None
        spanned = pose.stamp - self._first.stamp
        return self._agreeing >= self._config.restart_after and spanned >= self._config.restart_time

    def _near(self, earlier: BodyPose, later: BodyPose) -> bool:
        """Return whether the body can have moved from one pose to the other at the largest speeds."""
        dt = later.stamp - earlier.stamp
        x, y, z = quat.log(quat.multiply(later.quaternion, quat.inverse(earlier.quaternion)))
        distance = math.dist(later.position, earlier.position)
        return (
            0.0 <= dt <= self._config.lost_after
            and distance <= self._config.largest_speed * dt + self._margin
            and math.hypot(x, y, z) <= LARGEST_ANGULAR_SPEED * dt + self._config.rotation_noise * self._config.gate
        )
