"""Run an estimator over the lab's logs, which hold motion capture at the 10 Hz ticks only, and see what it caught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.estimation.assembly import state_of
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.recording.lab.lab_log import LabRollout, telemetry_of

JUMP = 0.15
"""A step between two ticks beyond it is looked at [m]..."""
TILT, HEIGHT = 1.0, 0.2
"""... and a roll or pitch beyond it [rad], and a marker body that high above the floor [m]."""
FASTEST, FASTEST_TURN = 1.5, 25.0
"""Faster than this [m/s, rad/s] the body cannot have come from one pose to the next: the markers were mistaken."""
SEEN_POSES, SEEN_PERIOD = 6, 0.2
"""This many new poses in a row, no further apart than this [s], of a robot on the floor: there must be an estimate."""


@dataclass(frozen=True)
class LogEvent:
    """Poses in a row that are out of the ordinary: jumped, tilted or high."""

    where: str
    """Session, rollout, ticks."""
    step: float
    """From the last pose before it [m]."""
    turn: float
    """From the last pose before it [rad]."""
    after: float
    """Time since that was new [s]; 0.0 where the rollout began with it."""
    fates: dict[str, int]
    """What became of the poses: accepted, jumped (left out), started (believed, and told), repeated."""

    @property
    def impossible(self) -> bool:
        """Whether the body cannot have come there by itself, nor by a hand."""
        return self.after > 0.0 and (self.step > FASTEST * self.after or self.turn > FASTEST_TURN * self.after)

    @property
    def caught(self) -> bool:
        """Whether the first pose was left out or restarted the estimate, instead of being followed in silence."""
        return next(iter(self.fates)) != 'accepted'


@dataclass
class LogFigures:
    """What an estimator made of the logs."""

    rollouts: int = 0
    ticks: int = 0
    estimates: int = 0
    seen: int = 0
    """Replies that came while motion capture saw the robot walk, see `seen_well`."""
    missing: int = 0
    """Those of them for which there was no estimate."""
    not_finite: int = 0
    ordinary: Counter[str] = field(default_factory=Counter)
    """What became of the poses that are in no event; of each rollout the first starts the estimate."""
    events: list[LogEvent] = field(default_factory=list)


def run_rollout(
    rollout: LabRollout, estimator: Estimator, robot: RobotConfig, figures: LogFigures
) -> tuple[FloatArray, FloatArray]:
    """Feed one rollout, note what became of its poses, and estimate the states of its ticks.

    The pose that the host held when a reply came is given before the reply, as the lab's code used it.

    Returns:
        For the time of each reply, as in a live run, and for the time of the pose before it (up to 10 ms earlier);
        both of shape (N, nx), NaN where there is no estimate.
    """
    records = rollout.records
    states, at_poses = np.full((2, len(rollout.stamps), robot.layout.nx), np.nan)
    fates = ['repeated'] * len(states)
    seen = seen_well(rollout)
    for i, reply in enumerate(telemetry_of(rollout, robot)):
        if records['mocap_valid'][i] and (i == 0 or records['t_mocap'][i] != records['t_mocap'][i - 1]):
            fates[i] = _give(estimator, records, i)
        if reply is None:
            continue
        estimator.on_telemetry(reply)
        estimate = estimator.estimate(reply.stamp)
        figures.seen += bool(seen[i])
        figures.missing += bool(seen[i] and estimate is None)
        if estimate is not None:
            states[i] = state_of(estimate, reply, robot)
            figures.estimates += 1
            figures.not_finite += not np.isfinite(states[i]).all()
        earlier = estimator.estimate(min(reply.stamp, float(records['t_mocap'][i])))
        if earlier is not None:
            at_poses[i] = state_of(earlier, reply, robot)
    odd = odd_poses(rollout)
    figures.rollouts += 1
    figures.ticks += len(states)
    figures.ordinary.update(fate for fate, is_odd in zip(fates, odd, strict=True) if not is_odd)
    figures.events += _events(rollout, odd, fates)
    return states, at_poses


def odd_poses(rollout: LabRollout) -> np.ndarray:
    """Return which records hold a pose after a jump, or one that is tilted or high, shape (N,)."""
    position = rollout.records['pos'].astype(float)
    step = np.linalg.norm(np.diff(position, axis=0, prepend=position[:1]), axis=1)
    roll_pitch = roll_pitch_yaw(rollout.records['quat'])[:, :2]
    return np.asarray((step > JUMP) | (np.abs(roll_pitch) > TILT).any(axis=1) | (position[:, 2] > HEIGHT))


def seen_well(rollout: LabRollout) -> np.ndarray:
    """Return at which records motion capture had shown the robot on the floor for `SEEN_POSES` poses, shape (N,).

    Each of them must be new, not a repeated one, at most `SEEN_PERIOD` after the one before it, and not odd.
    """
    records = rollout.records
    new = np.any(np.diff(records['pos'], axis=0, prepend=np.nan) != 0.0, axis=1) & records['mocap_valid']
    apart = np.diff(records['t_mocap'], prepend=records['t_mocap'][0])
    good = new & ~odd_poses(rollout) & (apart <= SEEN_PERIOD)
    run = np.convolve(good, np.ones(SEEN_POSES))[: len(good)]
    return np.asarray(run > SEEN_POSES - 0.5)


def _give(estimator: Estimator, records: dict[str, np.ndarray], i: int) -> str:
    """Give one pose; return what became of it: 'accepted', 'jumped', 'started', ..."""
    before = estimator.counters()
    position, quaternion = records['pos'][i].astype(float), records['quat'][i].astype(float)
    estimator.on_pose(PoseSample(float(records['t_mocap'][i]), position, quaternion))
    return next(reason for reason, count in estimator.counters().items() if count > before[reason])


def _events(rollout: LabRollout, odd: np.ndarray, fates: list[str]) -> Iterator[LogEvent]:
    records = rollout.records
    edges = np.flatnonzero(np.diff(np.concatenate([[False], odd, [False]]).astype(int)))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        before = _seen_before(records['pos'], first)
        rotations = Rotation.from_quat(records['quat'][[before, first]])
        yield LogEvent(
            where=f'{rollout.session} rollout {rollout.number} ticks {first}..{end - 1}',
            step=float(np.linalg.norm(records['pos'][first] - records['pos'][before])),
            turn=float((rotations[1] * rotations[0].inv()).magnitude()),
            after=float(records['t_mocap'][first] - records['t_mocap'][before]),
            fates=dict(Counter(fates[first:end])),
        )


def _seen_before(position: np.ndarray, first: int) -> int:
    """Return the record in which the pose before `first` was new: motion capture may have sent it again since."""
    before = max(first - 1, 0)
    while before > 0 and np.array_equal(position[before], position[before - 1]):
        before -= 1
    return before
