"""Measure on collected data what one unit of each action does to forward speed and yaw rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.dynamics.targets import change_of_state
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.learning.rollout_file import CollectedRollouts

SPAN = 1.0
"""Speeds and actions are averaged over this long [s]: what a robot does lags behind what it is told."""
FEWEST = 20
"""Spans below which nothing is fitted."""


@dataclass(frozen=True)
class ActionGain:
    """What one action does, in the unit of the robot's file."""

    name: str
    unit: str
    speed: float
    """Forward speed for each unit [m/s]."""
    turn: float
    """Yaw rate for each unit [rad/s], left is positive."""
    followed: float
    """Share of the commanded rate that its joint turns at, over all data; nan where no joint follows the action."""


@dataclass(frozen=True)
class MeasuredGains:
    """The gains of every action, and how much of the motion they explain."""

    actions: tuple[ActionGain, ...]
    spans: int
    """Spans of `SPAN` that were fitted."""
    speed_residual: float
    """Standard deviation of the forward speed that is left over [m/s]."""
    turn_residual: float
    """The same of the yaw rate [rad/s]."""


def measure_gains(rollouts: CollectedRollouts, robot: RobotConfig) -> MeasuredGains:
    """Fit forward speed = speed gains . action, and yaw rate = turn gains . action + a veer, by least squares.

    Raises:
        UserError: the data are of another robot, or too few.
    """
    layout = robot.layout
    if rollouts.layout.action_names != layout.action_names:
        raise UserError(
            f'the data have the actions {", ".join(rollouts.layout.action_names)}, but {robot.name} has '
            f'{", ".join(layout.action_names)}; name the robot that they were collected with'
        )
    length = max(1, round(SPAN / robot.dt))
    actions, speed, turn = _spans(rollouts, layout, length, robot.dt)
    if len(actions) < FEWEST:
        raise UserError(f'the data hold {len(actions)} unbroken seconds of walking, at least {FEWEST} are needed')
    speed_gains = np.linalg.lstsq(actions, speed, rcond=None)[0]
    with_veer = np.column_stack([actions, np.ones(len(actions))])
    turn_gains = np.linalg.lstsq(with_veer, turn, rcond=None)[0]
    followed = _followed(rollouts, layout)
    found = []
    for number, config in enumerate(robot.actions):
        factor = RADIANS_PER_REVOLUTION if config.unit == 'rev/s' else 1.0
        gain = (factor * float(speed_gains[number]), factor * float(turn_gains[number]))
        found.append(ActionGain(config.name, config.unit, *gain, followed.get(number, float('nan'))))
    return MeasuredGains(
        tuple(found),
        len(actions),
        float(np.std(speed - actions @ speed_gains)),
        float(np.std(turn - with_veer @ turn_gains)),
    )


def _spans(
    rollouts: CollectedRollouts, layout: StateLayout, length: int, dt: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the mean action (S, nu), forward speed (S,) and yaw rate (S,) of every unbroken span of `length` ticks."""
    change = change_of_state(layout, rollouts.states[:, :-1], rollouts.states[:, 1:])
    whole = rollouts.valid.shape[1] // length * length

    def cut(array: NDArray[Any]) -> FloatArray:
        return np.asarray(array[:, :whole].reshape(-1, length, *array.shape[2:]), dtype=float)

    unbroken = cut(rollouts.valid).all(axis=1)
    actions, forward, turned = (
        cut(array)[unbroken].mean(axis=1) for array in (rollouts.actions, change[..., 0], change[..., 2])
    )
    return actions, forward / dt, turned / dt


def _followed(rollouts: CollectedRollouts, layout: StateLayout) -> dict[int, float]:
    """Return, by the number of the action, the share of the commanded rate that its joint turns at."""
    rates = rollouts.states[:, 1:][..., layout.joint_velocity][rollouts.valid]
    told = rollouts.actions[rollouts.valid]
    return {
        action: float(np.abs(rates[:, joint]).mean() / max(np.abs(told[:, action]).mean(), 1e-9))
        for action, joint in layout.followers
    }
