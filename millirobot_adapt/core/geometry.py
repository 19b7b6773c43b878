"""Angles and quaternions (x, y, z, w), as ROS orders them.

scipy's rotations take a third of the time in which a node starts, and most processes never turn a vector. So scipy is
loaded by the first call that needs it; the estimator makes that call before it is active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from millirobot_adapt.core.robot.state import FloatArray

if TYPE_CHECKING:
    from scipy.spatial.transform import Rotation


def _rotation(quaternion: ArrayLike) -> Rotation:
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat(np.asarray(quaternion, dtype=float))


def wrap(angle: ArrayLike) -> FloatArray:
    """Wrap an angle [rad] into [-pi, pi)."""
    return np.asarray((np.asarray(angle, dtype=float) + np.pi) % (2 * np.pi) - np.pi)


def roll_pitch_yaw(quaternion: ArrayLike) -> FloatArray:
    """Convert a quaternion xyzw, shape (..., 4), to roll, pitch, yaw [rad], shape (..., 3).

    REP 103: fixed axes, roll about x, then pitch about y, then yaw about z.
    """
    return np.asarray(_rotation(quaternion).as_euler('ZYX'))[..., ::-1]


def quaternion_from_rpy(angles: ArrayLike) -> FloatArray:
    """Convert roll, pitch, yaw [rad], shape (..., 3), to a quaternion xyzw, shape (..., 4)."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_euler('ZYX', np.asarray(angles, dtype=float)[..., ::-1]).as_quat())


def rotate(quaternion: ArrayLike, vector: ArrayLike) -> FloatArray:
    """Turn a vector, shape (3,), by a quaternion xyzw, shape (4,): body frame to world for an orientation."""
    return np.asarray(_rotation(quaternion).apply(np.asarray(vector, dtype=float)))


def rotate_back(quaternion: ArrayLike, vector: ArrayLike) -> FloatArray:
    """Turn a vector, shape (3,), by the inverse of a quaternion xyzw, shape (4,): world to body frame."""
    return np.asarray(_rotation(quaternion).apply(np.asarray(vector, dtype=float), inverse=True))


def rotation_matrix(quaternion: ArrayLike) -> FloatArray:
    """Convert a quaternion xyzw, shape (4,), to the matrix that turns vectors alike, shape (3, 3)."""
    return np.asarray(_rotation(quaternion).as_matrix())
