"""Tell a recorder's clock that was set back from messages that do not lie in the order of their time.

In both a file holds times that go back. Where messages were written topic after topic, each topic still goes forward.
Where the clock was set back, every topic goes back at one place in the file, goes forward from there, and its numbers,
where publishers gave some, go on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

SMALLEST_STEP = 1_000_000_000
"""Less than this is jitter [ns]."""
MOST_STEPS = 4
"""A file with more places at which time goes back was shuffled."""
FEWEST = 5
"""Fewer messages at the end of a file are late ones, and no step."""
MOST_BEHIND = 1000
"""This many messages of topics that are new behind a step are counted to what follows it."""
JOINT = 500_000_000
"""Two stretches of time that meet within this belong together: parts in the wrong order, and no step [ns]."""


class Position(NamedTuple):
    """What is looked at of each message, in the order of the file."""

    topic: str
    time: int
    """Log time [ns]."""
    sequence: int
    """The publisher's number; 0: none."""


class ClockStep(NamedTuple):
    """A place at which the clock was set back."""

    position: int
    """Number of the first message behind it, in the order of the file."""
    back: int
    """By how much [ns]."""


@dataclass
class _Stretch:
    position: int
    first: dict[str, Position] = field(default_factory=dict)
    second: dict[str, Position] = field(default_factory=dict)
    last: dict[str, Position] = field(default_factory=dict)
    start: int = 0
    end: int = 0
    count: int = 0

    def add(self, found: Position) -> None:
        self.count += 1
        self.start = min(self.start, found.time) if self.first else found.time
        self.end = max(self.end, found.time) if self.first else found.time
        if found.topic in self.first:
            self.second.setdefault(found.topic, found)
        self.first.setdefault(found.topic, found)
        self.last[found.topic] = found

    @property
    def forward(self) -> bool:
        """Time goes forward in it."""
        return all(self.last[topic].time >= first.time for topic, first in self.first.items())


def find_steps(positions: Iterable[Position]) -> list[ClockStep]:
    """Return the steps of the clock; none where messages only lie in another order."""
    stretches = [_Stretch(0)]
    behind: list[Position] = []
    """The newest messages, as far as all lie clearly behind the stretch's end: they may belong to the next one."""
    for number, found in enumerate(positions):
        stretch = stretches[-1]
        before = stretch.last.get(found.topic)
        if before is not None and found.time < before.time - SMALLEST_STEP:
            stretches.append(_Stretch(number - len(behind)))
            if len(stretches) > MOST_STEPS + 1:
                return []
            for each in (*behind, found):
                stretches[-1].add(each)
            behind = []
        elif stretch.first and found.time < stretch.end - SMALLEST_STEP and len(behind) < MOST_BEHIND:
            behind.append(found)
        else:
            for each in (*behind, found):
                stretch.add(each)
            behind = []
    for each in behind:
        stretches[-1].add(each)
    if len(stretches) == 1 or not all(stretch.forward for stretch in stretches):
        return []
    if not all(_all_go_back(a, b) for a, b in itertools.pairwise(stretches)):
        return []
    numbers = [_numbers_go_on(a, b) for a, b in itertools.pairwise(stretches)]
    if False in numbers or (None in numbers and _parts_in_the_wrong_order(stretches)):
        return []
    pairs = itertools.pairwise(stretches)
    return [ClockStep(b.position, a.end - b.start) for a, b in pairs]


def _all_go_back(a: _Stretch, b: _Stretch) -> bool:
    """Tell whether most topics of both stretches go back, and not single messages that came late.

    Topics that begin behind the step say nothing: the clock may be set while the robot still starts.
    """
    shared = [topic for topic in b.first if topic in a.last]
    # Parts of a bag that lies topic after topic share one topic; a step of the clock has most topics on both sides.
    least = min(len(a.second), max(2, len(b.second) / 2))
    if b.count < FEWEST or len(shared) < least:
        return False
    back = [
        topic
        for topic in shared
        if b.first[topic].time < a.last[topic].time
        and b.second.get(topic, b.first[topic]).time < a.last[topic].time + JOINT
    ]
    return len(back) * 2 > len(shared)


def _numbers_go_on(a: _Stretch, b: _Stretch) -> bool | None:
    """Tell whether the publishers' numbers rise from one stretch to the next; None: there are none."""
    shared = [
        (a.last[topic].sequence, first.sequence)
        for topic, first in b.first.items()
        if topic in a.last and first.sequence and a.last[topic].sequence
    ]
    if not shared:
        return None
    return sum(later > earlier for earlier, later in shared) * 2 > len(shared)


def _parts_in_the_wrong_order(stretches: list[_Stretch]) -> bool:
    """Tell whether the stretches, sorted by time, join without a gap and without an overlap."""
    ordered = sorted(stretches, key=lambda stretch: stretch.start)
    return all(abs(b.start - a.end) < JOINT for a, b in itertools.pairwise(ordered))
