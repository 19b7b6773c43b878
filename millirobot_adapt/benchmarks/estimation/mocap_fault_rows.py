"""Judge what a fault of motion capture does: the error while it lasts and after, and the time until it is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.benchmarks.estimation.scores import EstimateErrors, rms
from millirobot_adapt.benchmarks.estimation.streams import Stream
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.mocap_faults import MocapFaults, PoseArrival

SETTLED = 3
"""This many control times in a row must be as good as undisturbed before an estimate has recovered."""


@dataclass(frozen=True)
class Events:
    """When a fault was there; of a fault that never ends there is one event, as long as the run."""

    starts: FloatArray
    """[s], shape (E,)."""
    ends: FloatArray
    """[s], shape (E,)."""
    run_end: float
    """[s]."""

    def during(self, stamps: FloatArray) -> np.ndarray:
        """Return which stamps [s] lie in an event, shape (T,)."""
        place = np.searchsorted(self.starts, stamps, side='right') - 1
        return (place >= 0) & (stamps < self.ends[np.maximum(place, 0)])

    def after(self, stamps: FloatArray) -> np.ndarray:
        """Return which stamps [s] lie after the first event, but in none, shape (T,).

        A fault that never ends leaves the estimator time to learn it: then these are the second half of the run.
        """
        if np.isinf(self.ends[-1]):
            return stamps > 0.5 * self.run_end
        return (stamps >= self.starts[0]) & ~self.during(stamps)


def events_of(faults: MocapFaults, stream: Stream, spoiled: Sequence[PoseArrival], period: float) -> Events | None:
    """Find when a fault was there, or None where there was none.

    A jump lasts from its frame until the control period [s] in which it happened has surely ended.
    """
    run_end = stream.telemetry[-1].stamp
    frames = [arrival.pose for arrival in stream.poses]
    if faults == MocapFaults():
        return None
    windows = faults.windows(frames[0].stamp, frames[-1].stamp)
    if not windows and faults.jump_rate:
        true_place = {frame.stamp: frame.position for frame in frames}
        jumped = sorted(a.pose.stamp for a in spoiled if not np.array_equal(true_place[a.pose.stamp], a.pose.position))
        windows = [(stamp, stamp + period) for stamp in jumped]
    windows = windows or [(faults.start, np.inf)]
    starts, ends = np.array(windows).T
    return Events(starts, ends, run_end)


def fault_row(disturbed: EstimateErrors, undisturbed: EstimateErrors, events: Events) -> dict[str, Any]:
    """Return the errors during and after the events and the times to recover [s]; null where there is no such time."""
    during, after = events.during(disturbed.stamps), events.after(disturbed.stamps)
    times = recovery(disturbed, undisturbed, events)
    recovered = times[np.isfinite(times)]
    return {
        'events': len(events.starts),
        'during': _errors(disturbed, during),
        'after': _errors(disturbed, after),
        'recover_s': float(recovered.mean()) if len(recovered) else None,
        'recover_worst_s': float(times.max()) if len(times) else None,
        'not_recovered': int(np.sum(np.isinf(times))),
    }


def recovery(disturbed: EstimateErrors, undisturbed: EstimateErrors, events: Events) -> FloatArray:
    """Return for each event that ends the time from its end until the estimate is as good as without it [s].

    As good: velocity and yaw rate differ from those of the same estimator on the undisturbed stream by less than its
    root mean square error, at `SETTLED` control times in a row (or all that are left before the next event). Infinite
    where that does not happen. The answer has the resolution of the control period.
    """
    good = _as_good(disturbed, undisturbed)
    times = []
    for end, next_start in zip(events.ends, [*events.starts[1:], events.run_end], strict=True):
        rows = np.flatnonzero((disturbed.stamps >= end) & (disturbed.stamps < next_start))
        settled = [row for row in rows if good[row : min(row + SETTLED, rows[-1] + 1)].all()]
        if len(rows):
            times.append(disturbed.stamps[settled[0]] - end if settled else np.inf)
    return np.array(times)


def _as_good(disturbed: EstimateErrors, undisturbed: EstimateErrors) -> np.ndarray:
    """Return where the disturbed estimate is as good as the undisturbed one, shape (T,); NaN is not."""
    judged = undisturbed.judged
    velocity = np.linalg.norm(disturbed.velocity - undisturbed.velocity, axis=1)
    rate = np.abs(disturbed.angular_velocity[:, 2] - undisturbed.angular_velocity[:, 2])
    return (velocity <= rms(undisturbed.velocity[judged])) & (rate <= rms(undisturbed.angular_velocity[judged, 2:]))


def _errors(errors: EstimateErrors, rows: np.ndarray) -> dict[str, float | None]:
    chosen = rows & errors.judged
    if not chosen.any():
        return {'velocity_rmse': None, 'yaw_rate_rmse': None, 'position_rmse': None}
    return {
        'velocity_rmse': rms(errors.velocity[chosen]),
        'yaw_rate_rmse': rms(errors.angular_velocity[chosen, 2:]),
        'position_rmse': rms(errors.position[chosen]),
    }
