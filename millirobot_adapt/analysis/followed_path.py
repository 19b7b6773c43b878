"""Follow a recorded run along its reference path, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.analysis.run_data import RunData, Series
from millirobot_adapt.core.planning.paths import ReferencePath
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
            in_force = _in_force(run.references, found)
            trackers = [PathTracker(path) for _, path in run.references]
            steps = [
                trackers[place].update_pose(pose[:2], float(pose[2]))
                for place, pose in zip(in_force, poses, strict=True)
            ]
            return FollowedPath(
                true=true,
                stamps=found,
                poses=poses,
                cross_track=np.array([step.cross_track for step in steps]),
                progress=_walked(np.array([step.progress for step in steps]), in_force),
                cost=np.array([step.step_cost for step in steps]),
            )
    return None


def _in_force(references: Sequence[tuple[float, ReferencePath]], stamps: FloatArray) -> NDArray[np.intp]:
    """Return the number of the newest path that had come by each of the stamps; the first, where none had."""
    return np.clip(np.searchsorted([came for came, _ in references], stamps, side='right') - 1, 0, None)


def _walked(progress: FloatArray, in_force: NDArray[np.intp]) -> FloatArray:
    """Go on from path to path with the arc length: what lies before the point where one is joined was not walked."""
    joined = np.flatnonzero(np.diff(in_force)) + 1
    walked = progress.copy()
    for place in joined:
        walked[place:] += walked[place - 1] - walked[place]
    return walked


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
