"""Follow a recorded run along its reference path, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.analysis.run_data import RunData, Series
from millirobot_adapt.core.planning.tracking import PathTracker
from millirobot_adapt.core.robot.state import FloatArray

NEAR = 0.05
"""A pose this far from a tick in time still counts as its pose [s]."""


@dataclass(frozen=True)
class FollowedPath:
    """The executed path against the reference, one row a control period."""

    true: bool
    """Measured on the mock's own pose; otherwise on the estimate."""
    stamps: FloatArray
    """[s since the epoch], shape (N,)."""
    poses: FloatArray
    """x, y [m], yaw [rad], shape (N, 3)."""
    cross_track: FloatArray
    """Signed distance to the path, positive to its left [m], shape (N,)."""
    progress: FloatArray
    """Arc length walked along the path [m], shape (N,)."""
    cost: FloatArray
    """Cost of each step by the paper's formula, shape (N,)."""


def follow_path(run: RunData) -> FollowedPath | None:
    """Return the run's track, on the true pose where the bag has it; None without reference or poses."""
    if run.reference is None:
        return None
    stamps = run.column('state_stamp') if run.ticks else run.states.stamps
    for true, series in ((True, run.true_poses), (False, run.poses)):
        found, poses = nearest(series, stamps[np.isfinite(stamps)])
        if len(found):
            tracker = PathTracker(run.reference)
            steps = [tracker.update_pose(pose[:2], float(pose[2])) for pose in poses]
            return FollowedPath(
                true=true,
                stamps=found,
                poses=poses,
                cross_track=np.array([step.cross_track for step in steps]),
                progress=np.array([step.progress for step in steps]),
                cost=np.array([step.step_cost for step in steps]),
            )
    return None


def nearest(series: Series, stamps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return those of `stamps` near which the series has a value, and these values."""
    if not len(series) or not len(stamps):
        return np.empty(0), np.empty((0, *series.values.shape[1:]))
    after = np.clip(np.searchsorted(series.stamps, stamps), 0, len(series) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(series.stamps[before] - stamps) <= np.abs(series.stamps[after] - stamps)
    index = np.where(nearer, before, after)
    close = np.abs(series.stamps[index] - stamps) <= NEAR
    return stamps[close], series.values[index[close]]
