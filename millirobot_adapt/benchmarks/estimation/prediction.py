"""Ask which estimate makes the better model: the error of predicting the raw motion capture of rollouts held out.

What is predicted is no estimate but the displacement between two raw poses of motion capture, so that neither estimator
judges itself. Both see the same rollouts, actions and starts; a start counts where both have a whole window of states
and nothing odd (see estimation_logs.py) happened to the raw poses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.analysis.statistics import Interval, mean_interval
from millirobot_adapt.benchmarks.estimation.logs import odd_poses
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import FloatArray, StateView
from millirobot_adapt.recording.lab.lab_log import LabRollout

Predict = Callable[[FloatArray, FloatArray, FloatArray, np.ndarray], np.ndarray]
"""From states (N, L + 1, 24), actions (N, L, 2), stamps (N, L + 1) and validity (N, L) to predictions (S, N, M, 3) of S
networks."""


@dataclass(frozen=True)
class PredictionComparison:
    """Mean errors of two kinds of models, and their difference [m]."""

    error: float
    baseline: float
    difference: float
    """Error minus baseline, mean over rollouts."""
    interval: Interval | None
    """95 % of the difference, over rollouts; None for a single one."""
    rollouts: int
    predictions: int


def prediction_errors(
    rollouts: Sequence[LabRollout],
    states: FloatArray,
    valid: np.ndarray,
    horizon: int,
    robot: RobotConfig,
    predict: Predict,
) -> FloatArray:
    """Train on an estimator's states, predict, and compare with raw motion capture.

    Args:
        rollouts: N rollouts of L + 1 records.
        states: The estimator's, shape (N, L + 1, nx).
        valid: Transitions that may be learned from and judged, shape (N, L).
        horizon: H, steps ahead.
        robot: Gives the unit of the commands.
        predict: Trains networks and predicts held-out rollouts.

    Returns:
        Distance between predicted and raw displacement, mean over the networks [m], shape (N, L + 1 - H); NaN where
        nothing was predicted.
    """
    stamps = np.array([rollout.stamps for rollout in rollouts])
    actions = np.array([rollout.records['cmd'][:-1] / robot.counts_per_ms for rollout in rollouts])
    raw = np.array([rollout.records['pos'][:, :2] for rollout in rollouts], dtype=float)
    displacement = raw[:, horizon:] - raw[:, :-horizon]
    seen = predict(states, actions, stamps, valid)
    yaw = StateView(states[:, : seen.shape[2]]).yaw
    x = np.cos(yaw) * seen[..., 0] - np.sin(yaw) * seen[..., 1]
    y = np.sin(yaw) * seen[..., 0] + np.cos(yaw) * seen[..., 1]
    return np.asarray(np.hypot(x - displacement[..., 0], y - displacement[..., 1]).mean(axis=0))


def compare_predictions(errors: FloatArray, baseline: FloatArray) -> PredictionComparison:
    """Compare errors rollout by rollout, both of shape (N, M); only what both predicted counts."""
    counted = np.isfinite(errors) & np.isfinite(baseline)
    judged = np.flatnonzero(np.any(counted, axis=1))
    means = np.array([[values[n, counted[n]].mean() for values in (errors, baseline)] for n in judged])
    differences = means[:, 0] - means[:, 1]
    return PredictionComparison(
        error=float(means[:, 0].mean()),
        baseline=float(means[:, 1].mean()),
        difference=float(differences.mean()),
        interval=mean_interval(differences),
        rollouts=len(means),
        predictions=int(counted.sum()),
    )


def judged_transitions(rollouts: Sequence[LabRollout], valid: np.ndarray) -> np.ndarray:
    """Leave out of `valid`, shape (N, L), the transitions at whose ends motion capture was odd or sent no new pose."""
    usable = valid.copy()
    for row, rollout in zip(usable, rollouts, strict=True):
        stale = np.concatenate([[False], np.diff(rollout.records['t_mocap']) == 0])
        bad = odd_poses(rollout) | stale
        row &= ~(bad[1:] | bad[:-1])
    return usable
