"""Faults of the processes beside the mock (`FAULT_KINDS`, `process.*`).

Only processes that the mock's own parent has started are touched: the nodes of the same run.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from pathlib import Path
from typing import Any

from millirobot_adapt.contract.fault_hooks import VARIABLE, WORKER_SIGNAL
from millirobot_adapt.core.errors import UserError

PROC = Path('/proc')
SIGNALS = {'kill': signal.SIGKILL, 'end': signal.SIGTERM, 'hang': signal.SIGSTOP, 'worker': WORKER_SIGNAL}
"""What each kind of fault sends."""


class ProcessFaults:
    """Send signals to the nodes of this run; see `Target`."""

    def __init__(self) -> None:
        self._hung: list[int] = []

    def begin(self, kind: str, value: Any) -> None:
        """Let the process of the node `value` fail.

        Raises:
            UserError: no such process in this run, or its workers cannot be reached.
        """
        found = sibling(value)
        if found is None:
            raise UserError(f'process.{kind} = {value}: this run has no process {value}')
        if kind == 'worker' and f'{VARIABLE}=' not in _read(found, 'environ'):
            raise UserError(
                f'process.worker = {value}: its workers cannot be reached (millirobot demo and millirobot bench link '
                'start processes so that they can)'
            )
        os.kill(found, SIGNALS[kind])
        if kind == 'hang':
            self._hung.append(found)

    def end(self, kind: str) -> None:
        """Let hung processes go on."""
        for process in self._hung:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
        self._hung.clear()


def sibling(node: str) -> int | None:
    """Return the id of the process that runs a node and has the same parent as this one; None if there is none."""
    parent = os.getppid()
    if parent <= 1:
        return None
    for entry in PROC.iterdir():
        if entry.name.isdigit() and _parent(int(entry.name)) == parent and _runs(int(entry.name), node):
            return int(entry.name)
    return None


def _parent(process: int) -> int:
    """Return the parent of a living process, 0 for one that is dead or gone."""
    fields = _read(process, 'stat').rpartition(')')[2].split()
    return int(fields[1]) if len(fields) > 1 and fields[0] not in 'ZX' else 0


def _runs(process: int, node: str) -> bool:
    """Tell whether a process's command line is that of a node: `... run_node NODE` or `.../NODE`."""
    words = _read(process, 'cmdline').split('\0')[:5]
    executables = [word for word in words if word.endswith(f'/{node}')]
    return bool(executables) or any(a.endswith('run_node') and b == node for a, b in itertools.pairwise(words))


def _read(process: int, name: str) -> str:
    try:
        return (PROC / str(process) / name).read_text(encoding='utf-8', errors='replace')
    except OSError:
        return ''
