"""Measure how well a model predicts a rollout open loop, before and after it adapted to the steps just walked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from millirobot_adapt.analysis.replay.rollouts import Rollout
from millirobot_adapt.core.control.history import TransitionHistory, is_valid_step, steps_ahead
from millirobot_adapt.core.dynamics.method_interface import Method
from millirobot_adapt.core.geometry import wrap
from millirobot_adapt.core.robot.state import NU, FloatArray, StateView

HORIZONS = (1, 5, 10)
"""H, in ticks."""


@dataclass
class OpenLoopErrors:
    """Errors of predictions H ticks ahead, one entry each, before (theta*) and after (theta') adaptation."""

    rows: list[int] = field(default_factory=list)
    """Number of the state in its rollout from which was predicted."""
    position_before: list[float] = field(default_factory=list)
    """Horizontal distance between predicted and re-estimated position [m]."""
    position_after: list[float] = field(default_factory=list)
    heading_before: list[float] = field(default_factory=list)
    """Absolute difference of yaw [rad]."""
    heading_after: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return the number of predictions and the mean errors; null where there are none."""

        def mean(values: list[float]) -> float | None:
            return round(float(np.mean(values)), 6) if values else None

        return {
            'predictions': len(self.position_before),
            'position_m': {'before': mean(self.position_before), 'after': mean(self.position_after)},
            'heading_rad': {'before': mean(self.heading_before), 'after': mean(self.heading_after)},
        }


ErrorsByHorizon = dict[int, OpenLoopErrors]


def pool(many: Iterable[ErrorsByHorizon]) -> ErrorsByHorizon:
    """Put the errors of several rollouts together."""
    pooled = {horizon: OpenLoopErrors() for horizon in HORIZONS}
    for errors in many:
        for horizon, entry in errors.items():
            for name, values in vars(pooled[horizon]).items():
                values += getattr(entry, name)
    return pooled


def open_loop_errors(
    rollout: Rollout, method: Method, dt: float, on_tick: Callable[[], object] = lambda: None
) -> ErrorsByHorizon:
    """Adapt at every tick to the transitions before it, newest included, and predict the actions then executed.

    Args:
        rollout: Re-estimated states and executed actions.
        method: Adaptation method; it is reset first.
        dt: Control period [s].
        on_tick: Called after each tick.
    """
    method.reset()
    history = TransitionHistory(method.window_length, dt)
    errors = {horizon: OpenLoopErrors() for horizon in HORIZONS}
    ahead = _steps_ahead(rollout, dt)
    for k, (stamp, state) in enumerate(zip(rollout.stamps, rollout.states, strict=True)):
        before = rollout.actions[k - 1] if k and np.isfinite(rollout.actions[k - 1]).all() else None
        history.add(float(stamp), state, before)
        window = history.window()
        if window.mask.any() and ahead[k]:
            adapted = method.adapt(window).model
            actions = rollout.actions[k : k + ahead[k]].reshape(-1, 1, NU)
            predicted = [np.asarray(model.rollout(state, actions))[:, 0] for model in (method.prior, adapted)]
            for horizon in HORIZONS:
                if horizon <= ahead[k]:
                    errors[horizon].rows.append(k)
                    _score(errors[horizon], rollout.states[k + horizon], *(states[horizon] for states in predicted))
        on_tick()
    return errors


def _steps_ahead(rollout: Rollout, dt: float) -> list[int]:
    """Return for each state how many valid steps with known actions follow it, the longest horizon at most."""
    valid = is_valid_step(np.diff(rollout.stamps), dt) & np.isfinite(rollout.actions[:-1]).all(axis=1)
    return steps_ahead(valid, max(HORIZONS))


def _score(errors: OpenLoopErrors, actual: FloatArray, before: FloatArray, after: FloatArray) -> None:
    truth = StateView(actual)
    for predicted, position, heading in (
        (StateView(before), errors.position_before, errors.heading_before),
        (StateView(after), errors.position_after, errors.heading_after),
    ):
        position.append(float(np.hypot(*(predicted.position[:2] - truth.position[:2]))))
        heading.append(float(np.abs(wrap(predicted.yaw - truth.yaw))))
