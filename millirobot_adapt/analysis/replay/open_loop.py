"""Measure how well a model predicts a rollout open loop, before and after it adapted to the steps just walked."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from millirobot_adapt.analysis.replay.rollouts import Rollout
from millirobot_adapt.core.control.history import TransitionHistory, is_valid_step, steps_ahead
from millirobot_adapt.core.dynamics.method_interface import Method
from millirobot_adapt.core.geometry import wrap
from millirobot_adapt.core.robot.layout import StateLayout
from millirobot_adapt.core.robot.state import FloatArray, StateView

HORIZONS = (1, 5, 10)
"""H, in ticks."""


@dataclass
class OpenLoopErrors:
    """Errors of predictions H ticks ahead, before (theta*) and after (theta') adaptation: their sums, and each one."""

    keep: bool = True
    """Keep each error; else only the sums: hours of bag hold many."""
    count: int = 0
    """Predictions."""
    sums: FloatArray = field(default_factory=lambda: np.zeros(4))
    """Of the four kinds of errors below, shape (4,)."""
    rows: array[int] = field(default_factory=lambda: array('q'))
    """Number of the state in its rollout from which was predicted."""
    position_before: array[float] = field(default_factory=lambda: array('d'))
    """Horizontal distance between predicted and re-estimated position [m]."""
    position_after: array[float] = field(default_factory=lambda: array('d'))
    heading_before: array[float] = field(default_factory=lambda: array('d'))
    """Absolute difference of yaw [rad]."""
    heading_after: array[float] = field(default_factory=lambda: array('d'))

    def add(self, row: int, position: tuple[float, float], heading: tuple[float, float]) -> None:
        """Take the errors of one prediction, each before and after adaptation."""
        errors = (*position, *heading)
        self.count += 1
        self.sums += errors
        if self.keep:
            self.rows.append(row)
            kinds = (self.position_before, self.position_after, self.heading_before, self.heading_after)
            for kind, error in zip(kinds, errors, strict=True):
                kind.append(error)

    def summary(self) -> dict[str, Any]:
        """Return the number of predictions and the mean errors; null where there are none."""
        means = [round(float(mean), 6) for mean in self.sums / self.count] if self.count else [None] * 4
        return {
            'predictions': self.count,
            'position_m': {'before': means[0], 'after': means[1]},
            'heading_rad': {'before': means[2], 'after': means[3]},
        }


ErrorsByHorizon = dict[int, OpenLoopErrors]


def pool(many: Iterable[ErrorsByHorizon]) -> ErrorsByHorizon:
    """Put the errors of several rollouts together, as sums."""
    pooled = {horizon: OpenLoopErrors(keep=False) for horizon in HORIZONS}
    for errors in many:
        for horizon, entry in errors.items():
            pooled[horizon].count += entry.count
            pooled[horizon].sums += entry.sums
    return pooled


def open_loop_errors(
    rollout: Rollout,
    method: Method,
    dt: float,
    layout: StateLayout,
    on_tick: Callable[[], object] = lambda: None,
    keep: bool = True,
) -> ErrorsByHorizon:
    """Adapt at every tick to the transitions before it, newest included, and predict the actions then executed.

    Args:
        rollout: Re-estimated states and executed actions.
        method: Adaptation method; it is reset first.
        dt: Control period [s].
        layout: Where the numbers of a state stand.
        on_tick: Called after each tick.
        keep: Keep each error, not their sums alone.
    """
    method.reset()
    history = TransitionHistory(method.window_length, dt, layout)
    errors = {horizon: OpenLoopErrors(keep) for horizon in HORIZONS}
    ahead = _steps_ahead(rollout, dt)
    for k, (stamp, state) in enumerate(zip(rollout.stamps, rollout.states, strict=True)):
        executed = rollout.actions[k - 1] if k and np.isfinite(rollout.actions[k - 1]).all() else None
        history.add(float(stamp), state, executed)
        window = history.window()
        if window.mask.any() and ahead[k]:
            adapted = method.adapt(window).model
            actions = rollout.actions[k : k + ahead[k]][:, None]
            predicted = [np.asarray(model.rollout(state, actions))[:, 0] for model in (method.prior, adapted)]
            for horizon in HORIZONS:
                if horizon <= ahead[k]:
                    before, after = (_errors(rollout.states[k + horizon], states[horizon]) for states in predicted)
                    errors[horizon].add(k, (before[0], after[0]), (before[1], after[1]))
        on_tick()
    return errors


def _steps_ahead(rollout: Rollout, dt: float) -> list[int]:
    """Return for each state how many valid steps with known actions follow it, the longest horizon at most."""
    valid = is_valid_step(np.diff(rollout.stamps), dt) & np.isfinite(rollout.actions[:-1]).all(axis=1)
    return steps_ahead(valid, max(HORIZONS))


def _errors(actual: FloatArray, predicted: FloatArray) -> tuple[float, float]:
    """Return the horizontal distance [m] and the difference of yaw [rad] between two states."""
    truth, found = StateView(actual), StateView(predicted)
    distance = np.hypot(*(found.position[:2] - truth.position[:2]))
    return float(distance), float(np.abs(wrap(found.yaw - truth.yaw)))
