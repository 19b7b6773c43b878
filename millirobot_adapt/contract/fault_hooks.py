"""How a mock steps the clock of the processes beside it and ends their workers, if those were started for it.

Whoever starts the processes of a mock names a file in the environment variable `VARIABLE`. It holds one number, which
every one of them adds to its host clock; the mock writes it. SIGUSR1 ends the worker threads of such a process. Without
the variable nothing of this exists: no process that drives a real robot can be reached by it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

VARIABLE = 'MILLIROBOT_MOCK_HOOKS'
"""Environment variable with the path of the file."""
NUMBER = struct.Struct('<d')
WORKER_SIGNAL = signal.SIGUSR1


class InjectedError(Exception):
    """An exception that a mock has injected into a worker thread."""


class ClockFile:
    """The number of seconds by which the host's clock is ahead of the true time, shared between processes."""

    def __init__(self, path: Path) -> None:
        """Open the file; make it if it is not there."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < NUMBER.size:
                os.write(descriptor, NUMBER.pack(0.0))
            self._memory = mmap.mmap(descriptor, NUMBER.size)
        finally:
            os.close(descriptor)

    @property
    def ahead(self) -> float:
        """[s]."""
        return float(NUMBER.unpack_from(self._memory)[0])

    @ahead.setter
    def ahead(self, seconds: float) -> None:
        NUMBER.pack_into(self._memory, 0, seconds)


def clock_file() -> ClockFile | None:
    """Open the file of the mock that this process was started for; None where there is none."""
    path = os.environ.get(VARIABLE)
    return ClockFile(Path(path)) if path else None


def install_hooks() -> None:
    """Let the mock step this process's clock and end its workers, if it was started for one; call this first."""
    file = clock_file()
    if file is None:
        return
    true_time, true_time_ns = time.time, time.time_ns
    time.time = lambda: true_time() + file.ahead
    time.time_ns = lambda: true_time_ns() + round(1e9 * file.ahead)
    signal.signal(WORKER_SIGNAL, lambda number, frame: _end_workers())


def _end_workers() -> None:
    """Raise an exception in every thread but the main one, at its next instruction."""
    raise_in: Callable[[ctypes.c_ulong, ctypes.py_object], int] = ctypes.pythonapi.PyThreadState_SetAsyncExc
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and thread.ident is not None:
            raise_in(ctypes.c_ulong(thread.ident), ctypes.py_object(InjectedError))
