"""Survey what estimator and controller wrote down about themselves: what must be known before it can be done again."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.analysis.replay.live_parameters import Revision, revision_of
from millirobot_adapt.analysis.replay.row_store import RowsByStamp
from millirobot_adapt.contract.arrival_record import ArrivalRecord
from millirobot_adapt.contract.messages import joint_values, microseconds, reference_path, seconds
from millirobot_adapt.contract.state_codec import decode_state
from millirobot_adapt.contract.tick_codec import decode_tick
from millirobot_adapt.contract.topics import (
    ARRIVALS,
    CONTROLLER_STATE,
    ODOMETRY,
    PARAMETERS,
    REFERENCE,
    SETPOINT,
    STATE,
    TICK,
)
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.recording.reader import Bag

DECISIONS = (ARRIVALS, CONTROLLER_STATE, ODOMETRY, PARAMETERS, REFERENCE, SETPOINT, STATE, TICK)
UNREADABLE = (ValueError, IndexError, UserError)
"""What a message whose content makes no sense raises."""


@dataclass(frozen=True)
class RecordedRun:
    """The ticks from one start of the controller to its end, in their order."""

    path: ReferencePath | None
    """The path they followed; None when the bag has lost it."""
    begin: int
    """Number of its first tick among those of the bag."""
    end: int
    """Number of the first tick behind it."""
    first: int
    """What its first tick called itself."""
    start: float
    """When its first tick began [s]."""
    stop: float
    """When its last tick began [s]."""
    whole: bool
    """The first tick is there, in which the loop remembered nothing."""

    def __len__(self) -> int:
        """Return how many ticks it has."""
        return self.end - self.begin


class TickMarks:
    """What tells the runs of a bag apart, of each tick in the order of receipt: hours of bag hold many ticks."""

    def __init__(self) -> None:
        """Begin without ticks."""
        self._ticks, self._stamps, self._misses = array('q'), array('d'), array('d')
        self._had_state, self._remembered = array('b'), array('b')

    def __len__(self) -> int:
        """Return how many ticks there are."""
        return len(self._ticks)

    def add(self, record: TickRecord) -> None:
        """Take the next tick."""
        self._ticks.append(int(record.tick))
        self._stamps.append(record.stamp)
        self._misses.append(record.misses)
        self._had_state.append(len(record.window_mask) > 0)
        # A plan that was late leaves the next tick without one; that tick still remembers a transition or a way walked.
        planned, walked = bool(np.isfinite(record.previous_plan).any()), bool(record.credit > 0.0)
        self._remembered.append(planned or walked or bool(record.window_mask.any()))

    @property
    def span(self) -> tuple[float, float]:
        """When the first and the last tick began [s]."""
        return self._stamps[0], self._stamps[-1]

    def runs(self) -> Iterator[tuple[int, int, int | None, bool]]:
        """Yield the begin and end of each run, the tick in it that had the first state, and whether it is whole.

        The first tick of a run that has a state remembers nothing: no plan to start from, no transition, no way walked.
        """
        begin, decided, whole = 0, None, False
        for k in range(len(self)):
            first = bool(self._had_state[k] and not self._remembered[k])
            if k and (not self._follows(k) or (first and decided is not None)):
                yield begin, k, decided, whole
                begin, decided, whole = k, None, False
            whole = whole or first
            if decided is None and self._had_state[k]:
                decided = k
        if len(self):
            yield begin, len(self), decided, whole

    def _follows(self, k: int) -> bool:
        """Tell whether tick k may belong to the run of the one recorded before it.

        Between two runs there are ticks without a record. Within a run records are missing where the planner was late,
        which counts as misses, or where the recorder lost them: then the tick still remembers the ones before it.
        """
        tick, last = self._ticks[k], self._ticks[k - 1]
        return tick == last + 1 or (tick > last and (self._misses[k] > 0 or bool(self._remembered[k])))

    def run(self, begin: int, end: int, path: ReferencePath | None, whole: bool) -> RecordedRun:
        """Describe the run from tick `begin` up to `end` without it."""
        return RecordedRun(path, begin, end, self._ticks[begin], self._stamps[begin], self._stamps[end - 1], whole)

    def stamp(self, k: int) -> float:
        """Return when tick k began [s]."""
        return self._stamps[k]


@dataclass
class Decisions:
    """What was decided in a live run, in the order of receipt; the records themselves are read again when needed."""

    arrivals: int = 0
    """Arrival records."""
    ticks: TickMarks = field(default_factory=TickMarks)
    lengths: dict[tuple[int, int], int] = field(default_factory=dict)
    """Lengths of window and horizon (T1, H) of ticks that planned with the first model, with the first such tick."""
    setpoints: RowsByStamp = field(default_factory=RowsByStamp)
    """What the controller published [rad/s], shape (nu,)."""
    references: list[tuple[float, ReferencePath]] = field(default_factory=list)
    """Stamp [s] and path."""
    revisions: dict[int, Revision] = field(default_factory=dict)
    """Live parameters and model of the controller by the number that ticks give them."""
    fingerprint: str = ''
    """Of the controller; '' when it is not known."""

    def add(self, topic: str, message: Any) -> None:
        """Sort one message in.

        Raises:
            ValueError, IndexError, UserError: its content makes no sense.
        """
        if topic == ARRIVALS.name:
            ArrivalRecord.decode(message.data)
            self.arrivals += 1
        elif topic == STATE.name:
            decode_state(message.data)
        elif topic == TICK.name:
            self._add_tick(decode_tick(message.data))
        elif topic == SETPOINT.name:
            self.setpoints.add(microseconds(seconds(message.header.stamp)), joint_values(message, list(message.name)))
        elif topic == REFERENCE.name:
            self.references.append((seconds(message.header.stamp), reference_path(message)))
        elif topic == PARAMETERS.name:
            number, revision = revision_of(message.data)
            self.revisions[number] = revision
        elif topic == CONTROLLER_STATE.name:
            details = {pair.key: pair.value for pair in message.values}
            self.fingerprint = details.get('fingerprint', self.fingerprint)

    def _add_tick(self, record: TickRecord) -> None:
        self.ticks.add(record)
        if np.isfinite(record.state_stamp) and not self._swapped(record):
            self.lengths.setdefault((len(record.window_mask), len(record.plan_actions)), int(record.tick))

    def _swapped(self, record: TickRecord) -> bool:
        """Tell whether a tick planned with another model than the first one."""
        number = int(record.revision) if np.isfinite(record.revision) else 0
        first, now = (self.revisions.get(each, Revision({})).model for each in (0, number))
        return now is not None and first is not None and now.digest != first.digest

    def runs(self, dt: float, shape: str) -> Iterator[RecordedRun]:
        """Yield the runs, one after the other as their ticks lie in the bag.

        Args:
            dt: Control period [s].
            shape: Name of the path, which chooses the weights of the executed cost.
        """
        for begin, end, decided, whole in self.ticks.runs():
            newest = self.ticks.stamp(end - 1 if decided is None else decided)
            yield self.ticks.run(begin, end, self._path_at(newest, dt, shape), whole)

    def _path_at(self, stamp: float, dt: float, shape: str) -> ReferencePath | None:
        """Return the newest path at a tick; it is published in the first tick of a run or before it."""
        before = [path for published, path in self.references if published <= stamp + dt]
        return ReferencePath(before[-1].waypoints, before[-1].closed, shape) if before else None


def read_decisions(bag: Bag) -> Decisions:
    """Read a bag through; a message whose content makes no sense is left out with a warning.

    Raises:
        UserError: nothing in the bag is readable.
    """
    decisions = Decisions()
    messages = bag.messages(DECISIONS)
    for topic, message, _ in tqdm(messages, desc='reading', unit=' messages', disable=None, leave=False):
        try:
            decisions.add(topic, message)
        except UNREADABLE:
            bag.broken[topic] += 1
    return decisions


def ticks_again(bag: Bag) -> Iterator[TickRecord]:
    """Read the records of all ticks once more, in the order of receipt."""
    for _, message, _ in bag.again().messages((TICK,)):
        try:
            yield decode_tick(message.data)
        except UNREADABLE:
            continue
