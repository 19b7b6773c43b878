"""Count the messages that were published but never came, by the gaps between the numbers that publishers give them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter

MOST_PUBLISHERS = 64
"""On one topic; what joins beyond them is not looked at."""
LATE = 1000
"""This many numbers of a gap are remembered, to be taken back where they come late."""
MOST_MISSING = 20_000
"""Numbers remembered on one topic."""


class SequenceGaps:
    """Messages that never came, by topic: the network, a full queue, or the disk was too slow for them.

    Every publisher counts for itself, from 1. Who has published a message is not recorded: it is the publisher whose
    next number it is, else the one whose last number stands closest below. Where that one goes on with its own next
    number, there was no gap but another publisher. So publishers whose numbers meet can hide a loss, but not make up
    one.
    """

    def __init__(self) -> None:
        """Begin with no losses."""
        self.lost: Counter[str] = Counter()
        self._newest: dict[str, list[int]] = {}
        self._missing: dict[str, dict[int, int]] = {}
        self._gaps: dict[str, Counter[int]] = {}

    def saw(self, topic: str, sequence: int) -> None:
        """Take the number of a message that came; 0 is no number."""
        if not sequence:
            return
        newest = self._newest.setdefault(topic, [])
        missing = self._missing.setdefault(topic, {})
        gap = missing.pop(sequence, None)
        if gap is not None:
            self._forget(topic, missing, gap, all_of_it=gap == sequence - 1)
            if gap == sequence - 1:
                insort(newest, sequence)
            return
        place = bisect_left(newest, sequence)
        if place == 0 or sequence == 1:
            if len(newest) < MOST_PUBLISHERS:
                insort(newest, sequence)
            return
        before = newest.pop(place - 1)
        insort(newest, sequence)
        if sequence > before + 1:
            self.lost[topic] += sequence - before - 1
            if len(missing) > MOST_MISSING:
                missing.clear()
            self._gaps.setdefault(topic, Counter())[before] = sequence - before - 1
            missing.update(dict.fromkeys(range(before + 1, min(sequence, before + LATE)), before))

    def _forget(self, topic: str, missing: dict[int, int], gap: int, all_of_it: bool) -> None:
        """Take one message, or all of the gap behind the number `gap`, out of the losses."""
        gaps = self._gaps[topic]
        count = gaps[gap] if all_of_it else 1
        if all_of_it:
            for number in [number for number, before in missing.items() if before == gap]:
                del missing[number]
        gaps[gap] -= count
        self.lost[topic] -= count
        if self.lost[topic] <= 0:
            del self.lost[topic]
