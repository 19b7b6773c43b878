"""Keep a steady rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator


def every(
    period: float,
    closing: threading.Event,
    steady: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """Yield once every `period` [s] of the steady clock until `closing` is set.

    Times are absolute, so that small delays do not add up; after a pause longer than a period (a machine that slept)
    the rhythm goes on from now instead of making up for what was missed.
    """
    due = steady()
    while not closing.wait(max(0.0, due - steady())):
        yield
        due = max(due + period, steady())
