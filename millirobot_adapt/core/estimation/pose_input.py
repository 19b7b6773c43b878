"""What comes before either estimator: poses that cannot be used are named, marker body becomes robot body."""

from __future__ import annotations

import math
from typing import NamedTuple

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.quaternion import Quaternion, Vector
from millirobot_adapt.core.geometry import quaternion_from_rpy
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample

LARGEST = 1e4
"""A coordinate [m] or quaternion component beyond it is no measurement, and would overflow when squared."""
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


class PoseInput:
    """Turn poses of the marker body into poses of the robot body; drop the invalid and the repeated."""

    def __init__(self, robot: RobotConfig) -> None:
        # The marker stands at `offset` in the body, turned by `turn`: body = marker * (offset, turn)^-1.
        x, y, z, *angles = robot.marker_offset
        self._offset: Vector = (x, y, z)
        self._turn_back = quat.inverse(_quaternion(quaternion_from_rpy(angles).tolist()))
        self._previous: tuple[float, list[float]] | None = None

    def take(self, sample: PoseSample) -> BodyPose | str:
        """Return the pose of the robot body, or the reason why there is none: 'invalid' or 'repeated'.

        A pose whose numbers equal those before it bit for bit is an old frame sent again, whatever its stamp says:
        noise moves every real one.
        """
        numbers = [*map(float, sample.position), *map(float, sample.quaternion)]
        if len(numbers) != 7 or not _usable(sample.stamp, numbers):
            return 'invalid'
        previous, self._previous = self._previous, (sample.stamp, numbers)
        if previous is not None and (sample.stamp == previous[0] or numbers == previous[1]):
            return 'repeated'
        quaternion = quat.multiply(quat.normalized(_quaternion(numbers[3:])), self._turn_back)
        shift = quat.rotate(quaternion, self._offset)
        return BodyPose(
            sample.stamp,
            (numbers[0] - shift[0], numbers[1] - shift[1], numbers[2] - shift[2]),
            quaternion,
        )


def _usable(stamp: float, numbers: list[float]) -> bool:
    if not math.isfinite(stamp) or not all(abs(number) <= LARGEST for number in numbers):
        return False
    return math.hypot(*numbers[3:]) >= SMALLEST_NORM


def _quaternion(numbers: list[float]) -> Quaternion:
    x, y, z, w = numbers
    return x, y, z, w
