"""Tell a pose that is sent again and again from that of a body at rest.

A body at rest may have poses that are equal bit for bit. A pose that stood still while the robot walked is an old one.
It stays so when the gate has stopped the robot: else the robot would walk on a step at each rest.
"""

from __future__ import annotations

from millirobot_adapt.core.estimation.pose_input import BodyPose
from millirobot_adapt.core.estimation.quaternion import Quaternion, Vector

STALE_AFTER = 0.2
"""A pose that has stood still for so long while the robot moved is old for good [s]: the reply that reports a
robot that has just stopped comes sooner."""


class FrozenPose:
    """Take every pose; tell those that are old ones under fresh stamps."""

    def __init__(self) -> None:
        self._seen: tuple[Vector, Quaternion] | None = None
        self._since = 0.0
        self._stale: tuple[Vector, Quaternion] | None = None

    def holds(self, pose: BodyPose, stamp: float, stands: bool) -> bool:
        """Tell whether a pose with the corrected stamp [s] is an old one; `stands`: the robot rests."""
        place = pose.position, pose.quaternion
        if place == self._stale:
            return True
        if stands:
            self._seen = None
        if stands or not pose.repeated:
            return False
        if place != self._seen:
            self._seen, self._since = place, stamp
        elif stamp >= self._since + STALE_AFTER:
            self._stale = place
        return True
