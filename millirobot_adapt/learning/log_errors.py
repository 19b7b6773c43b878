"""Predict logged rollouts open loop with the code that runs on the robot, before and after it has adapted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.control.history import TransitionHistory, steps_ahead
from millirobot_adapt.core.dynamics.method_interface import Adaptation, AdaptedModel, Method, Window
from millirobot_adapt.core.robot.layout import PLANE, FloatArray
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.learning.log_shifts import set_yaw
from millirobot_adapt.learning.rollout_file import CollectedRollouts


@dataclass(frozen=True)
class LogErrors:
    """Mean errors of each rollout of N at each of the horizons.

    NaN where a rollout has no prediction that long, infinite where one of its predictions is no number.
    """

    position: FloatArray
    """Distance between predicted and logged position, before and after adaptation [m], shape (2, N, horizons)."""
    heading: FloatArray
    """Angle between predicted and logged heading, before and after adaptation [rad], shape (2, N, horizons)."""
    predictions: int
    """Starts from which the shortest horizon was predicted."""


class ConstantVelocity:
    """Predict that velocity and yaw rate stay what they are: what any model should beat."""

    window_length = 1
    carries = False

    def __init__(self, dt: float):
        self.prior: AdaptedModel = self
        self._dt = dt

    def reset(self) -> None:
        """Nothing is carried."""

    def adapt(self, window: Window) -> Adaptation:
        """Return itself: there is nothing to adapt."""
        return Adaptation(self, loss_before=0.0, loss_after=0.0, gradient_norm=0.0, step=0.0)

    def rollout(self, state: FloatArray, actions: FloatArray) -> FloatArray:
        """Go on along an arc from one state (nx,) under actions (H, 1, nu), to states (H + 1, 1, nx)."""
        begin = StateView(state)
        states = np.repeat(state[None, None], len(actions) + 1, axis=0)
        turned = begin.angular_velocity[2] * self._dt * np.arange(len(states))
        # Over each period the velocity points where the heading is in its middle.
        middle = (turned[:-1] + turned[1:]) / 2
        x, y = self._dt * begin.velocity[:2]
        steps = np.stack([np.cos(middle) * x - np.sin(middle) * y, np.sin(middle) * x + np.cos(middle) * y], axis=-1)
        states[1:, 0, PLANE] += steps.cumsum(axis=0)
        set_yaw(states[:, 0], begin.yaw + turned)
        return states


def log_errors(
    method: Method,
    rollouts: CollectedRollouts,
    window: int,
    horizons: tuple[int, ...],
    every: int,
    on_rollout: Callable[[], object] = lambda: None,
    least_past: int = 0,
) -> LogErrors:
    """Predict from every `every`-th tick that has a whole window of T1 transitions behind it.

    A prediction runs under the logged actions as far as the longest horizon or the next gap in the log. `least_past` is
    the number of transitions that must lie behind it where that is more than T1: methods with other windows then start
    from the same ticks.
    """
    dt = float(rollouts.metadata['dt'])
    shape = (2, len(rollouts.states), len(horizons))
    position, heading, predictions = np.full(shape, np.nan), np.full(shape, np.nan), 0
    for n in range(len(rollouts.states)):
        found = np.array(
            [
                errors
                for past, errors in _errors(
                    method, rollouts, n, TransitionHistory(window, dt, rollouts.layout), horizons, every
                )
                if past >= least_past
            ]
        )
        found = found.reshape(-1, 2, len(horizons), 2)  # starts, before/after, horizons, position/heading
        counted = (~np.isnan(found[:, 0, :, 0])).sum(axis=0)
        with np.errstate(invalid='ignore'):
            position[:, n], heading[:, n] = np.moveaxis(np.nansum(found, axis=0) / counted[:, None], -1, 0)
        predictions += int(counted[0])
        on_rollout()
    return LogErrors(position, heading, predictions)


def _errors(
    method: Method,
    rollouts: CollectedRollouts,
    n: int,
    history: TransitionHistory,
    horizons: tuple[int, ...],
    every: int,
) -> Iterator[tuple[int, FloatArray]]:
    """Yield, of each prediction in rollout `n`, the unbroken transitions behind it and its errors (2, horizons, 2)."""
    states, actions = rollouts.states[n].astype(float), rollouts.actions[n].astype(float)
    ahead = steps_ahead(rollouts.valid[n], max(horizons))
    method.reset()
    past = 0
    for k, state in enumerate(states):
        known = k > 0 and bool(rollouts.valid[n, k - 1])
        past = past + 1 if known else 0
        history.add(rollouts.stamps[n, k], state, actions[k - 1] if known else None)
        window, steps = history.window(), ahead[k]
        starts = k % every == 0 and steps >= min(horizons) and bool(window.mask.all())
        if not (starts or method.carries):
            continue
        models = (method.prior, method.adapt(window).model)
        if starts:
            predicted = [model.rollout(state, actions[k : k + steps, None])[:, 0] for model in models]
            yield past, np.array([_compare(path, states[k : k + steps + 1], horizons) for path in predicted])


def _compare(predicted: NDArray[np.floating], actual: FloatArray, horizons: tuple[int, ...]) -> FloatArray:
    """Return errors of position [m] and heading [rad], shape (horizons, 2); NaN beyond the end.

    A prediction that is no number is wrong beyond all bounds: its errors are infinite.
    """
    rows = [horizon if horizon < len(actual) else 0 for horizon in horizons]
    seen, was = StateView(predicted[rows].astype(float)), StateView(actual[rows])
    turn = seen.yaw - was.yaw
    errors = np.stack(
        [
            np.linalg.norm(seen.position[:, :2] - was.position[:, :2], axis=-1),
            np.abs(np.arctan2(np.sin(turn), np.cos(turn))),
        ],
        axis=-1,
    )
    errors[~np.isfinite(errors)] = np.inf
    errors[np.array(rows) == 0] = np.nan
    return errors
