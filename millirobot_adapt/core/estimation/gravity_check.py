"""Ask the accelerometer whether the z axis of motion capture points up.

A streamer that turns its world alone (y up, bodies unchanged) turns no pose against the next one: the gyro agrees. The
accelerometer does not. A robot that lies on its side or climbs turns with its poses, so that it is no exception:

    (14)  mean over the last readings of  R(t) a(t)  points up,  R the orientation, a the specific force in the body

Single readings are those of contacts, of up to several g. On the mock, the mean of `READINGS` of them stays within 20
degrees of up on every floor.
"""

from __future__ import annotations

import math
from collections import deque

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.quaternion import Quaternion, Vector

READINGS, FEWEST = 30, 20
"""The mean is taken over the last readings, three seconds; fewer than the second tell nothing."""
LEAST = 2.0
"""A shorter mean is not that of gravity: the sensor is not there, or the robot falls [m/s^2]."""
LARGEST_ANGLE = math.radians(60.0)
"""A mean that is further from up is that of other axes."""


class GravityCheck:
    """Take readings of the accelerometer; tell whether the world's z axis is not up."""

    def __init__(self) -> None:
        self._forces: deque[Vector] = deque(maxlen=READINGS)
        self.not_up = False
        """The specific force does not point along z of the world."""

    def clear(self) -> None:
        """Forget the readings: the poses to come are of another stretch."""
        self._forces.clear()
        self.not_up = False

    def add(self, acceleration: Vector, orientation: Quaternion) -> None:
        """Take the specific force [m/s^2; body] and the orientation of the body in the world at that time.

        A reading that is zero or not finite is none.
        """
        length = math.hypot(*acceleration)
        if not 0.0 < length < math.inf:
            return
        self._forces.append(quat.rotate(orientation, acceleration))
        if len(self._forces) < FEWEST:
            return
        x, y, z = (sum(axis) / len(self._forces) for axis in zip(*self._forces, strict=True))
        mean = math.hypot(x, y, z)
        self.not_up = mean >= LEAST and z < mean * math.cos(LARGEST_ANGLE)
