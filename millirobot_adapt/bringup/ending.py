"""The one way in which the processes of a run end: in waves, each asked, urged, killed.

The supervisor ends a run this way, and so does the guardian where the supervisor was killed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence

GRACE = ((signal.SIGINT, 3.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 0.5))
"""Signals sent one after the other, and how long each may take [s]; a bag takes a moment to finish."""
PERIOD = 0.01
"""Time between two looks [s]."""

Grace = Sequence[tuple[signal.Signals, float]]


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; number 0 only asks. Returns whether the group exists."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # a process of another user has joined it: not ours to end
        return False
    return True


def end_wave(groups: Iterable[int], alive: Callable[[int], bool], grace: Grace = GRACE) -> None:
    """End some process groups together.

    Args:
        groups: Process ids of the leaders.
        alive: Whether a leader still runs.
        grace: Signals, and how long to wait after each [s].
    """
    groups = list(groups)
    left = groups
    for number, seconds in grace:
        for group in left:
            signal_group(group, number)
        deadline = time.monotonic() + seconds
        while (left := [group for group in left if alive(group)]) and time.monotonic() < deadline:
            time.sleep(PERIOD)
        if not left:
            break
    for group in groups:
        signal_group(group, signal.SIGKILL)  # children that outlived their leader
