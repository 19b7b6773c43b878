"""Draw where the robot walked, and how well its model predicted, before and after adaptation."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from millirobot_adapt.analysis.figure_style import BLUE, GREY, HERO, INK, LIGHT, ORANGE, Drawing
from millirobot_adapt.experiments.episode import Episode
from millirobot_adapt.experiments.results import Results

PANELS = 4
"""Panels side by side."""
BINS = 40
SHOWN = 0.99
"""Share of the errors that a histogram shows; the few beyond would make it flat."""
FLATTEST, TALLEST = 0.4, 1.6
"""Smallest and largest height over width of a panel of paths; y is stretched where the paths are flatter."""


def paths(results: Results, condition: str, shape: str) -> Drawing | None:
    """Draw every walk at a place, a panel for each method: all seeds thin, the walk of median cost bold."""
    shown = [method for method in results.methods if results.walks(condition, shape, method)]
    if not shown:
        return None
    columns = min(PANELS, len(shown))
    rows = -(-len(shown) // columns)
    walks = [episode for method in shown for episode in results.walks(condition, shape, method)]
    low, high = _extent(walks)
    wanted = (high[1] - low[1]) / (high[0] - low[0])
    tall = float(np.clip(wanted, FLATTEST, TALLEST))
    size = (HERO, rows * (HERO / columns * tall + 0.35) + 0.35)
    figure = Figure(figsize=size, layout='constrained')
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, method in zip(panels, shown, strict=False):
        _draw(axes, results.walks(condition, shape, method), results.colour(method))
        axes.set_title(method, color=results.colour(method), fontsize=9.5, weight='bold')
        axes.set_aspect('auto' if wanted < FLATTEST else 'equal')
        axes.grid(True, axis='both')
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    figure.supxlabel('x [m]', fontsize=9, color=GREY)
    figure.supylabel('y [m]', fontsize=9, color=GREY)
    stretched = ' The y axis is stretched.' if wanted < FLATTEST else ''
    return Drawing(figure, f'Every seed on the path wanted (grey); bold: the walk of median cost.{stretched}')


def _extent(walks: list[Episode]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper corner of all that was walked, with a margin [m]."""
    points = np.concatenate([np.column_stack((e.table['x'], e.table['y'])) for e in walks])
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * (high - low) + 0.02
    return low - margin, high + margin


def _draw(axes: Axes, walks: list[Episode], colour: str) -> None:
    """Draw the path wanted, all walks, and a cross where a fault began."""
    axes.plot(*walks[0].path.outline.T, color=LIGHT, linewidth=3, solid_joinstyle='round', zorder=1)
    ranked = sorted(walks, key=lambda episode: float(episode.table['step_cost'][1:].mean()))
    median = ranked[(len(ranked) - 1) // 2]
    for episode in walks:
        bold = episode is median
        x, y = episode.table['x'], episode.table['y']
        axes.plot(
            x, y, color=colour, linewidth=1.8 if bold else 0.6, alpha=1.0 if bold else 0.55, zorder=4 if bold else 3
        )
        broken = np.flatnonzero(episode.table['faults'] > 0)
        if len(broken) and broken[0] > 0:
            axes.plot(x[broken[0]], y[broken[0]], 'X', color=INK, markersize=5, markeredgecolor='white', zorder=5)


def errors(results: Results, method: str) -> Drawing | None:
    """Draw the analogue of the paper's histograms of prediction errors: one step and H steps, before and after."""
    rows = [(name, list(names)) for name, names in results.groups.items()]
    rows = [(name, names) for name, names in rows if results.errors(method, names, 'pre_error').size]
    if not rows:
        return None
    figure = Figure(figsize=(HERO, 1.25 * len(rows) + 0.5), layout='constrained')
    panels = figure.subplots(len(rows), 2, squeeze=False)
    kinds = (
        ('pre_error', 'post_error', 1.0, 'next step [normalised]'),
        ('ahead_before', 'ahead_after', 100.0, 'position H steps ahead [cm]'),
    )
    for row, (name, conditions) in enumerate(rows):
        for column, (before, after, scale, label) in enumerate(kinds):
            axes = panels[row, column]
            pair = [scale * results.errors(method, conditions, key) for key in (before, after)]
            _histograms(axes, pair)
            axes.set_title(name.replace('_', ' '), fontsize=8.5, color=INK, loc='left')
            if row == len(rows) - 1:
                axes.set_xlabel(label)
    panels[0, 0].legend(loc='upper right', frameon=False, fontsize=8)
    return Drawing(figure, 'Errors of all ticks of all walks before adaptation and after it; lines mark the means.')


def _histograms(axes: Axes, pair: list[np.ndarray]) -> None:
    """Draw the two distributions over each other, up to where nearly all of both lie."""
    if not all(values.size for values in pair):
        axes.set_axis_off()
        return
    top = max(float(np.quantile(values, SHOWN)) for values in pair)
    edges = np.linspace(0.0, top, BINS + 1)
    for values, name, colour in zip(pair, ('before', 'after'), (ORANGE, BLUE), strict=True):
        axes.hist(values, list(edges), color=colour, alpha=0.35, weights=np.full(len(values), 100.0 / len(values)))
        axes.axvline(float(values.mean()), color=colour, linewidth=1.6, label=f'{name}: {values.mean():.2f}')
    axes.legend(loc='upper right', frameon=False, fontsize=8)
    axes.set_ylabel('% of ticks', fontsize=8)
    axes.set_xlim(0.0, top)
