"""Bring the stamps of all topics onto one clock, the recorder's.

A publisher may run on another host whose clock is off by hours, on simulated time or time since boot, and its clock
may be set on the way. The time of receipt shows it: a message is received shortly after its stamp, so the lag between
the two is the offset of the publisher's clock and some latency. A lag that lasts belongs to the clock; one that passes
belongs to the network.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

from millirobot_adapt.contract.reply_codec import STAMP_PLACE
from millirobot_adapt.contract.topics import (
    BACK_EMF,
    BATTERY,
    IMU,
    LEGS,
    MOCAP_POSE,
    ODOMETRY,
    REPLY,
    SENT,
    SETPOINT,
    TRUE_LEGS,
    TRUE_POSE,
)

STAMPED = frozenset(
    topic.name
    for topic in (
        MOCAP_POSE, LEGS, IMU, BATTERY, BACK_EMF, REPLY, SENT, SETPOINT, ODOMETRY, TRUE_POSE, TRUE_LEGS,
    )
)  # fmt: skip
"""Topics that carry a stamp of the moment and are published often."""
JOINED = frozenset(topic.name for topic in (LEGS, IMU, BATTERY, BACK_EMF, REPLY))
"""Topics whose messages belong together by equal stamps."""
STAMP_PLACES = {BACK_EMF.name: 0, REPLY.name: STAMP_PLACE}
"""Where the stamp [s] stands in messages that are arrays."""
OTHER_CLOCK = 1_000_000_000
"""Lags that differ by more belong to two clocks, if they last [ns]; the estimator copes with less."""
AGREE = 500_000_000
"""Lags of one clock differ by less [ns]."""
LASTING = 1_000_000_000
"""A lag that stays for this long belongs to the clock [ns]."""
MOST = 9e9
"""A number beyond is no stamp [s]."""
LOOKAHEAD = 3_000_000_000
"""Time ahead that is examined to decide [ns]."""
MOST_WAITING = 50_000
"""So many messages wait at most, where the time of receipt stands still."""
STEP = 1_000_000_000
"""Stamps of one topic that differ by more do not follow each other [ns]."""
RATE_SHOWS = 2_000_000_000
"""Stamps that went on by more show at what rate the recorder's clock went on [ns]."""


class Found(NamedTuple):
    """One decoded message of a bag."""

    topic: str
    """Name in the contract."""
    message: Any
    received: int
    """[ns since the epoch]."""


@dataclass
class _Course:
    """How far the stamps of a topic have gone on, and the recorder's clock meanwhile [ns]."""

    stamp: int
    received: int
    stamps: int = 0
    receipts: int = 0

    def go_on(self, stamp: int, received: int) -> None:
        """Take the next message; a step of the stamps counts for nothing."""
        if abs(stamp - self.stamp) <= STEP:
            self.stamps += stamp - self.stamp
        self.receipts += received - self.received
        self.stamp, self.received = stamp, received


@dataclass(frozen=True)
class _Event:
    """What was found of the clock of a topic."""

    offset: int
    """By how much its stamps are behind the recorder's clock [ns]."""
    before: int | None
    """The offset before [ns]; None: it was so from the topic's beginning."""
    at: float
    """Time since the first message [s]."""


class StampClocks:
    """Find the offset of each topic's clock while messages pass by, and take it off if that is wanted."""

    def __init__(self, move: bool) -> None:
        """`move`: change the stamps; else only `lines` are found."""
        self._move = move
        self._waiting: deque[tuple[Found, int | None]] = deque()
        self._ahead: dict[str, deque[tuple[int, int]]] = {}
        """By topic: time of receipt and lag of the messages that wait, in order [ns]."""
        self._offsets: dict[str, int] = {}
        self._known = [0]
        """Every offset found so far: topics of one host share one, so that equal stamps stay equal [ns]."""
        self._events: dict[_Event, list[str]] = {}
        self._zeros: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._start: int | None = None
        self._courses: dict[str, _Course] = {}

    def bring(self, found: Iterable[Found]) -> Iterator[Found]:
        """Yield the messages, in their order of receipt, with stamps of the recorder's clock."""
        for each in found:
            self._start = each.received if self._start is None else self._start
            stamp = stamp_of(each.message, each.topic) if each.topic in STAMPED else None
            self._waiting.append((each, stamp))
            if stamp:
                self._ahead.setdefault(each.topic, deque()).append((each.received, each.received - stamp))
            while each.received - self._waiting[0][0].received > LOOKAHEAD or len(self._waiting) > MOST_WAITING:
                yield self._released()
        while self._waiting:
            yield self._released()

    def lines(self) -> list[str]:
        """Say which clock is off by how much; complete once all messages have been yielded."""
        done = 'brought to it' if self._move else 'left as they are'
        said = []
        for event, topics in self._events.items():
            names = ', '.join(topics)
            if event.before is None:
                way = 'behind' if event.offset > 0 else 'ahead of'
                seconds = abs(event.offset) * 1e-9
                said.append(f"{names}: stamps are {seconds:.1f} s {way} the recorder's clock; they are {done}")
            else:
                step = event.offset - event.before
                way = 'back' if step > 0 else 'forward'
                said.append(
                    f'{names}: the clock of the stamps was set {way} by {abs(step) * 1e-9:.1f} s, {event.at:.1f} s '
                    f'after the first message; stamps are {done.replace("it", "the time of receipt")}'
                )
        slow = [
            (course.stamps, topic)
            for topic, course in self._courses.items()
            if course.stamps > RATE_SHOWS and 2 * course.receipts < course.stamps
        ]
        if slow:
            stamps, topic = max(slow)
            said.append(
                f"{topic}: stamps went on by {stamps * 1e-9:.1f} s and the recorder's clock by "
                f'{self._courses[topic].receipts * 1e-9:.1f} s; times of receipt are no measure of time here'
            )
        for topic, count in self._zeros.items():
            instead = 'the time of receipt is used instead' if self._replaces_zeros(topic) else 'they are left so'
            said.append(f'{topic}: {count} of {self._counts[topic]} stamps are 0; {instead}')
        return said

    def _released(self) -> Found:
        found, stamp = self._waiting.popleft()
        if stamp is None:
            return found
        self._counts[found.topic] += 1
        if stamp == 0:
            self._zeros[found.topic] += 1
            if self._replaces_zeros(found.topic):
                set_stamp(found.message, found.topic, found.received // 1000 * 1000)
            return found
        self._courses.setdefault(found.topic, _Course(stamp, found.received)).go_on(stamp, found.received)
        ahead = self._ahead[found.topic]
        offset = self._offset(found.topic, ahead)
        ahead.popleft()
        if offset and self._move:
            set_stamp(found.message, found.topic, stamp + offset)
        return found

    def _replaces_zeros(self, topic: str) -> bool:
        return self._move and topic not in JOINED

    def _offset(self, topic: str, ahead: deque[tuple[int, int]]) -> int:
        """Return the offset of the clock that the first message in `ahead` was stamped by [ns]."""
        received, lag = ahead[0]
        current = self._offsets.get(topic)
        if current is not None and abs(lag - current) <= OTHER_CLOCK:
            return current
        if current is None and abs(lag) <= OTHER_CLOCK:
            self._offsets[topic] = 0
            return 0
        alike = [other for _, other in ahead if abs(other - lag) <= AGREE]
        newest, newest_lag = ahead[-1]
        if abs(newest_lag - lag) > AGREE or newest - received < LASTING or 2 * len(alike) < len(ahead):
            return current or 0  # a late message, a stall of the network, or too few to tell
        near = [offset for offset in self._known if abs(lag - offset) <= OTHER_CLOCK]
        offset = near[0] if near else min(alike) // 1000 * 1000  # whole microseconds, as stamps are
        if not near:
            self._known.append(offset)
        self._offsets[topic] = offset
        if current is not None or offset:
            at = 0.0 if current is None else (received - (self._start or 0)) * 1e-9
            self._note(topic, _Event(offset, current, at))
        return offset

    def _note(self, topic: str, event: _Event) -> None:
        """Keep what was found; topics of one clock share a line."""
        for known, topics in self._events.items():
            if (known.offset, known.before) == (event.offset, event.before) and abs(known.at - event.at) < 1.0:
                topics.append(topic)
                return
        self._events[event] = [topic]


def stamp_of(message: Any, topic: str) -> int:
    """Return the stamp of a message [ns], 0 where it has none that can be read."""
    place = STAMP_PLACES.get(topic)
    if place is not None:
        value = float(message.data[place]) if place < len(message.data) else 0.0
        return round(value * 1e6) * 1000 if abs(value) < MOST else 0
    return int(message.header.stamp.sec) * 1_000_000_000 + int(message.header.stamp.nanosec)


def set_stamp(message: Any, topic: str, stamp: int) -> None:
    """Give a message another stamp [ns], which may not be before 1970."""
    stamp = max(stamp, 0)
    place = STAMP_PLACES.get(topic)
    if place is not None:
        data = copy(message.data)  # what was read of a bag may not be written to
        if place < len(data):
            data[place] = stamp // 1000 * 1e-6
        message.data = data
    else:
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 1_000_000_000)
