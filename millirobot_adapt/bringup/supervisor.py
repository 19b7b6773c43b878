"""Start processes, watch them, end them in waves; leave none behind."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from millirobot_adapt.bringup.ending import GRACE, Grace, end_wave
from millirobot_adapt.bringup.interrupts import blocked


@dataclass(frozen=True)
class Ended:
    """A process that ended although nobody asked it to."""

    name: str
    code: int
    """Exit code; negative: the signal that killed it."""
    log: Path
    last_lines: tuple[str, ...]

    @property
    def how(self) -> str:
        """How it ended, without what it said."""
        return f'exited with {self.code}' if self.code >= 0 else f'was killed by {signal.Signals(-self.code).name}'

    def __str__(self) -> str:
        return f'{self.name} {self.how}' + (f': {self.last_lines[-1]}' if self.last_lines else '')


class Supervisor:
    """The processes of one live run, each with a log file of its own.

    Every process leads a session of its own, so that Ctrl-C in the terminal and the end of the terminal reach only the
    supervisor, which then ends them in order. A guardian ends them if the supervisor itself is killed; one that dies is
    replaced. Use it as a context manager.
    """

    def __init__(
        self,
        log_folder: Path,
        environment: Mapping[str, str],
        stop_order: Sequence[Sequence[str]] = (),
        grace: Grace = GRACE,
        scratch: Path | None = None,
    ) -> None:
        """Start the guardian.

        Args:
            log_folder: Gets one `<name>.log` a process.
            environment: Environment of the processes.
            stop_order: Names of the processes to end in the first wave, in the second, ...; those not named end last.
            grace: Signals to end a wave with, and how long to wait after each [s].
            scratch: Folder that the guardian removes if the supervisor is killed.
        """
        self._log_folder = log_folder
        self._environment = dict(environment)
        self._waves = {name: wave for wave, names in enumerate(stop_order) for name in names}
        self._last_wave = len(stop_order)
        self._grace = grace
        self._scratch = scratch
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: dict[str, IO[bytes]] = {}
        self._guardian = self._start_guardian()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def guardian_pid(self) -> int:
        """Process id of the guardian."""
        return self._guardian.pid

    def start(self, name: str, command: Sequence[str], knows_signals: bool = False) -> int:
        """Start a process, its output going to its log file; returns its process id.

        Args:
            name: Its name here.
            command: Its command line.
            knows_signals: It keeps the rules of `interrupts.py`: it starts with signals blocked and unblocks them.

        Raises:
            OSError: there is no such program.
        """
        log = self.log(name).open('wb')
        with blocked() if knows_signals else contextlib.nullcontext():
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        self._processes[name] = process
        self._logs[name] = log
        self._tell_guardian(self._entry(name))
        return process.pid

    def log(self, name: str) -> Path:
        """Return the path of a process's log file."""
        return self._log_folder / f'{name}.log'

    def last_lines(self, name: str, count: int = 5) -> tuple[str, ...]:
        """Return the last lines that a process has written, without empty ones."""
        text = self.log(name).read_text(encoding='utf-8', errors='replace')
        return tuple(line for line in text.splitlines() if line.strip())[-count:]

    def running(self, name: str) -> bool:
        """Return whether a process has been started and has not ended."""
        return name in self._processes and self._processes[name].poll() is None

    def ended(self, last: str = '') -> Ended | None:
        """Return the first process that has ended by itself, if any; `last` only where no other has."""
        self._keep_guarded()
        for name, process in sorted(self._processes.items(), key=lambda item: item[0] == last):
            code = process.poll()
            if code is not None:
                return Ended(name, code, self.log(name), self.last_lines(name))
        return None

    def stop_one(self, name: str) -> None:
        """End one process with everything it started: ask, urge, kill. Does nothing if it has been ended before."""
        if name in self._processes:
            self._end([name])

    def stop(self) -> None:
        """End every process, wave by wave, then the guardian. May be called again."""
        for wave in sorted({self._wave(name) for name in self._processes}):
            self._end([name for name in self._processes if self._wave(name) == wave])
        assert self._guardian.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guardian.stdin.close()
        self._guardian.wait()

    def _wave(self, name: str) -> int:
        return self._waves.get(name, self._last_wave)

    def _end(self, names: Sequence[str]) -> None:
        processes = {self._processes[name].pid: self._processes[name] for name in names}
        end_wave(processes, lambda pid: processes[pid].poll() is None, self._grace)
        for name in names:
            process = self._processes.pop(name)
            process.wait()
            self._logs.pop(name).close()
            self._tell_guardian(f'-{process.pid}')

    # The guardian.

    def _start_guardian(self) -> subprocess.Popen[str]:
        guardian = subprocess.Popen(
            [sys.executable, '-m', 'millirobot_adapt.bringup.process_guardian', str(self._log_folder)],  # seen in `ps`
            stdin=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
            text=True,
            bufsize=1,
        )
        self._guardian = guardian
        if self._scratch is not None:
            self._tell_guardian(f'~{self._scratch}')
        for name in self._processes:
            self._tell_guardian(self._entry(name))
        return guardian

    def _keep_guarded(self) -> None:
        """Replace a guardian that somebody has ended."""
        if self._guardian.poll() is not None:
            self._start_guardian()

    def _entry(self, name: str) -> str:
        return f'+{self._processes[name].pid} {self._wave(name)}'

    def _tell_guardian(self, line: str) -> None:
        assert self._guardian.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has just died; the next look replaces it
            self._guardian.stdin.write(f'{line}\n')
