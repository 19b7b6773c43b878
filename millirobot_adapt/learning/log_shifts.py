"""Change the robot in a log, to test a model on another robot than the one it was trained on.

Each shift goes one way in every other rollout and the other way in the rest: a bias that the data have by themselves,
such as a marker body that was mounted at an angle for a day, would make one of the ways look easy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from millirobot_adapt.core.robot.layout import COS_YAW, SIN_YAW, FloatArray
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.learning.rollout_file import CollectedRollouts

Shift = Callable[[CollectedRollouts], CollectedRollouts]


def yaw_offset(angle: float) -> Shift:
    """Return a shift that measures every heading wrong, by `angle` [rad] to the left or to the right."""

    def shift(rollouts: CollectedRollouts) -> CollectedRollouts:
        states = rollouts.states.astype(float)
        set_yaw(states, StateView(states).yaw + angle * _ways(len(states))[:, None])
        return dataclasses.replace(rollouts, states=states.astype(np.float32))

    return shift


def side_gain(gain: float) -> Shift:
    """Return a shift in which the legs of one side do as if only `gain` of their setpoint had been sent.

    The motion of a log cannot be changed, but what it answers to can: the setpoints of the side are divided by `gain`.
    """

    def shift(rollouts: CollectedRollouts) -> CollectedRollouts:
        actions, names = rollouts.actions.copy(), rollouts.layout.action_names
        left = _ways(len(actions)) > 0
        actions[left, :, names.index('left')] /= gain
        actions[~left, :, names.index('right')] /= gain
        return dataclasses.replace(rollouts, actions=actions)

    return shift


def set_yaw(states: FloatArray, yaw: FloatArray) -> None:
    """Give states (..., nx) the headings `yaw` (...) [rad]."""
    states[..., COS_YAW], states[..., SIN_YAW] = np.cos(yaw), np.sin(yaw)


def _ways(count: int) -> np.ndarray:
    """Return 1, -1, 1, -1, ... of shape (count,)."""
    return np.where(np.arange(count) % 2, -1.0, 1.0)
