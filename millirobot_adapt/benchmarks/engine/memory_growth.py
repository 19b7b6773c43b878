"""Measure what a control loop takes of a process's memory."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from millirobot_adapt.core.control.wiring import ControllerConfig, assemble, warm_up


def measure_memory(config: ControllerConfig) -> float:
    """Return by how much [MB] a control loop with these parameters raises the peak of a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:
        return pool.submit(_growth, config).result()


def _growth(config: ControllerConfig) -> float:
    before = _peak()
    warm_up(assemble(config))
    return _peak() - before


def _peak() -> float:
    """Return the highest resident memory of this process so far [MB], as Linux tells."""
    status = Path('/proc/self/status').read_text(encoding='utf-8').splitlines()
    return float(next(line for line in status if line.startswith('VmHWM')).split()[1]) / 1024
