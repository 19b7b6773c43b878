"""Estimate the states of a bag anew, rollout by rollout, from what its sensors said in the order of arrival."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.bags.reader import Bag
from millirobot_adapt.bags.run_data import reference_path
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.assembly import state_of
from millirobot_adapt.core.estimation.interface import Estimator
from millirobot_adapt.core.messages import TelemetryGatherer, pose_sample, seconds, sides
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.state import NU, NX, FloatArray
from millirobot_adapt.core.topics import (
    BACK_EMF,
    BATTERY,
    IMU,
    LEGS,
    MOCAP_POSE,
    REFERENCE,
    ROLLOUT,
    SENT,
    TICK,
)

_TELEMETRY = (LEGS, IMU, BATTERY, BACK_EMF)
NEEDED = (MOCAP_POSE, SENT, *_TELEMETRY)
PAUSE = 1.0
"""Ticks further apart belong to two runs [s]."""


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


@dataclass(frozen=True)
class Rollouts:
    """What a bag holds for replay."""

    rollouts: list[Rollout]
    reference: ReferencePath | None
    ticks: list[TickRecord]
    """What the controller of the live run recorded; empty for imported logs."""
    seconds: float
    """Time that the rollouts span, pauses between them left out [s]."""


@dataclass
class _Part:
    """One rollout while the bag is read."""

    name: str
    estimator: Estimator
    gatherer: TelemetryGatherer = field(default_factory=TelemetryGatherer)
    states: list[tuple[float, FloatArray]] = field(default_factory=list)
    sent: list[tuple[float, FloatArray]] = field(default_factory=list)

    def add(self, topic: str, message: Any) -> None:
        """Take one message of the sensors or of what was sent."""
        if topic == MOCAP_POSE.name:
            self.estimator.on_pose(pose_sample(message))
        elif topic == SENT.name:
            self.sent.append((seconds(message.header.stamp), sides(message)))
        else:
            telemetry = self.gatherer.add(topic, message)
            if telemetry is not None:
                self.estimator.on_telemetry(telemetry)
                estimate = self.estimator.estimate(telemetry.stamp)
                if estimate is not None:
                    self.states.append((telemetry.stamp, state_of(estimate, telemetry)))


def read_rollouts(bag: Bag, make_estimator: Callable[[], Estimator], dt: float) -> Rollouts:
    """Read a bag and estimate its states; each rollout begins with a new estimator.

    Rollouts are those that an imported log marks; of a live run, the stretches with ticks; else the whole bag.

    Args:
        bag: The bag.
        make_estimator: Returns a new estimator.
        dt: Control period [s].

    Raises:
        UserError: nothing is readable, a needed topic is missing, or no state could be estimated.
    """
    parts = [_Part('whole bag', make_estimator())]
    marked: list[_Part] = []
    reference: ReferencePath | None = None
    ticks: list[TickRecord] = []
    found: set[str] = set()
    messages = bag.messages((*NEEDED, ROLLOUT, REFERENCE, TICK))
    for topic, message, _ in tqdm(messages, desc='reading and estimating', unit=' messages', disable=None, leave=False):
        found.add(topic)
        try:
            if topic == ROLLOUT.name:
                marked.append(_Part(message.message, make_estimator()))
                parts = marked
            elif topic == REFERENCE.name:
                reference = reference_path(message)
            elif topic == TICK.name:
                ticks.append(TickRecord.decode(np.asarray(message.data)))
            else:
                parts[-1].add(topic, message)
        except (ValueError, IndexError, UserError):
            bag.broken[topic] += 1
    bag.need(found, NEEDED)
    rollouts = [_assembled(part, dt) for part in parts]
    if ticks and not marked:
        rollouts = _cut(rollouts[0], np.array([tick.stamp for tick in ticks]), dt)
    rollouts = [rollout for rollout in rollouts if len(rollout.stamps) > 1]
    if not rollouts:
        raise UserError(f'{bag.path}: no state can be estimated from it (do poses and telemetry overlap in time?)')
    span = sum(float(rollout.stamps[-1] - rollout.stamps[0]) for rollout in rollouts)
    return Rollouts(rollouts, reference, ticks, span)


def _assembled(part: _Part, dt: float) -> Rollout:
    """Put the states of a rollout in order and find the action executed after each."""
    rows = sorted(part.states, key=lambda row: row[0])
    stamps = np.array([stamp for stamp, _ in rows])
    states = np.array([state for _, state in rows]).reshape(len(rows), NX)
    return Rollout(part.name, stamps, states, _executed(stamps, sorted(part.sent, key=lambda row: row[0]), dt))


def _executed(stamps: FloatArray, sent: list[tuple[float, FloatArray]], dt: float) -> FloatArray:
    """Return the action in force at the middle between each state and the next, if it was sent in that period."""
    actions = np.full((len(stamps), NU), np.nan)
    sent_stamps = np.array([stamp for stamp, _ in sent])
    middles = (stamps[:-1] + stamps[1:]) / 2
    for k, newest in enumerate(np.searchsorted(sent_stamps, middles) - 1):
        if newest >= 0 and sent_stamps[newest] > stamps[k] - dt:
            actions[k] = sent[newest][1]
    return actions


def _cut(rollout: Rollout, ticks: FloatArray, dt: float) -> list[Rollout]:
    """Cut a live run into the stretches in which its controller was running."""
    ticks = np.sort(ticks)
    cuts = np.flatnonzero(np.diff(ticks) > PAUSE) + 1
    stretches = []
    for number, stretch in enumerate(np.split(ticks, cuts), start=1):
        inside = (rollout.stamps >= stretch[0]) & (rollout.stamps <= stretch[-1] + dt)
        name = f'run {number}'
        stretches.append(Rollout(name, rollout.stamps[inside], rollout.states[inside], rollout.actions[inside]))
    return stretches
