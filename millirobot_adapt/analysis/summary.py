"""Sum a run up in numbers: `summary.json`, a contract that scripts may rely on.

Keys of version 1; what the bag does not hold is null.

    version             1
    ros                 distro, rmw: of the machine that made the run
    seed                seed of the run
    firmware            what ran on the mock's microcontroller (python: its own; host, qemu: the reference firmware);
                        null for a real robot and for runs older than that choice
    ticks               control periods of the run, first to last tick record
    period_ms           p50, p99, max of the time between starts of ticks [ms]
    work_ms             p50, p99, max of the time from the arrival of the state to the plan [ms]
    deadline_misses     ticks that began without a plan from the tick before
    planning            effective_samples: p10, p50 of the effective number of candidates behind a plan; shed: ticks in
                        which the controller drew fewer candidates because the machine was busy; least_share: smallest
                        part of `planner.samples` that it drew
    link                sent, replies, lost, bad_frames: counts, null for replies of a robot that reports nothing;
                        rtt_ms: p50, p99 of the round trip [ms]
    adaptation          method; pre_error, post_error: mean normalised error of predicting the transition that comes
                        after the window, with theta* and with theta'
    prediction          horizon_s: time ahead [s]; position_m, heading_rad: before, after: mean error of predicting that
                        far open loop, with theta* and with theta'; null where the run's model is not available
    tracking            cost_per_step: mean of the paper's cost; cross_track_rms_m: root mean square distance to the
                        path [m]; after_fault: the same two from the first fault on; progress: way along the path [m].
                        On the true pose where there is one, else on the estimate
    pace                asked, walked: what `objective.speed` asked for at the start, and progress over the time walked
                        [m/s]; null where no pace was asked for
    mocap               poses: count of distinct stamps; repeated: poses that came again; rate_hz: median; gap_ms:
                        longest time without a pose [ms]; age_ms: p50, p99, max of the age of a pose at its recording
                        [ms]; from the first to the last tick. clock_offset_s: by how much the poses' stamps are behind
                        the bag's clock [s], where they are of another clock; null where they are not
    setpoints           wanted: setpoints of the controller; as_wanted: those that the bridge sent unchanged, apart from
                        the resolution of the wire
    recovery            error of prediction, after adapting, around the first fault: next_step (normalised), ahead_m (of
                        the position at the horizon [m]; null without the run's model). before: mean until the fault;
                        seconds: from the fault until the mean of the following 2 s is within 20 % of that [s], 0 where
                        it always was, null where it never was. Null without a fault
    recording           lost: messages that were published but never recorded, by topic
    walked_s            how long the robot walked, without pauses [s]
    faults              list of name, text, time_s: what began while the robot walked, and when after the first tick [s]
    stops               list of reason, time_s: when bridge or controller stopped the robot by itself
    changes             list of parameter, value, time_s: what was set while the nodes ran; before the first tick < 0
    outcome             how the run ended, as the controller says: finished, finished: by ..., stopped: ...
    ended               why the run ended before its time, such as a process that died; null when it ended as wished.
                        From the run folder, else from the manager
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from millirobot_adapt.analysis.followed_path import FollowedPath, follow_path
from millirobot_adapt.analysis.predictions import Predictions
from millirobot_adapt.analysis.run_data import RunData, spoken
from millirobot_adapt.analysis.run_end import outcome, stops, why_it_ended
from millirobot_adapt.analysis.run_recovery import ahead_recovery, next_step_recovery
from millirobot_adapt.analysis.setpoints import as_wanted, pairs
from millirobot_adapt.core.parameter_file import dotted
from millirobot_adapt.core.robot.state import FloatArray

VERSION = 1


def summarise(run: RunData, parameters: Mapping[str, Any], predictions: Predictions | None = None) -> dict[str, Any]:
    """Return the summary of a run as plain values.

    Args:
        run: The run's bag.
        parameters: What ran, as parameters.yaml has it; may be empty.
        predictions: What the run's model predicts open loop, where the model is available.
    """
    ros = parameters.get('ros')
    ros = ros if isinstance(ros, Mapping) else {}
    track = follow_path(run)
    return {
        'version': VERSION,
        'ros': {'distro': ros.get('distro'), 'rmw': ros.get('rmw')},
        'seed': _seed(run, parameters),
        'firmware': _firmware(parameters),
        'ticks': _ticks(run),
        'period_ms': _percentiles(run.column('period_ms')),
        'work_ms': _percentiles(run.column('work_ms')),
        'deadline_misses': _deadline_misses(run),
        'planning': _planning(run),
        'link': _link(run),
        'adaptation': _adaptation(run),
        'prediction': _prediction(predictions),
        'tracking': _tracking(run, track),
        'pace': _pace(run, track, parameters),
        'mocap': _mocap(run),
        'recording': {'lost': dict(run.lost)},
        'walked_s': _number(run.walked, 3),
        'setpoints': _setpoints(run),
        'recovery': _recovery(run, predictions),
        'faults': [
            {
                'name': fault.name,
                'text': spoken(fault),
                'time_s': _number(fault.received - run.origin),
            }
            for fault in run.walk_faults
        ],
        'stops': [{'reason': stop.reason, 'time_s': _number(stop.time, 3)} for stop in stops(run)],
        'changes': [
            {'parameter': change.parameter, 'value': change.value, 'time_s': _number(change.received - run.origin, 3)}
            for change in run.changes
        ],
        'outcome': outcome(run),
        'ended': why_it_ended(run),
    }


def _firmware(parameters: Mapping[str, Any]) -> str | None:
    mock = parameters.get('mock_robot')
    firmware = mock.get('firmware') if isinstance(mock, Mapping) else None
    return str(firmware) if firmware else None


def _number(value: float, digits: int = 6) -> float | None:
    """Return a JSON number, or None for one that is not finite."""
    return round(float(value), digits) if np.isfinite(value) else None


def _seed(run: RunData, parameters: Mapping[str, Any]) -> int | None:
    if isinstance(parameters.get('seed'), int):
        return int(parameters['seed'])
    return int(run.ticks[0].seed) if run.ticks else None


def _ticks(run: RunData) -> int | None:
    """Count ticks, with those that have no record because the worker missed them.

    Between two runs of one bag the controller stands, and its ticks have no record either; they do not count.
    """
    if not run.ticks:
        return None
    gaps = [
        int(run.ticks[k].tick - run.ticks[k - 1].tick) - 1
        for k in range(1, len(run.ticks))
        if run.ticks[k].tick > run.ticks[k - 1].tick + 1 and not _begins_run(run, k)
    ]
    return len(run.ticks) + sum(gaps)


def _begins_run(run: RunData, number: int) -> bool:
    """Tell whether a run begins with a tick: the first one from there on that has a state remembers nothing."""
    tick = next((tick for tick in run.ticks[number:] if len(tick.window_mask)), None)
    if tick is None:
        return False
    return not tick.window_mask.any() and not np.isfinite(tick.previous_plan).any()


def _percentiles(values: FloatArray) -> dict[str, float | None]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {'p50': None, 'p99': None, 'max': None}
    p50, p99 = np.percentile(finite, [50, 99])
    return {'p50': _number(p50, 3), 'p99': _number(p99, 3), 'max': _number(finite.max(), 3)}


def _deadline_misses(run: RunData) -> int | None:
    """Count ticks that began without the plan of the tick before; a tick that the worker missed has no record."""
    ticks = _ticks(run)
    if ticks is None:
        return None
    return ticks - len(run.ticks) + int(np.sum(run.column('misses') > 0))


def _planning(run: RunData) -> dict[str, Any]:
    planned = run.column('candidates') > 0
    effective, share = run.column('effective_samples')[planned], run.column('share')[planned]
    share = share[np.isfinite(share)]
    p10, p50 = np.percentile(effective, [10, 50]) if len(effective) else (np.nan, np.nan)
    return {
        'effective_samples': {'p10': _number(p10, 1), 'p50': _number(p50, 1)},
        'shed': int(np.sum(share < 1.0)) if len(share) else None,
        'least_share': _number(share.min(), 3) if len(share) else None,
    }


def _link(run: RunData) -> dict[str, Any]:
    values = run.bridge[-1].values if run.bridge else {}

    def read(key: str) -> float | None:
        try:
            return _number(float(values[key]), 3)
        except (KeyError, ValueError):
            return None

    counts = {key: read(key) for key in ('sent', 'replies', 'lost', 'bad_frames')}
    if not run.layout.reports:
        counts |= dict.fromkeys(('replies', 'lost', 'bad_frames'))
    return {
        **{key: None if count is None else int(count) for key, count in counts.items()},
        'rtt_ms': {'p50': read('rtt_p50_ms'), 'p99': read('rtt_p99_ms')},
    }


def _adaptation(run: RunData) -> dict[str, Any]:
    methods = [status.values['method'] for status in run.controller if 'method' in status.values]
    before, after = run.column('pre_error'), run.column('post_error')
    both = np.isfinite(before) & np.isfinite(after)
    return {
        'method': methods[-1] if methods else None,
        'pre_error': _number(before[both].mean()) if both.any() else None,
        'post_error': _number(after[both].mean()) if both.any() else None,
    }


def _prediction(predictions: Predictions | None) -> dict[str, Any] | None:
    if predictions is None:
        return None
    kinds = {'before': predictions.before, 'after': predictions.after}
    far = {name: predictions.position_error(poses)[:, -1] for name, poses in kinds.items()}
    turned = {name: predictions.heading_error(poses)[:, -1] for name, poses in kinds.items()}
    return {
        'horizon_s': _number(predictions.dt * (predictions.actual.shape[1] - 1)),
        'position_m': {name: _mean(values) for name, values in far.items()},
        'heading_rad': {name: _mean(values) for name, values in turned.items()},
    }


def _mean(values: FloatArray) -> float | None:
    finite = values[np.isfinite(values)]
    return _number(finite.mean()) if len(finite) else None


def _mocap(run: RunData) -> dict[str, Any]:
    first, last = (run.ticks[0].stamp, run.ticks[-1].stamp) if run.ticks else (run.start, run.end)
    inside = (run.mocap.stamps >= first) & (run.mocap.stamps <= last)
    gaps = np.diff(run.mocap.stamps[inside])
    median = float(np.median(gaps)) if len(gaps) else 0.0
    return {
        'poses': int(inside.sum()),
        'repeated': run.mocap_repeats,
        'clock_offset_s': _number(run.mocap_clock, 3) if run.mocap_clock else None,
        'rate_hz': _number(1 / median, 3) if median > 0 else None,
        'gap_ms': _number(1e3 * gaps.max(), 3) if len(gaps) else None,
        'age_ms': _percentiles(1e3 * run.mocap.values[inside]),
    }


def _setpoints(run: RunData) -> dict[str, int | None]:
    wanted, sent = pairs(run)
    if not len(wanted):
        return {'wanted': None, 'as_wanted': None}
    return {'wanted': len(wanted), 'as_wanted': int(as_wanted(wanted.values, sent, run.layout).sum())}


def _recovery(run: RunData, predictions: Predictions | None) -> dict[str, Any] | None:
    kinds = {'next_step': next_step_recovery(run), 'ahead_m': ahead_recovery(run, predictions)}
    if not any(kinds.values()):
        return None
    return {
        name: found
        and {'before': _number(found.level), 'seconds': None if found.seconds is None else round(found.seconds, 3)}
        for name, found in kinds.items()
    }


def _tracking(run: RunData, track: FollowedPath | None) -> dict[str, Any]:
    nothing: dict[str, Any] = {'cost_per_step': None, 'cross_track_rms_m': None}
    if track is None:
        return {**nothing, 'after_fault': None, 'progress': None}
    everything = np.ones(len(track.stamps), dtype=bool)
    faults = run.walk_faults
    after = track.stamps >= faults[0].received if faults else ~everything
    return {
        **_errors(track, everything),
        'after_fault': _errors(track, after) if after.any() else None,
        'progress': _number(track.progress[-1], 3),
    }


def _pace(run: RunData, track: FollowedPath | None, parameters: Mapping[str, Any]) -> dict[str, float | None] | None:
    controller = parameters.get('controller')
    asked = dotted(controller).get('objective.speed') if isinstance(controller, Mapping) else None
    if track is None or not isinstance(asked, int | float) or not asked or not run.walked:
        return None
    return {'asked': _number(asked), 'walked': _number(track.progress[-1] / run.walked, 3)}


def _errors(track: FollowedPath, chosen: np.ndarray) -> dict[str, float | None]:
    return {
        'cost_per_step': _number(track.cost[chosen].mean()),
        'cross_track_rms_m': _number(np.sqrt(np.mean(track.cross_track[chosen] ** 2))),
    }
