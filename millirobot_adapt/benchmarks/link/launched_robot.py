"""A robot that `ros2 launch` drives from a terminal of its own, and every process of it, to be killed and watched.

The mock is none of the launch's processes, so that it can tell when its motors were told to stand.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from millirobot_adapt.core.errors import UserError

PROC = Path('/proc')
MOCK = 'mock_robot'
CONDUCTING = ('launched', 'process_guardian')
"""Programs that conduct a run; the first stays a little longer than the nodes, to write the report."""
FIRST_LINE = b'Default logging verbosity'
"""What ros2 launch prints when it begins to listen for signals. A Ctrl-C before it, or in the same instant, ends in
a traceback of ros2 or in an endless loop of launch (`LaunchService.run` goes on after every KeyboardInterrupt), with
nothing of ours begun."""


def ros2_program() -> str:
    """Return the path of `ros2`.

    Raises:
        UserError: ROS is not sourced, or the package is not built.
    """
    found = shutil.which('ros2')
    if found is None:
        raise UserError('ros2: is not on the path; source the setup.bash of your ROS 2')
    prefixes = [Path(prefix) for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if prefix]
    if not any((prefix / 'share' / 'millirobot_adapt' / 'launch').is_dir() for prefix in prefixes):
        raise UserError(
            'millirobot_adapt: is not built for ros2 launch; colcon build --packages-select millirobot_adapt, then '
            'source install/setup.bash'
        )
    return found


class Terminal:
    """`ros2 launch` in a terminal of its own: what is on its screen, Ctrl-C, and its end. A context manager."""

    def __init__(self, launch: str, folder: Path, arguments: Mapping[str, str]) -> None:
        """Start a launch file in a folder, all of whose processes name that folder in their command lines."""
        program = ros2_program()
        words = [f'{name}:={value}' for name, value in arguments.items()]
        self.said = b''
        """What has been on the screen."""
        self.code: int | None = None
        """Exit code once it has ended; negative: the signal that killed it."""
        self._folder = folder
        self._spared = MOCK if launch == 'robot' else ''
        self._screen: int | None
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a program that runs in the background may ignore it
            os.chdir(folder)
            os.execv(program, [program, 'launch', 'millirobot_adapt', f'{launch}.launch.py', *words])

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing that would disturb what comes next, whatever happened."""
        for name, pid in processes_of(self._folder).items():
            if name != self._spared:
                kill(pid)
        if not self.ended():
            kill(self.pid)
            os.waitpid(self.pid, 0)
        self.close()

    @property
    def text(self) -> str:
        """What has been on the screen."""
        return self.said.decode(errors='replace')

    def read(self, seconds: float = 0.0) -> None:
        """Take what is on the screen, so that nobody waits for room on it; wait `seconds` for something to come."""
        if self._screen is None:
            return
        with contextlib.suppress(OSError):  # everybody on the other side has gone
            while select.select([self._screen], [], [], seconds)[0]:
                self.said += os.read(self._screen, 65536)
                seconds = 0.0

    def press_ctrl_c(self) -> None:
        """Press Ctrl-C, which the terminal turns into SIGINT for everybody in front."""
        assert self._screen is not None
        os.write(self._screen, b'\x03')

    def close(self) -> None:
        """Close the terminal."""
        if self._screen is not None:
            os.close(self._screen)
            self._screen = None

    def ended(self) -> bool:
        """Tell whether `ros2 launch` itself has ended."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def processes_of(folder: Path) -> dict[str, int]:
    """Return the living programs of ours whose command line names `folder`: node or program -> process id."""
    found = {}
    for entry in PROC.iterdir():
        try:
            words = (entry / 'cmdline').read_bytes().decode().split('\0') if entry.name.isdigit() else []
        except OSError:  # it has ended
            continue
        if len(words) > 3 and any(str(folder) in word for word in words):
            name = _program(words)
            if name:
                found[name] = int(entry.name)
    return found


def _program(words: Sequence[str]) -> str:
    """Return which program of ours a command line starts; empty for others."""
    if 'lib/millirobot_adapt/' in words[1]:
        return Path(words[1]).name
    module = words[2].rpartition('.')[2] if words[1] == '-m' and words[2].startswith('millirobot_adapt.') else ''
    return words[3] if module == 'run_node' else module


Cause = Callable[[Terminal, Path], None]
"""What dies: takes the terminal and the folder of the run."""


def _of_launch(number: int) -> Cause:
    return lambda terminal, folder: kill(terminal.pid, number)


def of_programs(*programs: str, launch: bool = False) -> Cause:
    """Return the SIGKILL of some programs, at once, with that of ros2 launch before it."""

    def cause(terminal: Terminal, folder: Path) -> None:
        found = processes_of(folder)
        for pid in ([terminal.pid] if launch else []) + [found[program] for program in programs]:
            kill(pid)

    return cause


CAUSES: Mapping[str, Cause] = {
    'SIGTERM of ros2 launch': _of_launch(signal.SIGTERM),
    'SIGKILL of ros2 launch': _of_launch(signal.SIGKILL),
    'SIGHUP of ros2 launch': _of_launch(signal.SIGHUP),
    'SIGINT of ros2 launch alone': _of_launch(signal.SIGINT),
    'Ctrl-C in its terminal': lambda terminal, folder: terminal.press_ctrl_c(),
    'its terminal is closed': lambda terminal, folder: terminal.close(),
    'SIGKILL of the run': of_programs('launched'),
    'SIGKILL of ros2 launch and the run': of_programs('launched', launch=True),
}
"""What ends a launch -> how."""


def everything_gone(folder: Path, turn: Callable[[], None], patience: float = 90.0) -> tuple[float, float]:
    """Wait until a launch has left no process; return when no node was left, and when nothing was [s from the call].

    Args:
        folder: Folder of the run.
        turn: Called again and again while waiting.
        patience: Longest wait [s].

    Raises:
        TimeoutError: something is left; the message names it.
    """
    began = time.monotonic()
    nodes_gone = None
    while left := set(processes_of(folder)) - {MOCK}:
        if time.monotonic() > began + patience:
            raise TimeoutError(f'still there after {patience:g} s: {", ".join(sorted(left))}')
        if nodes_gone is None and not left - set(CONDUCTING):
            nodes_gone = time.monotonic() - began
        turn()
    gone = time.monotonic() - began
    return gone if nodes_gone is None else nodes_gone, gone
