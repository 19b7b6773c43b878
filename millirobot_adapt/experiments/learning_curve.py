"""Cost against time for several seeds of a sitting in lock-step: training beside the walks against training after them.

Every sitting is kept in a folder of its own; another call with the same folder goes on with those that are missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from millirobot_adapt.analysis.figure_style import BLUE, HEIGHT, ORANGE, new_figure, save_png, styled
from millirobot_adapt.analysis.statistics import MeanCost
from millirobot_adapt.core.files import make_folder, write_whole
from millirobot_adapt.experiments.lockstep_learning import LockstepLearning, learn_in_lockstep
from millirobot_adapt.learning.online.progress_file import read_progress

ASYNCHRONOUS, BATCH = 'side by side', 'one after the other'
FIGURE, TABLE = 'curve.png', 'curve.md'
_FINISHED = 'finished'
"""A file in the folder of a sitting that came to its end; it says what was asked for."""


@dataclass(frozen=True)
class CurvePoint(MeanCost):
    """What all seeds reached after so many minutes of walking; `costs` is the mean cost of a step of each seed."""

    mode: str
    walked: float
    """Minutes walked."""
    clock: float
    """Minutes of the clock, walking and training; mean over the seeds."""


def write_curve(what: LockstepLearning, seeds: Sequence[int], say: Callable[[str], object] = print) -> str:
    """Do what `measure_curve` does; leave figure and table in the folder, and return the table.

    Raises:
        UserError: robot, condition or a path is not there.
    """
    points = measure_curve(what, seeds, say)
    text = table(points)
    write_whole(what.out / TABLE, text + '\n')
    with styled():
        save_png(draw(points), what.out / FIGURE)
    return text


def measure_curve(
    what: LockstepLearning, seeds: Sequence[int], say: Callable[[str], object] = print
) -> list[CurvePoint]:
    """Do what is missing of the sittings; return the points of both curves.

    In batch, each of the marks is a sitting of its own: it walks for so long, then trains.

    Args:
        what: What is learned; `out` is the folder of all sittings, and `batch` is not looked at.
        seeds: Seeds of the sittings.
        say: Takes lines for the user.
    """
    points = []
    for mode in (ASYNCHRONOUS, BATCH):
        found: dict[float, list[tuple[float, float]]] = {mark: [] for mark in what.marks}
        for seed in seeds:
            marks = [what.marks] if mode == ASYNCHRONOUS else [(mark,) for mark in what.marks]
            for some in marks:
                for mark, reached in zip(some, _sitting(what, mode, seed, some, say), strict=True):
                    found[mark].append(reached)
        for mark, all_reached in found.items():
            clocks, costs = zip(*all_reached, strict=True)
            points.append(CurvePoint(costs, mode, mark, float(np.mean(clocks))))
    return points


def _sitting(
    what: LockstepLearning, mode: str, seed: int, marks: tuple[float, ...], say: Callable[[str], object]
) -> list[tuple[float, float]]:
    """Return minutes of the clock and cost at each of the marks."""
    batch = mode == BATCH
    folder = what.out / (f'batch_{marks[-1]:g}_{seed}' if batch else f'async_{seed}')
    learn = replace(what.learn, seed=seed, minutes=marks[-1])
    own = replace(what, learn=learn, train=replace(what.train, seed=seed), out=folder, batch=batch, marks=marks)
    finished, asked = folder / _FINISHED, f'{replace(own, out=Path())}\n'
    if not finished.is_file() or finished.read_text(encoding='utf-8') != asked:
        shutil.rmtree(folder, ignore_errors=True)
        make_folder(folder)
        say(f'{mode}, {marks[-1]:g} min, seed {seed}')
        learn_in_lockstep(own, say)
        write_whole(finished, asked)
    rows = [row for row in read_progress(folder) if 'cost_judged' in row]
    return [(row['clock_min'], row['cost_judged']) for row in rows]


def table(points: Sequence[CurvePoint]) -> str:
    """Return the points as a Markdown table, and the speed-up where there is one."""
    lines = ['| | walked [min] | clock [min] | cost of a step | seeds |', '|---|---|---|---|---|']
    for point in points:
        lines.append(f'| {point.mode} | {point.walked:g} | {point.clock:.1f} | {point} | {len(point.costs)} |')
    return '\n'.join([*lines, '', _speed_up(points)])


def _speed_up(points: Sequence[CurvePoint]) -> str:
    """Say how much earlier the first curve reaches what the last point of the second one does."""
    side, after = ([point for point in points if point.mode == mode] for mode in (ASYNCHRONOUS, BATCH))
    goal = after[-1]
    first = next((point for point in side if point.cost <= goal.cost), None)
    if first is None:
        return f'{ASYNCHRONOUS} does not reach {goal.cost:.2f}, the cost of {BATCH} after {goal.clock:.1f} min.'
    ratio = goal.clock / first.clock
    return (
        f'{ASYNCHRONOUS} reaches {goal.cost:.2f} after {first.clock:.1f} min, {BATCH} after {goal.clock:.1f} min: '
        f'{ratio:.1f} times as long.'
    )


def draw(points: Sequence[CurvePoint]) -> Figure:
    """Draw cost against minutes of the clock, with the intervals."""
    figure, (axes,) = new_figure(HEIGHT)
    for mode, color in ((ASYNCHRONOUS, BLUE), (BATCH, ORANGE)):
        own = [point for point in points if point.mode == mode]
        bounds = [point.interval or (point.cost, point.cost) for point in own]
        spread = [
            [point.cost - low for point, (low, _) in zip(own, bounds, strict=True)],
            [high - point.cost for point, (_, high) in zip(own, bounds, strict=True)],
        ]
        axes.errorbar(
            [point.clock for point in own], [point.cost for point in own], yerr=spread, fmt='o-', color=color,
            markersize=4, capsize=2, label=mode,
        )  # fmt: skip
    axes.set(xlabel='walking and training [min]', ylabel='cost of a step')
    axes.set_ylim(bottom=0.0)
    axes.legend(frameon=False)
    return figure
