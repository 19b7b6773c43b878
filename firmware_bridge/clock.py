"""The two clocks of the bridge: a steady one for durations, the host's for stamps."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Time, as the link and its driver see it."""

    def steady(self) -> float:
        """Return a time that only grows [s], even when the host's clock is set back."""

    def host(self) -> float:
        """Return the host's time [s since the epoch], for stamps."""

    def sleep(self, seconds: float) -> None:
        """Wait [s]."""

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait until a condition that the caller holds is notified, at most this long [s]."""


class SystemClock:
    """The machine's own clocks."""

    def steady(self) -> float:
        """Return the monotonic clock [s]."""
        return time.monotonic()

    def host(self) -> float:
        """Return the system clock [s since the epoch]."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait [s]."""
        time.sleep(seconds)

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait for the condition, at most this long [s]."""
        condition.wait(seconds)


class ManualClock:
    """A clock that moves only on request, so that tests and benchmarks never wait."""

    def __init__(self, epoch: float = 1.7e9) -> None:
        self._steady = 0.0
        self._epoch = epoch

    def steady(self) -> float:
        """Return the time passed since the clock was made [s]."""
        return self._steady

    def host(self) -> float:
        """Return the epoch plus the time passed [s]."""
        return self._epoch + self._steady

    def sleep(self, seconds: float) -> None:
        """Move the clock forward [s]."""
        self._steady += max(0.0, seconds)

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Move the clock forward [s]: in a test of one thread nobody notifies the condition."""
        self.sleep(seconds)
