"""Signals that ask a program to end: none may interrupt a start or a shut-down half-way.

The rules, for every program of this package:

1. A child that knows the rules is started with the signals blocked (`blocked`), so that one which comes while Python
   starts waits instead of printing a traceback.
2. The first statement of the program is `die_at_once`: until something has been started, a signal ends it silently.
3. Once there is something to end, signals only set a flag (`Interrupts` here, `NodeExit` in a node).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the polite `kill`, and the closing of the terminal."""


@contextmanager
def blocked() -> Iterator[None]:
    """Block the signals in this thread, and in the processes that it starts meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_at_once() -> None:
    """Let the signals end this process at once and silently, also one that has been waiting.

    A signal that the parent had ignored (SIGHUP under `nohup`) stays ignored; SIGINT does not, for `ros2 launch` ends
    its processes by it even where it was started in the background.
    """
    for number in SIGNALS:
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def ignore() -> None:
    """Ignore the signals from now on: all is done, and Python takes a moment to end."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


class Interrupts:
    """While open, signals only set a flag; the death of the program that started this one counts as a signal, too."""

    def __init__(self, parent: int | None = None) -> None:
        """Watch nothing yet; `parent` is the process id of the program without which this one must not run."""
        self._signalled = False
        self._parent = parent
        self._before: dict[int, Any] = {}

    @property
    def abandoned(self) -> bool:
        """The parent has died: nobody reads what this program prints."""
        return self._parent is not None and os.getppid() != self._parent

    @property
    def requested(self) -> bool:
        """Somebody asks this program to end."""
        return self._signalled or self.abandoned

    def __enter__(self) -> Interrupts:
        for number in SIGNALS:
            if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._note:  # else somebody has set another one on purpose
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True
