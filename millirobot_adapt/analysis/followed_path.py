"""Follow a recorded run along its reference path, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.analysis.run_data import RunData, Series
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.planning.tracking import PathTracker, Tracking
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
    """Arc length walked along the path [m], over all paths where there were several, shape (N,)."""
    cost: FloatArray
    """Cost of each step by the paper's formula, shape (N,)."""


def follow_path(run: RunData) -> FollowedPath | None:
    """Return the run's track, on the true pose where the bag has it; None without reference or poses.

    Where the run was given several paths, each pose counts on the one that was in force.
    """
    if not run.references:
        return None
    stamps = run.column('state_stamp') if run.ticks else run.states.stamps
    for true, series in ((True, run.true_poses), (False, run.poses)):
        found, poses = nearest(series, stamps[np.isfinite(stamps)])
        if len(found):
            steps, progress = _steps(run.references, found, poses)
            return FollowedPath(
                true=true,
                stamps=found,
                poses=poses,
                cross_track=np.array([step.cross_track for step in steps]),
                progress=np.array(progress),
                cost=np.array([step.step_cost for step in steps]),
            )
    return None


def _steps(
    references: Sequence[tuple[float, ReferencePath]], stamps: FloatArray, poses: FloatArray
) -> tuple[list[Tracking], list[float]]:
    """Track each pose on the newest path that had come by then; returns the steps, and the way walked so far [m]."""
    in_force = np.clip(np.searchsorted([came for came, _ in references], stamps, side='right') - 1, 0, None)
    steps: list[Tracking] = []
    progress: list[float] = []
    for place in np.unique(in_force):
        tracker, own = PathTracker(references[place][1]), poses[in_force == place]
        found = [tracker.update_pose(pose[:2], float(pose[2])) for pose in own]
        # A later path may be joined in its middle: what lies before that was not walked.
        before = progress[-1] - found[0].progress if progress else 0.0
        steps += found
        progress += [before + step.progress for step in found]
    return steps, progress


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
