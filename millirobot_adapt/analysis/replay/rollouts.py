"""Bring the states of a bag back, rollout by rollout, from what its estimator took in the order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.analysis.replay.decisions import DECISIONS, Decisions
from millirobot_adapt.analysis.replay.estimates import Answer, answers
from millirobot_adapt.analysis.replay.live_parameters import Revisions
from millirobot_adapt.contract.arrival_record import ArrivalLog, ArrivalRecord
from millirobot_adapt.contract.messages import TelemetryGatherer, microseconds, pose_sample, seconds, sides
from millirobot_adapt.contract.topics import BACK_EMF, BATTERY, IMU, LEGS, MOCAP_POSE, ROLLOUT, SENT
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.state import NU, NX, FloatArray
from millirobot_adapt.recording.reader import Bag

SENSORS = (MOCAP_POSE, LEGS, IMU, BATTERY, BACK_EMF)


@dataclass
class Rollout:
    """One stretch of walking: re-estimated states and the actions executed between them."""

    name: str
    stamps: FloatArray
    """[s since the epoch], shape (N,)."""
    states: FloatArray
    """Shape (N, nx)."""
    actions: FloatArray
    """actions[k]: what was really executed from state k to state k + 1 [rad/s]; NaN where unknown; shape (N, nu)."""
    path: ReferencePath | None = None
    """The path that was followed, where there was one."""
    records: Mapping[int, TickRecord] = field(default_factory=dict)
    """Ticks of the live run by the stamp of their state [us]; empty for imported logs."""
    revisions: Revisions = field(default_factory=dict)
    """Live parameters that the ticks name."""

    def record(self, k: int) -> TickRecord | None:
        """Return the tick that used state k, if any did."""
        return self.records.get(microseconds(float(self.stamps[k])))


@dataclass
class _Part:
    """One rollout while the bag is read."""

    name: str
    gatherer: TelemetryGatherer = field(default_factory=TelemetryGatherer)
    log: ArrivalLog = field(default_factory=ArrivalLog)
    arrivals: list[ArrivalRecord] = field(default_factory=list)
    """What reached the recorder, as if it had reached the estimator so."""
    sent: list[tuple[float, FloatArray]] = field(default_factory=list)

    def add(self, topic: str, message: Any) -> None:
        """Take one message of the sensors or of what was sent."""
        record: ArrivalRecord | None = None
        if topic == SENT.name:
            self.sent.append((seconds(message.header.stamp), sides(message)))
        elif topic == MOCAP_POSE.name:
            record = self.log.pose(pose_sample(message))
        else:
            telemetry = self.gatherer.add(topic, message)
            record = None if telemetry is None else self.log.reply(telemetry)
        if record is not None:
            self.arrivals.append(record)


def read_rollouts(bag: Bag, make_estimator: Callable[[], Estimator], dt: float, shape: str = 'path') -> list[Rollout]:
    """Read a bag and estimate its states; each rollout begins with a new estimator.

    Rollouts are those that an imported log marks; of a live run, what its controller walked; else the whole bag. A live
    run records in which order its estimator took everything; of any other bag the order of receipt is taken.

    Args:
        bag: The bag.
        make_estimator: Returns a new estimator.
        dt: Control period [s].
        shape: Name of the path, which chooses the weights of the executed cost.

    Raises:
        UserError: nothing is readable, a needed topic is missing, or no state could be estimated.
    """
    parts = [_Part('whole bag')]
    marked: list[_Part] = []
    decisions = Decisions()
    found: set[str] = set()
    own = {topic.name for topic in DECISIONS}
    messages = bag.messages((*SENSORS, SENT, ROLLOUT, *DECISIONS))
    for topic, message, _ in tqdm(messages, desc='reading', unit=' messages', disable=None, leave=False):
        found.add(topic)
        try:
            if topic == ROLLOUT.name:
                marked.append(_Part(message.message))
                parts = marked
            elif topic in own:
                decisions.add(topic, message)
            else:
                parts[-1].add(topic, message)
        except (ValueError, IndexError, UserError):
            bag.broken[topic] += 1
    bag.need(found, (SENT,) if decisions.arrivals else (*SENSORS, SENT))
    if marked or not decisions.ticks:
        newest = decisions.references[-1][1] if decisions.references else None
        rollouts = [_assembled(part, answers(part.arrivals, make_estimator), dt, newest) for part in parts]
    else:
        whole = _assembled(parts[0], answers(decisions.arrivals or parts[0].arrivals, make_estimator), dt, None)
        rollouts = _walked(whole, decisions, dt, shape)
    rollouts = [rollout for rollout in rollouts if len(rollout.stamps) > 1]
    if not rollouts:
        raise UserError(f'{bag.path}: no state can be estimated from it (do poses and telemetry overlap in time?)')
    return rollouts


def _assembled(part: _Part, answered: Iterable[Answer], dt: float, path: ReferencePath | None) -> Rollout:
    """Put the states of a rollout in order and find the action executed after each."""
    rows = sorted(((each.stamp, each.state) for each in answered if each.state is not None), key=lambda row: row[0])
    stamps = np.array([stamp for stamp, _ in rows])
    states = np.array([state for _, state in rows]).reshape(len(rows), NX)
    sent = sorted(part.sent, key=lambda row: row[0])
    values = np.array([action for _, action in sent]).reshape(len(sent), NU)
    actions = executed_actions(stamps, np.array([stamp for stamp, _ in sent]), values, dt)
    return Rollout(part.name, stamps, states, actions, path)


def executed_actions(stamps: FloatArray, sent_stamps: FloatArray, sent: FloatArray, dt: float) -> FloatArray:
    """Return the action in force at the middle between each state and the next, if it was sent in that period.

    Args:
        stamps: Times of the states [s], shape (N,).
        sent_stamps: Times at which actions were sent, in order [s], shape (M,).
        sent: These actions, shape (M, nu).
        dt: Control period [s].

    Returns:
        Shape (N, nu); NaN where no action is known, and in the last row.
    """
    actions = np.full((len(stamps), NU), np.nan)
    middles = (stamps[:-1] + stamps[1:]) / 2
    for k, newest in enumerate(np.searchsorted(sent_stamps, middles) - 1):
        if newest >= 0 and sent_stamps[newest] > stamps[k] - dt:
            actions[k] = sent[newest]
    return actions


def _walked(whole: Rollout, decisions: Decisions, dt: float, shape: str) -> list[Rollout]:
    """Cut a live run into what its controller walked, one rollout a start."""
    rollouts = []
    for number, run in enumerate(decisions.runs(dt, shape), start=1):
        records = {microseconds(tick.state_stamp): tick for tick in run.ticks if np.isfinite(tick.state_stamp)}
        inside = (whole.stamps >= run.ticks[0].stamp) & (whole.stamps <= run.ticks[-1].stamp + dt)
        stamps, states, actions = whole.stamps[inside], whole.states[inside], whole.actions[inside]
        rollouts.append(Rollout(f'run {number}', stamps, states, actions, run.path, records, decisions.revisions))
    return rollouts
