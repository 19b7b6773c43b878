"""Count the messages that were published but never came, by the gaps between the numbers that publishers give them."""

from __future__ import annotations

from collections import Counter

from millirobot_adapt.contract.topics import DIAGNOSTICS


class SequenceGaps:
    """Messages that never came, by topic: the network, a full queue, or the disk was too slow for them.

    Topics with many publishers are left alone: their numbers interleave.
    """

    def __init__(self) -> None:
        """Begin with no losses."""
        self.lost: Counter[str] = Counter()
        self._newest: dict[str, int] = {}

    def saw(self, topic: str, sequence: int) -> None:
        """Take the number of a message that came; 0 is no number, and a smaller one a publisher that began anew."""
        if not sequence or topic == DIAGNOSTICS.name:
            return
        newest = self._newest.get(topic, sequence)
        if sequence > newest + 1:
            self.lost[topic] += sequence - newest - 1
        self._newest[topic] = sequence
