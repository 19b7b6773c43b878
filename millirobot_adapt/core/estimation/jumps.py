"""Tell a jump from motion, and a glitch from a robot that was moved by hand or seen anew.

A pose jumps when the body cannot have come there. Jumps that agree with each other are believed after a while.
"""

from __future__ import annotations

import math

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.config import EstimatorConfig
from millirobot_adapt.core.estimation.pose_input import BodyPose


class JumpWatch:
    """Count jumps in a row that agree: the body could have moved from one to the next."""

    def __init__(self, config: EstimatorConfig) -> None:
        self._config = config
        self._position_margin = config.gate * config.position_noise
        self._rotation_margin = config.gate * config.rotation_noise
        self._latest: BodyPose | None = None
        self._agreeing = 0

    def clear(self) -> None:
        """Forget the jumps so far: a pose has been accepted."""
        self._latest = None
        self._agreeing = 0

    def confirmed_by(self, pose: BodyPose) -> bool:
        """Take a pose that jumped; return whether enough in a row agree by now."""
        agrees = self._latest is not None and self.reachable(self._latest, pose)
        self._agreeing = self._agreeing + 1 if agrees else 1
        self._latest = pose
        return self._agreeing >= self._config.restart_after

    def reachable(self, earlier: BodyPose, later: BodyPose) -> bool:
        """Return whether the body can have moved from one pose to the other at the largest speeds.

        White acceleration noise alone would allow anything within a tenth of a second.
        """
        dt = later.stamp - earlier.stamp
        turn = quat.log(quat.multiply(later.quaternion, quat.inverse(earlier.quaternion)))
        distance = math.dist(later.position, earlier.position)
        return (
            0.0 <= dt <= self._config.lost_after
            and distance <= self._config.largest_speed * dt + self._position_margin
            and math.hypot(*turn) <= self._config.largest_angular_speed * dt + self._rotation_margin
        )
