"""Draw what each method cost: a bar and its interval for each condition and shape; and between oracle and baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from millirobot_adapt.analysis.figure_style import DASHED, GREY, HERO, INK, Drawing
from millirobot_adapt.experiments.results import Results
from millirobot_adapt.experiments.results_table import EVERY

BAR = 0.2
"""Height of a bar with its gap [inch]."""
HEAD = 0.75
"""Height of a row of panels beside its bars [inch]."""
NORMALISED = (-0.5, 2.0)
"""What the figure between oracle and baseline shows; beyond it a number stands at the edge."""


def terrains(results: Results) -> Drawing | None:
    """Draw the analogue of the paper's Table 2: a row for each terrain, a column for each shape."""
    conditions = results.together
    shapes = results.shapes(conditions)
    if not conditions:
        return None
    figure, panels = _panels(results, len(conditions), len(shapes))
    for row, condition in enumerate(conditions):
        for column, shape in enumerate(shapes):
            axes = panels[row, column]
            _bars(axes, results, condition, shape)
            axes.set_title(f'{condition}, {shape}', fontsize=8.5, color=INK)
    figure.supxlabel('cost of a step', fontsize=9, color=GREY)
    return Drawing(figure, 'Mean cost of a step, with 95 % intervals.')


def unseen(results: Results) -> Drawing | None:
    """Draw the analogue of the paper's figures of conditions that no model was trained on: a panel for each."""
    if not results.alone:
        return None
    figure, panels = _panels(results, 1, len(results.alone))
    for axes, condition in zip(panels.ravel(), results.alone, strict=True):
        _bars(axes, results, condition, EVERY)
        axes.set_title(condition.replace('_', ' '), fontsize=8.5, color=INK)
    figure.supxlabel('cost of a step', fontsize=9, color=GREY)
    return Drawing(figure, 'Mean cost of a step over all shapes, with 95 % intervals.')


def normalised(results: Results) -> Drawing | None:
    """Draw the same costs between the oracle (0) and the baseline (1), where there is such an oracle."""
    conditions = [name for name in results.alone if _has_oracle(results, name)]
    if not conditions:
        return None
    figure, panels = _panels(results, 1, len(conditions))
    for axes, condition in zip(panels.ravel(), conditions, strict=True):
        for place, method in enumerate(results.methods):
            cell = results.cell(method, condition)
            if cell is None:
                continue
            value = float(np.clip(cell['normalised'], *NORMALISED))
            colour = results.colour(method)
            if cell['normalised_interval']:
                axes.plot(
                    np.clip(cell['normalised_interval'], *NORMALISED), [place, place], color=colour, linewidth=2.2
                )
            axes.plot(value, place, 'o', color=colour, markersize=6, markeredgecolor='white')
        for where in (0.0, 1.0):
            axes.axvline(where, color=INK, linewidth=0.9, linestyle=DASHED, zorder=1)
        axes.set_xlim(NORMALISED[0] - 0.08, NORMALISED[1] + 0.08)
        axes.set_title(condition.replace('_', ' '), fontsize=8.5, color=INK)
    figure.supxlabel(f'0: oracle, 1: {results.baseline}', fontsize=9, color=GREY)
    low, high = NORMALISED
    return Drawing(
        figure, f'The same between oracle and {results.baseline}; what lies beyond {low:g} or {high:g} is cut.'
    )


def _has_oracle(results: Results, condition: str) -> bool:
    cell = results.cell(results.baseline, condition)
    return cell is not None and bool(np.isfinite(cell.get('normalised', np.nan)))


def _panels(results: Results, rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    """Make panels that share the names of the methods on their left."""
    height = rows * (HEAD + BAR * len(results.methods)) + 0.2
    figure = Figure(figsize=(HERO, height), layout='constrained')
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in panels.ravel():
        axes.grid(True, axis='x')
        axes.grid(False, axis='y')
        axes.tick_params(axis='x', labelsize=8)
        axes.locator_params(axis='x', nbins=4)
    panels[0, 0].set_yticks(range(len(results.methods)), results.methods)
    panels[0, 0].set_ylim(len(results.methods) - 0.4, -0.6)
    return figure, panels


def _bars(axes: Axes, results: Results, condition: str, shape: str) -> None:
    """Draw a bar for each method that walked there, and a line where the baseline ends."""
    names: Sequence[str] = results.methods
    for place, method in enumerate(names):
        cell = results.cell(method, condition, shape)
        if cell is None:
            continue
        axes.barh(place, cell['cost'], height=0.72, color=results.colour(method), alpha=0.85)
        if cell.get('cost_interval'):
            axes.plot(cell['cost_interval'], [place, place], color=INK, linewidth=1.3)
        if method == results.baseline:
            axes.axvline(cell['cost'], color=results.colour(method), linewidth=0.9, linestyle=DASHED, zorder=1)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
