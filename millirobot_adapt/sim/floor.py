"""Where the floor lies in the world: level or inclined, and how it tips from the one to the other."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.conditions import Slope

GRAVITY = 9.81
"""[m/s^2]"""
TIPPING_TIME = 0.3
"""Time in which the floor takes a new slope [s], about that of a robot walking over the edge."""


class Floor:
    """Turn poses on the simulator's plane z = 0 into poses in the world.

    A new slope tips the floor about the point where the robot is, so its position does not jump.
    """

    def __init__(self, slope: Slope, gravity: FloatArray) -> None:
        """Lie as a slope says; `gravity` is the simulator's own, shape (3,), which this keeps right [m/s^2; plane]."""
        self._gravity = gravity
        self._uneven = Rotation.identity()
        self._origin = self._goal = _tilt(slope)
        self._left = 0.0
        """Share of the way from `_origin` to `_goal` that is left."""
        self.rotation = Rotation.from_rotvec(self._goal)
        """From the plane to the world."""
        self._here, self._there = np.zeros(3), np.zeros(3)
        """One point, on the plane and in the world."""
        self._pull()

    @property
    def tips(self) -> bool:
        """Whether the floor is on its way to a new slope."""
        return self._left > 0.0

    def incline(self, slope: Slope, position: FloatArray) -> None:
        """Begin to tip towards a slope about `position` [m; plane], shape (3,)."""
        self._origin, self._goal, self._left = self.rotation.as_rotvec(), _tilt(slope), 1.0
        self._there = self.position(position)
        self._here = position.copy()

    def tilt(self, about_x: float, about_y: float) -> None:
        """Tilt gravity by small angles [rad] besides the slope: floor that lies unevenly, too little to be seen."""
        self._uneven = Rotation.from_rotvec([about_x, about_y, 0.0])
        self._pull()

    def tip(self, seconds: float) -> None:
        """Go on tipping for this long, if it tips."""
        if not self.tips:
            return
        self._left = max(0.0, self._left - seconds / TIPPING_TIME)
        self.rotation = Rotation.from_rotvec(self._goal + self._left * (self._origin - self._goal))
        self._pull()

    def position(self, position: FloatArray) -> FloatArray:
        """Turn a position on the plane into one in the world [m]."""
        return np.asarray(self.rotation.apply(position - self._here) + self._there)

    def pose(self, qpos: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Turn a free body's place on the plane into one in the world.

        Args:
            qpos: Position [m; plane], then orientation wxyz, as MuJoCo has them, shape (>= 7,).

        Returns:
            Position [m; world], shape (3,), and orientation xyzw in the world, shape (4,).
        """
        w, x, y, z = qpos[3:7]
        return self.position(qpos[:3]), (self.rotation * Rotation.from_quat([x, y, z, w])).as_quat()

    def rate(self) -> FloatArray:
        """Return the angular velocity of a tipping floor [rad/s; world], shape (3,)."""
        return np.asarray((self._goal - self._origin) / TIPPING_TIME)

    def _pull(self) -> None:
        """Let gravity point down in the world."""
        self._gravity[:] = self._uneven.apply(self.rotation.inv().apply([0.0, 0.0, -GRAVITY]))


def _tilt(slope: Slope) -> FloatArray:
    """Return the rotation vector that lifts the plane in the slope's direction [rad]."""
    return slope.angle * np.array([math.sin(slope.direction), -math.cos(slope.direction), 0.0])
