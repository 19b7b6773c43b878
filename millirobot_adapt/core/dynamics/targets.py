"""What the networks predict: eight changes over one control period, seen from the robot, whatever its heading.

The training code and the exported graphs compute the same numbers in PyTorch (learning/kinematics.py); a test compares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.robot.state import FloatArray, StateView

TARGET_NAMES: tuple[str, ...] = (
    'forward_displacement', 'lateral_displacement', 'yaw_change',
    'forward_velocity_change', 'lateral_velocity_change', 'yaw_rate_change',
    'left_velocity_change', 'right_velocity_change',
)  # fmt: skip
TARGET_UNITS: tuple[str, ...] = ('m', 'm', 'rad', 'm/s', 'm/s', 'rad/s', 'rad/s', 'rad/s')


def change_of_state(states: NDArray[np.floating], next_states: NDArray[np.floating]) -> FloatArray:
    """Compute the eight targets of transitions between states of shape (..., 24); shape (..., 8), units TARGET_UNITS.

    Displacement is in the yaw frame (x forward, y left, about the vertical) of the earlier state; each velocity is in
    the yaw frame of its own instant; the change of yaw lies in [-pi, pi].
    """
    before = StateView(np.asarray(states, dtype=float))
    after = StateView(np.asarray(next_states, dtype=float))
    turn = after.yaw - before.yaw
    change = np.empty((*np.broadcast_shapes(before.array.shape, after.array.shape)[:-1], len(TARGET_NAMES)))
    change[..., 0:2] = _to_yaw_frame(after.position - before.position, before.yaw)
    change[..., 2] = np.arctan2(np.sin(turn), np.cos(turn))
    change[..., 3:5] = _to_yaw_frame(after.velocity, after.yaw) - _to_yaw_frame(before.velocity, before.yaw)
    change[..., 5] = after.angular_velocity[..., 2] - before.angular_velocity[..., 2]
    change[..., 6:8] = after.leg_velocity - before.leg_velocity
    return change


def normalised_error(
    predicted: NDArray[np.floating],
    actual: NDArray[np.floating],
    states: NDArray[np.floating],
    scale: NDArray[np.floating],
) -> FloatArray:
    """Return the root mean square over the eight targets, in units of `scale` (8,), of predicted - actual next states.

    `predicted` and `actual` follow `states`; all of shape (..., 24). The result has shape (...). A prediction that is
    as good as always giving the training data's mean change scores about 1.
    """
    error = change_of_state(states, predicted) - change_of_state(states, actual)
    error[..., 2] = np.arctan2(np.sin(error[..., 2]), np.cos(error[..., 2]))
    return np.asarray(np.sqrt(np.mean(np.square(error / scale), axis=-1)))


def _to_yaw_frame(vectors: FloatArray, yaw: FloatArray) -> FloatArray:
    """Turn world vectors (..., 3) by -yaw about the vertical and drop z: (..., 2)."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1)
