"""What the networks predict: changes over one control period, seen from the robot, whatever its heading.

The training code and the exported graphs compute the same numbers in PyTorch (learning/kinematics.py); a test compares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.robot.layout import DISPLACEMENT_NAMES, YAW_RATE, FloatArray, StateLayout
from millirobot_adapt.core.robot.state import StateView

YAW_CHANGE = DISPLACEMENT_NAMES.index('yaw_change')


def change_of_state(layout: StateLayout, states: NDArray[np.floating], next_states: NDArray[np.floating]) -> FloatArray:
    """Compute `layout.target_names` of transitions between states of shape (..., nx); shape (..., targets).

    Displacement is in the yaw frame (x forward, y left, about the vertical) of the earlier state; each velocity is in
    the yaw frame of its own instant; the change of yaw lies in [-pi, pi].
    """
    before = StateView(np.asarray(states, dtype=float))
    after = StateView(np.asarray(next_states, dtype=float))
    turn = after.yaw - before.yaw
    change = np.empty((*np.broadcast_shapes(before.array.shape, after.array.shape)[:-1], len(layout.target_names)))
    change[..., 0:2] = _to_yaw_frame(after.position - before.position, before.yaw)
    change[..., YAW_CHANGE] = np.arctan2(np.sin(turn), np.cos(turn))
    change[..., 3:5] = _to_yaw_frame(after.velocity, after.yaw) - _to_yaw_frame(before.velocity, before.yaw)
    change[..., 5:6] = after.array[..., YAW_RATE] - before.array[..., YAW_RATE]
    change[..., 6:] = after.array[..., layout.joint_velocity] - before.array[..., layout.joint_velocity]
    return change


def normalised_error(
    layout: StateLayout,
    predicted: NDArray[np.floating],
    actual: NDArray[np.floating],
    states: NDArray[np.floating],
    scale: NDArray[np.floating],
) -> FloatArray:
    """Return the root mean square over the targets, in units of `scale` (targets,), of predicted - actual next states.

    `predicted` and `actual` follow `states`; all of shape (..., nx). The result has shape (...). A prediction that is
    as good as always giving the training data's mean change scores about 1.
    """
    error = change_of_state(layout, states, predicted) - change_of_state(layout, states, actual)
    turn = error[..., YAW_CHANGE]
    error[..., YAW_CHANGE] = np.arctan2(np.sin(turn), np.cos(turn))
    return np.asarray(np.sqrt(np.mean(np.square(error / scale), axis=-1)))


def _to_yaw_frame(vectors: FloatArray, yaw: FloatArray) -> FloatArray:
    """Turn world vectors (..., 3) by -yaw about the vertical and drop z: (..., 2)."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1)
