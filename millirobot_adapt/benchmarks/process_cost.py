"""What processes cost: processor time and peak memory, from /proc (proc(5))."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from millirobot_adapt.core.control.wiring import ControllerConfig, assemble, warm_up

_PARENT, _USER, _SYSTEM = 1, 11, 12
"""Fields of /proc/PID/stat, counted from the one after the name: parent, ticks in user mode, ticks in the kernel."""


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of its living children [s]."""
    ticks = 0
    for entry in Path('/proc').iterdir():
        fields = _fields(entry) if entry.name.isdigit() else []
        if fields and pid in (int(entry.name), int(fields[_PARENT])):
            ticks += int(fields[_USER]) + int(fields[_SYSTEM])
    return ticks / os.sysconf('SC_CLK_TCK')


def _fields(entry: Path) -> list[str]:
    try:
        text = (entry / 'stat').read_text(encoding='utf-8', errors='replace')
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has ended meanwhile
    # The name stands in parentheses and may hold anything, spaces and parentheses too.
    return text.rpartition(')')[2].split()


def measure_memory(config: ControllerConfig) -> float:
    """Return by how much [MB] a control loop with these parameters raises the peak of a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:
        return pool.submit(_growth, config).result()


def _growth(config: ControllerConfig) -> float:
    before = _peak()
    warm_up(assemble(config))
    return _peak() - before


def _peak() -> float:
    """Return the highest resident memory of this process so far [MB], as Linux reports."""
    status = Path('/proc/self/status').read_text(encoding='utf-8').splitlines()
    return float(next(line for line in status if line.startswith('VmHWM')).split()[1]) / 1024
