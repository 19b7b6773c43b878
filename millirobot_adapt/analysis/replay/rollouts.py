"""Bring the states of a bag back, rollout by rollout, from what its estimator took in the order of arrival."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.analysis.replay.decisions import UNREADABLE, Decisions
from millirobot_adapt.analysis.replay.estimates import Answering
from millirobot_adapt.analysis.replay.live_parameters import Revisions
from millirobot_adapt.analysis.replay.row_store import OrderedRows, Rows, StateRows
from millirobot_adapt.contract.arrival_record import ArrivalLog, ArrivalRecord
from millirobot_adapt.contract.messages import TelemetryGatherer, joint_values, microseconds, pose_sample, seconds
from millirobot_adapt.contract.topics import (
    ARRIVALS,
    BACK_EMF,
    BATTERY,
    IMU,
    LEGS,
    MOCAP_POSE,
    PARAMETERS,
    REFERENCE,
    ROLLOUT,
    SENT,
    TICK,
    Topic,
)
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.recording.reader import Bag

SENSORS = (MOCAP_POSE, LEGS, IMU, BATTERY, BACK_EMF)
MOST_HELD = 1000
"""Records of the sensors before the first one of the estimator; where it comes later, their states are made in vain."""


@dataclass
class Rollout:
    """One stretch of walking: re-estimated states and the actions executed between them."""

    name: str
    stamps: FloatArray
    """[s since the epoch], shape (N,)."""
    states: StateRows
    """Shape (N, nx)."""
    actions: FloatArray
    """actions[k]: what was really executed from state k to state k + 1 [rad/s]; NaN where unknown; shape (N, nu)."""
    path: ReferencePath | None = None
    """The path that was followed, where there was one."""
    ticks: range = range(0)
    """Numbers of its ticks among all that the bag holds; none for imported logs."""
    revisions: Revisions = field(default_factory=dict)
    """Live parameters and models that the ticks name."""

    def find(self, stamp: float) -> int | None:
        """Return the number of the state of a stamp [s]; None where there is none, or the stamp is NaN."""
        if not np.isfinite(stamp):
            return None
        near = int(np.searchsorted(self.stamps, stamp - 1e-6))
        for k in range(near, min(near + 3, len(self.stamps))):
            if microseconds(float(self.stamps[k])) == microseconds(stamp):
                return k
        return None


class _States:
    """The states that an estimator gives while it takes records."""

    def __init__(self, make_estimator: Callable[[], Estimator], repeats: bool = False) -> None:
        """Begin; with `repeats` a record may come again."""
        self._answering = Answering(make_estimator, repeats)
        self._stamps, self._states = array('d'), Rows()

    def take(self, record: ArrivalRecord) -> None:
        """Take a record; a reply to which there is no estimate gives no state."""
        answer = self._answering.take(record)
        if answer is not None and answer[0] is not None:
            self._stamps.append(answer[1].stamp)
            self._states.append(answer[1].state)

    def in_order(self) -> tuple[FloatArray, OrderedRows]:
        """Return stamps [s], shape (N,), and states, shape (N, nx), by time."""
        stamps = np.array(self._stamps)
        order = np.argsort(stamps, kind='stable')
        return stamps[order], self._states.in_order(order)


@dataclass
class _Part:
    """One rollout while the bag is read."""

    name: str
    states: _States
    layout: StateLayout
    held: list[ArrivalRecord] | None = None
    """Records held back until it is known whether the estimator's own ones come; None: the states follow at once."""
    gatherer: TelemetryGatherer = field(init=False)
    log: ArrivalLog = field(default_factory=ArrivalLog)
    sent_stamps: array[float] = field(default_factory=lambda: array('d'))
    sent: array[float] = field(default_factory=lambda: array('d'))
    wanted: bool = True
    """False: the estimator's own records are there."""

    def __post_init__(self) -> None:
        self.gatherer = TelemetryGatherer([joint.name for joint in self.layout.joints])

    def add(self, topic: str, message: Any) -> None:
        """Take one message of the sensors, as if it had reached the estimator so, or of what was sent."""
        record: ArrivalRecord | None = None
        if topic == SENT.name:
            action = joint_values(message, self.layout.action_names)
            self.sent_stamps.append(seconds(message.header.stamp))
            self.sent.extend(action)
        elif not self.wanted:
            return
        elif topic == MOCAP_POSE.name:
            record = self.log.pose(pose_sample(message))
        else:
            telemetry = self.gatherer.add(topic, message)
            record = None if telemetry is None else self.log.reply(telemetry)
        if record is not None and self.held is not None:
            self.held.append(record)
            if len(self.held) > MOST_HELD:
                self.release()
        elif record is not None:
            self.states.take(record)

    def drop(self) -> None:
        """Forget what the sensors sent: the estimator's own records tell it better."""
        self.wanted, self.held = False, None

    def release(self) -> None:
        """Take the records that were held back."""
        for record in self.held or ():
            self.states.take(record)
        self.held = None


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
    reading = _Reading(make_estimator, expected=_has(bag, ARRIVALS))
    found: set[str] = set()
    messages = bag.messages((*SENSORS, SENT, ROLLOUT, *_OWN))
    for topic, message, _ in tqdm(messages, desc='reading', unit=' messages', disable=None, leave=False):
        found.add(topic)
        try:
            reading.add(topic, message)
        except UNREADABLE:
            bag.broken[topic] += 1
    bag.need(found, (SENT,) if reading.recorded else (*SENSORS, SENT))
    rollouts = [rollout for rollout in reading.rollouts(dt, shape) if len(rollout.stamps) > 1]
    if not rollouts:
        raise UserError(f'{bag.path}: no state can be estimated from it (do poses and telemetry overlap in time?)')
    return rollouts


_OWN = (ARRIVALS, PARAMETERS, REFERENCE, TICK)
"""What runs of this package record and a replay needs."""


def _has(bag: Bag, topic: Topic) -> bool:
    names = bag.topic_names()
    return topic.name in {names.get(channel.topic) for channel in bag.channels()}


class _Reading:
    """What is kept of a bag while it is read: states, actions and what tells its runs apart, but no messages."""

    def __init__(self, make_estimator: Callable[[], Estimator], expected: bool) -> None:
        """Begin; with `expected` the bag has a topic for the estimator's own records."""
        self._make_estimator = make_estimator
        self._layout = make_estimator().robot.layout
        self._own = _States(make_estimator, repeats=True)
        self.recorded = False
        """The estimator's own records have come."""
        self._parts = [_Part('whole bag', _States(make_estimator), self._layout, [] if expected else None)]
        self._marked = False
        self._decisions = Decisions()

    def add(self, topic: str, message: Any) -> None:
        """Take one message.

        Raises:
            ValueError, IndexError, UserError: its content makes no sense.
        """
        if topic == ROLLOUT.name:
            self._parts = [
                *(self._parts if self._marked else ()),
                _Part(message.message, _States(self._make_estimator), self._layout),
            ]
            self._marked = True
        elif topic == ARRIVALS.name:
            self._own.take(ArrivalRecord.decode(message.data))
            self.recorded = True
            if not self._marked:
                self._parts[0].drop()
        elif topic in (PARAMETERS.name, REFERENCE.name, TICK.name):
            self._decisions.add(topic, message)
        else:
            self._parts[-1].add(topic, message)

    def rollouts(self, dt: float, shape: str) -> list[Rollout]:
        """Return the rollouts, see `read_rollouts`."""
        for part in self._parts:
            part.release()
        references = self._decisions.references
        newest = references[-1][1] if references else None
        if self._marked:
            return [_assembled(part, *part.states.in_order(), dt, newest) for part in self._parts]
        stamps, states = (self._own if self.recorded else self._parts[0].states).in_order()
        if not self._decisions.ticks:
            return [_assembled(self._parts[0], stamps, states, dt, newest)]
        actions = _assembled(self._parts[0], stamps, states, dt, None).actions
        return _walked(stamps, states, actions, self._decisions, dt, shape)


def _assembled(part: _Part, stamps: FloatArray, states: StateRows, dt: float, path: ReferencePath | None) -> Rollout:
    """Find the action executed after each state of a rollout."""
    sent_stamps = np.array(part.sent_stamps)
    order = np.argsort(sent_stamps, kind='stable')
    sent = np.array(part.sent).reshape(-1, part.layout.nu)[order]
    return Rollout(part.name, stamps, states, executed_actions(stamps, sent_stamps[order], sent, dt), path)


def executed_actions(stamps: FloatArray, sent_stamps: FloatArray, sent: FloatArray, dt: float) -> FloatArray:
    """Return the action in effect at the middle between each state and the next, if it was sent in that period.

    Args:
        stamps: Times of the states [s], shape (N,).
        sent_stamps: Times at which actions were sent, in order [s], shape (M,).
        sent: These actions, shape (M, nu).
        dt: Control period [s].

    Returns:
        Shape (N, nu); NaN where no action is known, and in the last row.
    """
    actions = np.full((len(stamps), sent.shape[1]), np.nan)
    middles = (stamps[:-1] + stamps[1:]) / 2
    for k, newest in enumerate(np.searchsorted(sent_stamps, middles) - 1):
        if newest >= 0 and sent_stamps[newest] > stamps[k] - dt:
            actions[k] = sent[newest]
    return actions


def _walked(
    stamps: FloatArray, states: OrderedRows, actions: FloatArray, decisions: Decisions, dt: float, shape: str
) -> list[Rollout]:
    """Cut a live run into what its controller walked, one rollout a start."""
    rollouts = []
    for number, run in enumerate(decisions.runs(dt, shape), start=1):
        begin = int(np.searchsorted(stamps, run.start))
        end = int(np.searchsorted(stamps, run.stop + dt, side='right'))
        ticks = range(run.begin, run.end)
        part = stamps[begin:end], states.between(begin, end), actions[begin:end]
        rollouts.append(Rollout(f'run {number}', *part, run.path, ticks, decisions.revisions))
    return rollouts
