"""End the processes of a live run when the program that started them was killed outright.

A supervisor ends its processes itself, but nothing can catch SIGKILL. So it starts this program beside them, which
reads a pipe. Its lines are `+PID WAVE` for a process (the leader of its group) that has started, `-PID` for one that
has ended, and `~PATH` for a folder to remove in the end. The end of the pipe means that the supervisor is gone: what is
still listed is ended, wave by wave.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from millirobot_adapt.bringup.ending import end_wave
from millirobot_adapt.bringup.interrupts import ignore


def listed(lines: Iterable[str]) -> tuple[dict[int, int], list[Path]]:
    """Read the pipe to its end; return the processes that are still listed, each with its wave, and the folders."""
    waves: dict[int, int] = {}
    folders: list[Path] = []
    for line in lines:
        with contextlib.suppress(ValueError):  # a line cut in half: the supervisor died while it wrote
            if line.startswith('+'):
                group, _, wave = line[1:].partition(' ')
                waves[int(group)] = int(wave)
            elif line.startswith('-'):
                waves.pop(int(line[1:]), None)
            elif line.startswith('~') and line.endswith('\n'):
                folders.append(Path(line[1:-1]))
    return waves, folders


def end(waves: Mapping[int, int]) -> None:
    """End processes, wave by wave."""
    for wave in sorted(set(waves.values())):
        end_wave([group for group, own in waves.items() if own == wave], _runs)


def _runs(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody has reaped does not."""
    try:
        state = Path(f'/proc/{pid}/stat').read_text(encoding='utf-8', errors='replace').rpartition(')')[2].split()[0]
    except OSError:
        return False
    return state not in 'ZX'


def main() -> None:
    """Wait for the end of standard input, then end what is left."""
    ignore()
    waves, folders = listed(sys.stdin)
    end(waves)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
