"""Say how long a search may go on: one question before each batch of candidates, asked with the batches done.

Live, the clock answers. In replay the recorded number of batches does, so that a tick that was cut short repeats.
"""

from __future__ import annotations

from collections.abc import Callable

from millirobot_adapt.core.planning.planner_interface import GoOn


def unlimited(_: int) -> bool:
    """Go on until every candidate is scored."""
    return True


def first_batches(count: int) -> GoOn:
    """Return the answer that ends the search after `count` batches."""
    return lambda done: done < count


class Deadline:
    """Go on while the next batch, if it is as slow as the slowest so far, ends before time `end` of `clock` [s]."""

    def __init__(self, clock: Callable[[], float], end: float) -> None:
        self._clock = clock
        self._end = end
        self._last = clock()
        self._slowest = 0.0

    def __call__(self, done: int) -> bool:
        """Return whether there is time for another batch; the first one starts as long as any time is left."""
        now = self._clock()
        if done:
            self._slowest = max(self._slowest, now - self._last)
        self._last = now
        return now < self._end and now + self._slowest <= self._end
