"""Tell a planner how long it may go on: one question before each chunk of candidates, asked with the chunks done.

Live, time answers; in replay the number of chunks that were done then does, so that a tick cut short comes again.
"""

from __future__ import annotations

from collections.abc import Callable

GoOn = Callable[[int], bool]
"""Whether to begin another chunk, from the number of chunks done."""


def unlimited(_: int) -> bool:
    """Go on until every candidate is scored."""
    return True


def first_chunks(count: int) -> GoOn:
    """Return the answer that ends the search after `count` chunks."""
    return lambda done: done < count


class Deadline:
    """Go on while the next chunk, were it as slow as the slowest so far, would be done at time `end` of `clock` [s]."""

    def __init__(self, clock: Callable[[], float], end: float) -> None:
        self._clock = clock
        self._end = end
        self._last = clock()
        self._slowest = 0.0

    def __call__(self, done: int) -> bool:
        """Tell whether there is time for another chunk; the first one begins as long as any time is left."""
        now = self._clock()
        if done:
            self._slowest = max(self._slowest, now - self._last)
        self._last = now
        return now < self._end and now + self._slowest <= self._end
