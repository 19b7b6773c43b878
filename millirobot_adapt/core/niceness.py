"""Right of way on the processor: what drives the robot goes before other programs, where the system allows it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from millirobot_adapt.core.config import param

NICENESS = param(
    -10,
    'Niceness that the process asks for (man 7 sched): lower goes first; 0: asks for nothing. '
    'Where the system forbids it, the process stays as it is; `millirobot doctor` says so.',
    low=-20,
    high=19,
)
"""The parameter of every node that the robot needs while it walks."""


def take_niceness(niceness: int) -> bool:
    """Give all threads of this process a niceness; returns whether the system allowed it (0: nothing is asked for).

    Linux keeps the niceness of each thread by itself, and may share the processor between sessions first: a process
    that leads a session asks for its session, too (`autogroup` in man 7 sched).
    """
    if niceness == 0:
        return True
    try:
        for thread in Path('/proc/self/task').iterdir():
            with contextlib.suppress(ProcessLookupError):  # a thread that has just ended
                os.setpriority(os.PRIO_PROCESS, int(thread.name), niceness)
        if os.getsid(0) == os.getpid() and (autogroup := Path('/proc/self/autogroup')).exists():
            autogroup.write_text(str(niceness), encoding='ascii')
    except OSError:
        return False
    return True
