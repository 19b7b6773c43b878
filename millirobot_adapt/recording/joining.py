"""Make one stream of messages of the parts of a bag: in the order in which things happened, and each message once."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from millirobot_adapt.recording.clock_steps import ClockStep, Position, find_steps
from millirobot_adapt.recording.ordering import DISORDER
from millirobot_adapt.recording.parts import Part
from millirobot_adapt.recording.records import Channel, Raw

Numbered = tuple[int, Raw]
"""Number of the part, and a message of it."""


def merged(parts: Sequence[Part]) -> Iterator[Numbered]:
    """Yield (number of the part, message) of all parts in the order of log time; a part is opened when it is due."""
    coming = sorted(((part.start, number) for number, part in enumerate(parts)), reverse=True)
    heads: list[tuple[int, int, Raw, Iterator[Raw]]] = []
    while coming or heads:
        while coming and (not heads or coming[-1][0] <= heads[0][0]):
            _, number = coming.pop()
            _advance(heads, number, parts[number].messages())
        if heads:
            _, number, raw, rest = heapq.heappop(heads)
            yield number, raw
            _advance(heads, number, rest)


def one_after_the_other(parts: Sequence[Part]) -> Iterator[Numbered]:
    """Yield (number of the part, message) in the order of the parts and in that of each file."""
    for number, part in enumerate(parts):
        for raw in part.in_file_order():
            yield number, raw


def clock_steps(parts: Sequence[Part]) -> list[ClockStep]:
    """Return where the recorder's clock was set back, in parts that were written one after the other."""
    after = any(b.start < a.end - DISORDER for a, b in itertools.pairwise(parts))
    if not after and not any(part.disordered for part in parts):
        return []
    messages = one_after_the_other(parts)
    return find_steps(Position(raw.channel.topic, raw.received, raw.sequence) for _, raw in messages)


def moved(found: Iterable[Numbered], steps: Sequence[ClockStep]) -> Iterator[Numbered]:
    """Move the times behind each step of the clock, so that they go on."""
    coming, by = list(steps), 0
    for count, (number, raw) in enumerate(found):
        while coming and count >= coming[0].position:
            by += coming.pop(0).back
        yield number, raw._replace(received=raw.received + by) if by else raw


def _advance(heads: list[tuple[int, int, Raw, Iterator[Raw]]], number: int, rest: Iterator[Raw]) -> None:
    raw = next(rest, None)
    if raw is not None:
        heapq.heappush(heads, (raw.received, number, raw, rest))


@dataclass
class Repeats:
    """What a bag holds twice."""

    in_two_files: int = 0
    """Messages that two files of the bag hold both."""
    left_out: int = 0
    """Those, and the latched messages that the recorder repeats where it splits a bag."""

    def once(self, found: Iterable[Numbered]) -> Iterator[Raw]:
        """Yield each message once, and count the others."""
        newest: dict[Channel, Numbered] = {}
        begun: set[tuple[int, Channel]] = set()
        now: list[Numbered] = []
        for number, raw in found:
            if now and now[0][1].received != raw.received:
                now = []
            if any(n != number and (r.channel.topic, r.data) == (raw.channel.topic, raw.data) for n, r in now):
                self.in_two_files += 1
                self.left_out += 1
                continue
            now.append((number, raw))
            first = (number, raw.channel) not in begun
            begun.add((number, raw.channel))
            before = newest.get(raw.channel)
            newest[raw.channel] = (number, raw)
            if first and before is not None and before[0] != number and _repeats(raw, before[1]):
                self.left_out += 1
                continue
            yield raw


def _repeats(raw: Raw, before: Raw) -> bool:
    """Tell whether the first message of a channel in a file is the last one of the file before."""
    return (raw.published, raw.data) == (before.published, before.data)
