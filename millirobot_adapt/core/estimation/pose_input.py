"""Check poses before either estimator sees them, and turn the pose of the marker body into that of the robot."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.quaternion import Quaternion, Vector
from millirobot_adapt.core.geometry import quaternion_from_rpy
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample

LARGEST = 1e4
"""A coordinate [m] or quaternion component beyond it is no measurement, and would overflow when squared."""
UNSEEN = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
"""What a tracker sends for a body that it does not see: x y z, then the quaternion."""
RECENT = 8
"""A pose is compared with so many before it: others may come between two copies of one."""
SMALLEST_NORM = 1e-3
"""A shorter quaternion has no direction."""


class BodyPose(NamedTuple):
    """A usable pose of the robot body."""

    stamp: float
    """[s, host clock]."""
    position: Vector
    """[m; world]."""
    quaternion: Quaternion
    """Orientation xyzw of the body in the world, of unit length."""
    repeated: bool = False
    """Equal bit for bit to one of the last poses, under another stamp: an old frame sent again, or a body at rest."""
    stamp_sd: float = 0.0
    """Standard deviation of the stamp [s]."""


class PoseInput:
    """Turn poses of the marker body into poses of the robot body; drop what cannot be used."""

    def __init__(self, robot: RobotConfig) -> None:
        # The marker stands at `offset` in the body, turned by `turn`: body = marker * (offset, turn)^-1.
        x, y, z, *angles = robot.marker_offset
        self._offset: Vector = (x, y, z)
        self._turn_back = quat.inverse(_quaternion(quaternion_from_rpy(angles).tolist()))
        self._stamp: float | None = None
        self._recent: deque[list[float]] = deque(maxlen=RECENT)

    def take(self, sample: PoseSample) -> BodyPose | str:
        """Return the pose of the robot body, or the reason why there is none: 'invalid', 'foreign' or 'repeated'.

        A frame with the stamp of the one before it has been sent twice. All zeros are what trackers send for a body
        that they do not see.
        """
        if not sample.in_world:
            return 'foreign'
        numbers = [*map(float, sample.position), *map(float, sample.quaternion)]
        if len(numbers) != 7 or not _usable(sample.stamp, numbers):
            return 'invalid'
        before, self._stamp = self._stamp, sample.stamp
        repeated = numbers in self._recent
        self._recent.append(numbers)
        if sample.stamp == before:
            return 'repeated'
        quaternion = quat.multiply(quat.normalized(_quaternion(numbers[3:])), self._turn_back)
        shift = quat.rotate(quaternion, self._offset)
        return BodyPose(
            sample.stamp,
            (numbers[0] - shift[0], numbers[1] - shift[1], numbers[2] - shift[2]),
            quaternion,
            repeated=repeated,
        )

    def place(self, pose: BodyPose, quaternion: Quaternion) -> Vector:
        """Return where the robot body is if its marker stands as in `pose`, but the body is turned so."""
        marker = np.add(pose.position, quat.rotate(pose.quaternion, self._offset))
        x, y, z = np.subtract(marker, quat.rotate(quaternion, self._offset)).tolist()
        return x, y, z


def _usable(stamp: float, numbers: list[float]) -> bool:
    if not math.isfinite(stamp) or not all(abs(number) <= LARGEST for number in numbers):
        return False
    return math.hypot(*numbers[3:]) >= SMALLEST_NORM and numbers != UNSEEN


def _quaternion(numbers: list[float]) -> Quaternion:
    x, y, z, w = numbers
    return x, y, z, w
