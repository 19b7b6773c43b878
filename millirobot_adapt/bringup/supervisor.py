"""Start processes, watch them, stop them in order; leave none behind."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from millirobot_adapt.bringup.process_guardian import GRACE, signal_group


@dataclass(frozen=True)
class Ended:
    """A process that ended although nobody asked it to."""

    name: str
    code: int
    """Exit code; negative: the signal that killed it."""
    log: Path
    last_lines: tuple[str, ...]

    def __str__(self) -> str:
        return how_it_ended(self.name, self.code, self.last_lines[-1] if self.last_lines else '')


def how_it_ended(name: str, code: int, last_line: str) -> str:
    """Say in one line how a process ended, and what it said last."""
    how = f'exited with {code}' if code >= 0 else f'was killed by {signal.Signals(-code).name}'
    return f'{name} {how}' + (f': {last_line}' if last_line else '')


class Supervisor:
    """The processes of one live run, each with a log file of its own.

    Every process leads a process group of its own, so that Ctrl-C in the terminal reaches only the supervisor, which
    then stops them in order. A guardian ends them if the supervisor itself is killed. Use it as a context manager.
    """

    def __init__(
        self,
        log_folder: Path,
        environment: Mapping[str, str],
        stop_order: Sequence[str] = (),
        grace: Sequence[tuple[signal.Signals, float]] = GRACE,
    ) -> None:
        """Start the guardian.

        Args:
            log_folder: Gets one `<name>.log` a process.
            environment: Environment of the processes.
            stop_order: Names of the processes to stop first, in this order; others follow in the order of their start.
            grace: Signals to stop with, and how long to wait after each [s].
        """
        self._log_folder = log_folder
        self._environment = dict(environment)
        self._stop_order = list(stop_order)
        self._grace = grace
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: dict[str, IO[bytes]] = {}
        self._guardian = subprocess.Popen(
            [sys.executable, '-m', 'millirobot_adapt.bringup.process_guardian'],
            stdin=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str]) -> int:
        """Start a process, its output going to its log file; returns its process id."""
        log = self.log(name).open('wb')
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
        self._tell_guardian(f'+{process.pid}')
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
        for name, process in sorted(self._processes.items(), key=lambda item: item[0] == last):
            code = process.poll()
            if code is not None:
                return Ended(name, code, self.log(name), self.last_lines(name))
        return None

    def stop_one(self, name: str) -> None:
        """End one process with everything it started: ask, insist, kill. Does nothing if it has been stopped before."""
        process = self._processes.get(name)
        if process is None:
            return
        for number, seconds in self._grace:
            signal_group(process.pid, number)
            try:
                process.wait(seconds or None)
            except subprocess.TimeoutExpired:
                continue
            break
        signal_group(process.pid, signal.SIGKILL)  # children that outlived it
        del self._processes[name]
        self._logs.pop(name).close()
        self._tell_guardian(f'-{process.pid}')

    def stop(self) -> None:
        """End every process in order, then the guardian. May be called again."""
        first = [name for name in self._stop_order if name in self._processes]
        for name in first + [name for name in self._processes if name not in first]:
            self.stop_one(name)
        assert self._guardian.stdin is not None
        self._guardian.stdin.close()
        self._guardian.wait()

    def _tell_guardian(self, line: str) -> None:
        assert self._guardian.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # somebody ended it; the run is worth more than its safety net
            self._guardian.stdin.write(f'{line}\n')
