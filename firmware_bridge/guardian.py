"""The serial guardian: a small process that stops the robot when the bridge no longer can.

Nothing catches SIGKILL, and a hung interpreter runs no watchdog of its own. So a child process also holds the port and
listens for heartbeats of the link's thread. Its program is `guardian_process.py`, which describes the rest.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from firmware_bridge import guardian_process
from firmware_bridge.transports import TransportLost

LEAVE_TIME = 0.5
"""A guardian that has not left within this time is killed [s]."""
DEAF_AFTER = 1.0
"""A guardian that has not answered a heartbeat within this time counts as dead [s]: it may be stopped."""


class Guardian(Protocol):
    """The guardian as the link sees it."""

    def beat(self, motors_on: bool) -> None:
        """Tell it that the link's thread is alive, and whether the motors may be on."""

    def trouble(self) -> str | None:
        """Return what it has done or what has happened to it since the last call; None when all is well."""

    def close(self) -> None:
        """End it."""


class StartingGuardian(Guardian, Protocol):
    """A guardian whose process takes a while to start."""

    @property
    def ready(self) -> bool:
        """Whether it guards: nothing may move before."""

    @property
    def alive(self) -> bool:
        """Whether its process runs."""


class SerialGuardian:
    """Start a guardian for an open port; it writes `words` after `silence` [s] or at the bridge's end.

    Raises:
        TransportLost: it cannot be started.
    """

    def __init__(
        self, descriptor: int, words: bytes, silence: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._asked_at: float | None = None  # when the first heartbeat without an answer was sent
        # -I and -S: no environment, no site-packages. Its own session: Ctrl-C in the terminal does not reach it.
        command = [sys.executable, '-I', '-S', guardian_process.__file__, str(descriptor), str(silence), words.hex()]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, pass_fds=(descriptor,),
                start_new_session=True, cwd=Path('/'),
            )  # fmt: skip
        except OSError as error:
            raise TransportLost(f'the serial guardian cannot be started: {error}') from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    @property
    def pid(self) -> int:
        """Process id of the guardian."""
        return self._process.pid

    @property
    def answered(self) -> bool:
        """Whether every heartbeat that was sent has had its answer; `trouble` hears answers."""
        return self._asked_at is None

    def beat(self, motors_on: bool) -> None:
        """Send a heartbeat; see `Guardian.beat`."""
        if self._asked_at is None:
            self._asked_at = self._clock()
        with contextlib.suppress(OSError):  # `trouble` reports it
            os.write(self._to, guardian_process.WATCH if motors_on else guardian_process.REST)

    def trouble(self) -> str | None:
        """Read its messages; see `Guardian.trouble`."""
        try:
            said = os.read(self._from, 4096)
        except BlockingIOError:
            return self._deaf()
        if not said:
            return 'the serial guardian has died'
        self._asked_at = None
        return (
            'the serial guardian has stopped the motors: the link was silent'
            if guardian_process.SPOKEN in said
            else None
        )

    def _deaf(self) -> str | None:
        """End a guardian that does not answer, and say so."""
        if self._asked_at is None or self._clock() <= self._asked_at + DEAF_AFTER:
            return None
        self._process.kill()
        return 'the serial guardian did not answer'

    def close(self) -> None:
        """End the guardian and wait until it has released the port; closing twice is harmless."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(OSError):
            os.write(self._to, guardian_process.LEAVE)
        try:
            self._process.wait(LEAVE_TIME)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
