"""One spec: who walks which path under what conditions; and what an episode of it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.control.path_follower import PathFollowerConfig
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.conditions import Condition


@dataclass(frozen=True)
class EpisodeSpec:
    """Everything that decides an episode: two equal specs walk the same steps."""

    method: str
    """What the tables call it."""
    training_seed: int
    """Which of the method's models, trained alike from different seeds, walks."""
    condition: Condition
    seed: int
    """Environment seed: all noise of the mock, and the planner's draws."""
    seconds: float
    """Longest walk [s]."""
    controller: ControllerConfig
    """Model, adaptation method, shape, planner, objective."""
    estimator: EstimatorNodeConfig
    follower: PathFollowerConfig | None = None
    """Gains of the path follower where it walks in place of a model."""

    @property
    def shape(self) -> str:
        """Name of the path, or of its file."""
        return self.controller.path

    @property
    def place(self) -> tuple[str, str]:
        """Condition and shape."""
        return self.condition.name, self.shape

    @property
    def label(self) -> str:
        """Name this walk, for file names and messages."""
        return f'{self.condition.name} {self.shape} {self.method} training {self.training_seed} seed {self.seed}'


COLUMNS: dict[str, str] = {
    'time': 'start of the tick [s since the first tick]',
    'x': 'true position [m; world]',
    'y': 'true position [m; world]',
    'yaw': 'true yaw [rad]',
    'estimated_x': 'estimated position [m; world]',
    'estimated_y': 'estimated position [m; world]',
    'cross_track': 'true signed distance to the path [m], left positive',
    'progress': 'true arc length walked along the path [m]',
    'step_cost': "cost of the step that ends here, the paper's formula on the true pose",
    'pre_error': 'normalised one-step prediction error with theta*',
    'post_error': "the same with theta'",
    'ahead_before': 'distance to where theta* predicted this position H steps ago [m]',
    'ahead_after': "the same with the theta' of then [m]",
    'inner_step': 'share of the nominal inner step that was taken',
    'plan_cost': 'cost of the plan',
    'effective_samples': 'effective number of candidates behind the plan',
    'faults': 'faults that have begun',
}
"""The columns of an episode's table, one row a tick; columns that need a model are NaN for the path follower."""


@dataclass(frozen=True)
class Episode:
    """One run of a spec."""

    spec: EpisodeSpec
    path: ReferencePath
    table: dict[str, FloatArray]
    """Every column of `COLUMNS`, and action_0, action_1, ...: what was in effect during the tick; shape (ticks,)."""
    ended: str
    """time, finished (the end of an open path), failed (given up) or stopped (the model predicts nothing finite)."""
    reason: str = ''
    """Why it failed, as `Tracking.failed` says; '' otherwise."""


@dataclass(frozen=True)
class Summary:
    """How well a stretch of an episode went."""

    cost: float
    """Mean cost of a step."""
    cross_track_rms_m: float
    progress_m: float
    """Arc length gained along the path [m]."""
    seconds: float
    pre_error: float
    post_error: float
    ahead_before_m: float
    ahead_after_m: float
    effective_samples: float
    """Mean effective number of candidates behind a plan."""


def summarise_episode(table: dict[str, FloatArray], dt: float, after_fault: bool = False) -> Summary | None:
    """Sum up an episode, or what came after its first fault; None where nothing did.

    The first tick ends no step and is left out.
    """
    chosen = np.arange(len(table['time'])) > 0
    if after_fault:
        chosen &= table['faults'] > 0
    if not chosen.any():
        return None
    rows = np.flatnonzero(chosen)
    return Summary(
        cost=float(table['step_cost'][rows].mean()),
        cross_track_rms_m=float(np.sqrt(np.square(table['cross_track'][rows]).mean())),
        progress_m=float(table['progress'][rows[-1]] - table['progress'][rows[0] - 1]),
        seconds=float(len(rows) * dt),
        pre_error=_mean(table['pre_error'][rows]),
        post_error=_mean(table['post_error'][rows]),
        ahead_before_m=_mean(table['ahead_before'][rows]),
        ahead_after_m=_mean(table['ahead_after'][rows]),
        effective_samples=_mean(table['effective_samples'][rows]),
    )


def _mean(values: FloatArray) -> float:
    """Return the mean of the values that are there (the first ticks have no prediction yet)."""
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else float('nan')
