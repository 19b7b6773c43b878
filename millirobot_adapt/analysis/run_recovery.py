"""Find how long the model took to predict as well as before, after a fault."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.analysis.predictions import Predictions
from millirobot_adapt.analysis.run_data import RunData
from millirobot_adapt.core.robot.state import FloatArray

TOLERANCE = 1.2
"""Recovered is an error of at most this times the mean before the fault."""
SETTLED = 2.0
"""Over this time after a moment the mean error must be so small for the robot to have recovered then [s]."""
SETTLING = 2.0
"""The beginning of a run, while the window fills, is left out of the mean before the fault [s]."""


@dataclass(frozen=True)
class RunRecovery:
    """An error of prediction, after adapting, around the first fault."""

    fault: float
    """When the fault began [s since the epoch]."""
    stamps: FloatArray
    """Of the errors [s since the epoch], shape (N,)."""
    before_adapting: FloatArray
    """The error with theta*, shape (N,)."""
    errors: FloatArray
    """The error with theta', shape (N,); the recovery is of this one."""
    level: float
    """Mean of `errors` from the settled beginning of the run until the fault."""
    seconds: float | None
    """From the fault until the error was back [s]; 0 where it never left, None where it never came back."""


def next_step_recovery(run: RunData) -> RunRecovery | None:
    """Return the recovery of the normalised error of the next step; None without a fault or errors around it."""
    return _recovery(run, run.column('stamp'), run.column('pre_error'), run.column('post_error'))


def ahead_recovery(run: RunData, predictions: Predictions | None) -> RunRecovery | None:
    """Return the recovery of the position error at the planning horizon [m]; None as `next_step_recovery`.

    What is predicted from a tick just before the fault already meets it, so up to the horizon's length of the time is
    the horizon itself.
    """
    if predictions is None:
        return None
    before, after = (predictions.position_error(kind)[:, -1] for kind in (predictions.before, predictions.after))
    return _recovery(run, predictions.stamps, before, after)


def _recovery(run: RunData, stamps: FloatArray, before: FloatArray, after: FloatArray) -> RunRecovery | None:
    known = np.isfinite(after)
    stamps, before, after = stamps[known], before[known], after[known]
    faults = run.walk_faults
    if not faults or not len(stamps):
        return None
    fault = faults[0].received
    calm = after[(stamps >= run.origin + SETTLING) & (stamps < fault)]
    if not len(calm) or not (stamps >= fault).any():
        return None
    level = float(calm.mean())
    return RunRecovery(fault, stamps, before, after, level, time_to_recover(stamps, after, fault, level))


def time_to_recover(stamps: FloatArray, errors: FloatArray, fault: float, level: float) -> float | None:
    """Return the time from `fault` until the mean error of the following `SETTLED` seconds is small [s].

    Args:
        stamps: Of the errors, ascending [s], shape (N,).
        errors: Finite, shape (N,).
        fault: When the fault began [s].
        level: Mean error before it.

    Returns:
        0 where the error was small from the first tick after the fault on; None where it never was.
    """
    sums = np.concatenate([[0.0], np.cumsum(errors)])
    rows = np.flatnonzero(stamps >= fault)
    for row in rows:
        end = int(np.searchsorted(stamps, stamps[row] + SETTLED))
        if stamps[-1] < stamps[row] + 0.9 * SETTLED:
            return None
        if (sums[end] - sums[row]) / (end - row) <= TOLERANCE * level:
            return 0.0 if row == rows[0] else float(stamps[row] - fault)
    return None
