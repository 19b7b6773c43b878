"""Two methods under the same seeds and faults, one after the other, and a page that compares them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from millirobot_adapt.analysis.compare.comparison_page import table, write_page
from millirobot_adapt.analysis.compare.runs import comparison, read_runs
from millirobot_adapt.app.demo import Demo, node_overrides, walk_demo
from millirobot_adapt.app.run_outcome import FAILED, INTERRUPTED, OK
from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.processes import SIMULATION, resolve
from millirobot_adapt.core.config import build, nest
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.errors import UserError

Walk = Callable[[Demo, str, Interrupts], tuple[Path, str]]
"""Walks once; returns the run folder and why the run ended early, empty if it did not."""


def run_versus(demo: Demo, rival: str, seeds: int, command: str, walk: Walk | None = None) -> int:
    """Walk each seed with the rival and then as the demo says; leave the runs and a page `versus_<stamp>.html`.

    Args:
        demo: What the user asked for; its seed is the first.
        rival: The method to compare with: the baseline of the page.
        seeds: How many seeds.
        command: What the user typed.
        walk: Walks once; by default with real processes.

    Returns:
        0 every run walked to its end, 1 one ended early, 130 interrupted.

    Raises:
        UserError: bad input; nothing has walked.
    """
    contestants = (replace(demo, method=rival, model=None), demo)
    names = [method_of(contestant) for contestant in contestants]
    if names[0] == names[1]:
        raise UserError(f'--versus {rival}: the demo walks with {rival} already; name another method, or give --method')
    walk = walk or walk_demo
    folders: list[Path] = []
    early = False
    with Interrupts() as interrupts:
        for contestant in _in_turns(contestants, demo.seed, seeds):
            folder, complaint = walk(contestant, command, interrupts)
            early = early or bool(complaint)
            folders.append(folder)
            if interrupts.requested:
                break
        _compare(folders, demo.out)
    if interrupts.requested:
        return INTERRUPTED
    return FAILED if early else OK


def _in_turns(contestants: Sequence[Demo], first: int, seeds: int) -> Iterator[Demo]:
    """Yield the walks seed by seed, so that what was walked before an interruption is in pairs."""
    for seed in range(first, first + seeds):
        for contestant in contestants:
            yield replace(contestant, seed=seed)


def method_of(demo: Demo) -> str:
    """Return the method that a demo walks with.

    Raises:
        UserError: its parameters or its model are bad.
    """
    nodes = resolve(SIMULATION, node_overrides(demo))
    config = build(ControllerConfig, nest(nodes['controller']), 'parameters of the controller')
    return str(assemble(config).details['method'])


def _compare(folders: Sequence[Path], out: Path) -> None:
    """Print the comparison and write the page, where there are two runs at least that can be read."""
    if len(folders) < 2:
        return
    try:
        runs = read_runs(folders)
        found = comparison(runs)
        page = out / f'versus_{datetime.now():%Y-%m-%d_%H-%M-%S}.html'
        write_page(page, runs, found)
    except UserError as error:
        print(f'no comparison: {error}', file=sys.stderr)
        return
    print(table(runs, found))
    print(f'comparison: {page}', flush=True)
