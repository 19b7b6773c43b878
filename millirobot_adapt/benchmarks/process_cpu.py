"""What a process and its children have cost so far, from /proc (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

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
