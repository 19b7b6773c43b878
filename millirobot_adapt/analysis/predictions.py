"""Predict from every tick of a run, open loop, what the robot then did: with theta* and with theta' of that tick."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from millirobot_adapt.analysis.run_data import RunData
from millirobot_adapt.core.control.history import is_valid_step, steps_ahead
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.dynamics.method_interface import Method, Window
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.geometry import wrap
from millirobot_adapt.core.robot.state import FloatArray, StateView
from millirobot_adapt.recording.provenance import Provenance
from millirobot_adapt.recording.run_setup import model_of, robot_of


@dataclass(frozen=True)
class Predictions:
    """One prediction for each of M ticks, over the planning horizon H; NaN beyond what is known of the run."""

    before: FloatArray
    """With theta*: x, y [m], yaw [rad], shape (M, H + 1, 3)."""
    after: FloatArray
    """With theta', adapted to the transitions before the tick, shape (M, H + 1, 3)."""
    actual: FloatArray
    """The states that the run then recorded, shape (M, H + 1, 3)."""
    dt: float
    """Time between two rows [s]."""
    stamps: FloatArray
    """When the tick of each prediction began [s since the epoch], shape (M,)."""

    @property
    def adapts(self) -> bool:
        """Tell whether adaptation changed any prediction; with the method mb it changes none."""
        return not np.array_equal(self.before, self.after, equal_nan=True)

    @property
    def ahead(self) -> FloatArray:
        """Return the time ahead of each row [s], shape (H + 1,)."""
        return np.asarray(self.dt * np.arange(self.actual.shape[1]), dtype=float)

    @property
    def reached(self) -> int:
        """Return the largest number of steps ahead that any tick can be compared at."""
        return int(np.flatnonzero(np.isfinite(self.actual[..., 0]).any(axis=0))[-1])

    def position_error(self, predicted: FloatArray) -> FloatArray:
        """Return the horizontal distance to what happened [m], shape (M, H + 1)."""
        return np.asarray(np.linalg.norm(predicted[..., :2] - self.actual[..., :2], axis=-1))

    def heading_error(self, predicted: FloatArray) -> FloatArray:
        """Return the absolute difference of yaw to what happened [rad], shape (M, H + 1)."""
        return np.abs(wrap(predicted[..., 2] - self.actual[..., 2]))


def predict(run: RunData, provenance: Provenance | None) -> Predictions | None:
    """Predict with the run's own model; None where the run has no tick with a window and a state after it.

    Raises:
        UserError: the bag does not say what ran, or the model is not there or no longer the one of the run.
    """
    config = None if provenance is None else provenance.config('controller', ControllerConfig)
    if provenance is None or config is None or not provenance.model_hashes:
        raise UserError('the bag does not say which model ran')
    if any(len(tick.state) != run.layout.nx for tick in run.ticks):
        raise UserError('the states of its ticks are of another robot')
    robot = robot_of(provenance, config.robot)
    bundle = load_bundle(str(model_of(provenance)), robot)
    # One sequence at a time is too little work to share among threads.
    method = make_method(bundle, replace(config.engine, threads=1), config.method)
    return predict_with(method, run, config.planner.horizon, robot.dt)


def predict_with(method: Method, run: RunData, horizon: int, dt: float) -> Predictions | None:
    """Adapt `method` to the window of every tick and roll out the actions executed from there on."""
    method.reset()
    ahead = _steps_ahead(run, horizon, dt)
    chosen = [k for k, steps in enumerate(ahead) if steps and run.ticks[k].window_mask.any()]
    if not chosen:
        return None
    before, after, actual = (np.full((len(chosen), horizon + 1, 3), np.nan) for _ in range(3))
    for row, k in enumerate(chosen):
        ticks = run.ticks[k : k + ahead[k] + 1]
        actions = np.array([tick.executing for tick in ticks[:-1]])[:, None]
        adapted = method.adapt(_window(ticks[0])).model
        for model, place in ((method.prior, before), (adapted, after)):
            place[row, : len(ticks)] = _planar(np.asarray(model.rollout(ticks[0].state, actions), dtype=float)[:, 0])
        actual[row, : len(ticks)] = _planar(np.array([tick.state for tick in ticks]))
    return Predictions(before, after, actual, dt, run.column('stamp')[chosen])


def _steps_ahead(run: RunData, horizon: int, dt: float) -> list[int]:
    """Return for each tick how many ticks with states follow it without a gap, `horizon` at most."""
    known = np.array([np.isfinite(tick.executing).all() for tick in run.ticks], dtype=bool)
    valid = is_valid_step(np.diff(run.column('state_stamp')), dt) & known[:-1]
    return steps_ahead(valid, horizon)


def _window(tick: TickRecord) -> Window:
    return Window(tick.window_states, tick.window_actions, tick.window_next_states, tick.window_mask)


def _planar(states: FloatArray) -> FloatArray:
    view = StateView(states)
    return np.column_stack([view.position[:, :2], view.yaw])
