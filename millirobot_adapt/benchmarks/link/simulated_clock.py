"""A clock that moves only on request, with things to do at given times."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable

from firmware_bridge.clock import ManualClock


class SimulatedClock(ManualClock):
    """A manual clock on which things happen as time passes."""

    def __init__(self) -> None:
        super().__init__()
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._woken = False

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Call `action` when the clock reaches `time` [s, steady]."""
        self._count += 1
        heapq.heappush(self._coming, (time, self._count, action))

    def wake(self) -> None:
        """End the `wait` under way, as notifying its condition does."""
        self._woken = True

    def sleep(self, seconds: float) -> None:
        """Let time pass [s] and happen what is due."""
        self._pass(seconds, wakes=False)

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Let time pass [s], at most until somebody wakes."""
        self._woken = False
        self._pass(seconds, wakes=True)

    def _pass(self, seconds: float, wakes: bool) -> None:
        end = self.steady() + max(0.0, seconds)
        while self._coming and self._coming[0][0] <= end:
            time, _, action = heapq.heappop(self._coming)
            self._move(time - self.steady())
            action()
            if wakes and self._woken:
                return
        self._move(end - self.steady())

    def _move(self, seconds: float) -> None:
        """Let time pass and nothing happen [s]."""
        super().sleep(seconds)
