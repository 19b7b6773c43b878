"""End the processes of a live run when the program that started them was killed outright.

A supervisor stops its processes itself, but nothing can catch SIGKILL. So it starts this program beside them, which
reads a pipe: `+PID` for a process (the leader of its group) that has started, `-PID` for one that has ended. The end of
the pipe means that the supervisor is gone, and whatever is still listed must go too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE = ((signal.SIGINT, 5.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 0.0))
"""Signals sent one after the other, and how long each may take [s]."""


def listed(lines: Iterable[str]) -> list[int]:
    """Read the pipe to its end and return the process groups that are still listed, in the order of their start."""
    groups: dict[int, None] = {}
    for line in lines:
        if line.startswith('+'):
            groups[int(line[1:])] = None
        else:
            groups.pop(int(line[1:]), None)
    return list(groups)


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; number 0 only asks. Returns whether the group exists."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def end(groups: list[int]) -> None:
    """End process groups: ask, insist, kill."""
    for number, grace in GRACE:
        for group in groups:
            signal_group(group, number)
        deadline = time.monotonic() + grace
        while groups and time.monotonic() < deadline:
            time.sleep(0.05)
            groups = [group for group in groups if signal_group(group, 0)]


def main() -> None:
    """Wait for the end of standard input, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(ValueError):  # a half-written line: the supervisor died while it wrote
        end(listed(sys.stdin))


if __name__ == '__main__':
    main()
