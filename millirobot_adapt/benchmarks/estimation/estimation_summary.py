"""Sum up what an estimator did over several runs in one row of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.benchmarks.estimation.scores import (
    LONGEST_LAG,
    EstimateErrors,
    delay,
    errors_of,
    lags,
    nees,
    non_finite,
    rms,
    silent_jumps,
)
from millirobot_adapt.benchmarks.estimation.streams import Truth
from millirobot_adapt.benchmarks.estimation.trace import Trace
from millirobot_adapt.core.robot.state import FloatArray


@dataclass(frozen=True)
class Judged:
    """One run of one estimator, compared with the truth."""

    trace: Trace
    errors: EstimateErrors
    twist: FloatArray
    """Estimated velocity x, y [m/s; world] and yaw rate [rad/s] where delays are judged, shape (T, 3)."""
    true_twist: FloatArray
    """The true ones at every lag, shape (lags, T, 3)."""
    silent_jumps: int


def judge(trace: Trace, truth: Truth, period: float) -> Judged:
    """Compare a trace with the truth; `period` is the control period [s]."""
    errors = errors_of(trace, truth, period)
    rows = errors.judged & (trace.stamps < trace.stamps[-1] - LONGEST_LAG)
    shifted = [truth.mean_twist(trace.stamps[rows] - lag, period) for lag in lags()]
    return Judged(
        trace=trace,
        errors=errors,
        twist=np.column_stack([trace.velocity[rows, :2], trace.angular_velocity[rows, 2]]),
        true_twist=np.array([np.column_stack([velocity[:, :2], rate[:, 2]]) for velocity, rate in shifted]),
        silent_jumps=silent_jumps(trace, truth),
    )


def summary(runs: Sequence[Judged]) -> dict[str, Any]:
    """Return errors, delays and counts over all runs, in SI units; delays in milliseconds."""
    errors = [run.errors for run in runs]
    velocity_delay, yaw_rate_delay = _delay(runs, slice(0, 2)), _delay(runs, slice(2, 3))
    return {
        'velocity_rmse': rms(pooled(errors, 'velocity')),
        'yaw_rate_rmse': rms(pooled(errors, 'angular_velocity')[:, 2:]),
        'position_rmse': rms(pooled(errors, 'position')),
        'rotation_rmse': rms(pooled(errors, 'rotation')),
        'delay_ms': max(velocity_delay, yaw_rate_delay, key=abs),
        'velocity_delay_ms': velocity_delay,
        'yaw_rate_delay_ms': yaw_rate_delay,
        'no_estimate': int(sum(np.sum(~run.trace.given) for run in runs)),
        'non_finite': sum(non_finite(run.trace) for run in runs),
        'silent_jumps': sum(run.silent_jumps for run in runs),
        'counts': dict(sum((Counter(run.trace.health.counts) for run in runs), Counter())),
        'cpu_ms_per_s': 1e3 * sum(r.trace.cpu_seconds for r in runs) / sum(float(r.trace.stamps[-1]) for r in runs),
    }


def pooled(errors: Sequence[EstimateErrors], name: str) -> FloatArray:
    """Put the judged rows of one kind of error of several runs together, shape (N, 3)."""
    return np.concatenate([getattr(error, name)[error.judged] for error in errors])


def consistency(runs: Sequence[Judged]) -> dict[str, float | None]:
    """Return the mean NEES of pose and twist over the runs, each with its standard error over runs."""
    pose, twist = [], []
    for run in runs:
        rows, errors = run.errors.judged, run.errors
        pose_error = np.column_stack([errors.position, errors.rotation])[rows]
        twist_error = np.column_stack([errors.velocity, errors.angular_velocity])[rows]
        pose.append(float(nees(pose_error, run.trace.pose_covariance[rows]).mean()))
        twist.append(float(nees(twist_error, run.trace.twist_covariance[rows]).mean()))
    return {
        'runs': len(runs),
        'pose': float(np.mean(pose)),
        'pose_standard_error': _standard_error(pose),
        'twist': float(np.mean(twist)),
        'twist_standard_error': _standard_error(twist),
    }


def _standard_error(values: Sequence[float]) -> float | None:
    """Return the standard error of the mean; runs are independent, control times of one run are not."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None


def _delay(runs: Sequence[Judged], columns: slice) -> float:
    """Return the delay of some columns of the twist [ms]."""
    return 1e3 * delay([run.twist[:, columns] for run in runs], [run.true_twist[..., columns] for run in runs])
