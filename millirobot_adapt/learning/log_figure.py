"""Draw position errors of the methods at one horizon with intervals, a panel for each test and shift."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from millirobot_adapt.analysis.figure_style import BLUE, DASHED, ORANGE, save_png, styled
from millirobot_adapt.learning.log_study import BASELINE, STILL
from millirobot_adapt.learning.log_summary import Row


def draw_errors(path: Path, rows: Sequence[Row], horizon: int) -> None:
    """Save the figure as PNG."""
    with styled():
        save_png(_draw(rows, horizon), path)


def _draw(rows: Sequence[Row], horizon: int) -> Figure:
    """Draw all panels; constant velocity, which is far off, is left to the table."""
    shown = [row for row in rows if row['horizon'] == horizon and row['method'] != STILL]
    tests = list(dict.fromkeys(row['test'] for row in shown))
    shifts = list(dict.fromkeys(row['shift'] for row in shown))
    methods = list(dict.fromkeys(row['method'] for row in shown))
    figure = Figure(figsize=(3.6 * len(shifts), 0.9 + 0.38 * len(tests) * (len(methods) + 1)), layout='constrained')
    panels = figure.subplots(len(tests), len(shifts), squeeze=False, sharex=True, sharey=True)
    for (line, column), axes in np.ndenumerate(panels):
        there = [row for row in shown if (row['test'], row['shift']) == (tests[line], shifts[column])]
        _draw_panel(axes, there, methods)
        axes.set_title(f'{tests[line]}, {shifts[column]}', fontsize=9)
    for axes in panels[-1]:
        axes.set_xlabel(f'position error at H = {horizon} [mm]')
    panels[0, 0].invert_yaxis()
    panels[0, -1].legend(loc='lower right', fontsize=7)
    return figure


def _draw_panel(axes: Axes, rows: Sequence[Row], methods: Sequence[str]) -> None:
    """Draw a line a method: orange before adaptation, blue with its interval after; dashed, where mb stands.

    Infinite errors have no place; the table tells them.
    """
    for row in rows:
        place = methods.index(row['method'])
        before, after = 1e3 * row['position_before'], 1e3 * row['position_after']
        low, high = (1e3 * bound for bound in row['position_after_interval'])
        if not np.isfinite([before, after, low, high]).all():
            continue
        label = None if place else 'before'
        axes.plot(before, place, 'o', color=ORANGE, markersize=5, label=label)
        label = None if place else 'after adaptation'
        axes.errorbar(
            after, place, xerr=[[after - low], [high - after]], fmt='o', color=BLUE, markersize=5, capsize=2,
            label=label,
        )  # fmt: skip
        if row['method'] == BASELINE:
            axes.axvline(after, color=ORANGE, linewidth=0.8, linestyle=DASHED)
    axes.set_yticks(range(len(methods)), methods, fontsize=8)
    axes.grid(True, axis='x')
    axes.grid(False, axis='y')
