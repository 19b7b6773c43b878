"""Draw the curves of a study: errors of position and heading against what was varied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from millirobot_adapt.analysis.figure_style import BLUE, DASHED, HEIGHT, ORANGE, WIDTH, save_png, styled
from millirobot_adapt.learning.study_runs import Row

LABELS = {'position': ('position error [mm]', 1e3), 'heading': ('heading error [rad]', 1.0)}


def draw_study(path: Path, rows: Sequence[Row], varied: str, horizon: int) -> None:
    """Save the figure as PNG.

    Args:
        path: File to write.
        rows: What `curve_rows` returned.
        varied: What the horizontal axis shows: `at` or `minutes`.
        horizon: H: steps that were predicted.
    """
    with styled():
        save_png(_draw(rows, varied, horizon), path)


def _draw(rows: Sequence[Row], varied: str, horizon: int) -> Figure:
    """Draw a line of panels for each curve: position, heading."""
    curves = list(dict.fromkeys(row['curve'] for row in rows))
    figure = Figure(figsize=(1.3 * WIDTH, 0.85 * HEIGHT * len(curves)), layout='constrained')
    panels = figure.subplots(len(curves), 2, squeeze=False)
    for curve, line in zip(curves, panels, strict=True):
        there = [row for row in rows if row['curve'] == curve]
        for axes, kind in zip(line, LABELS, strict=True):
            _draw_panel(axes, there, kind, varied)
            axes.set_title(f'{curve}, H = {horizon}', fontsize=9)
            axes.set_xlabel('data [min]' if varied == 'minutes' else _axis(curve))
    panels[0, 0].legend(frameon=False)
    return figure


def _axis(curve: str) -> str:
    return f'{curve} [transitions]' if curve in ('T1', 'T2') else 'floors in the training data'


def _draw_panel(axes: Axes, rows: Sequence[Row], kind: str, varied: str) -> None:
    """Draw errors before adaptation, where they differ, and after it with intervals."""
    label, scale = LABELS[kind]
    at = [row[varied] for row in rows]
    before, after = ([scale * row[f'{kind}_{when}'] for row in rows] for when in ('before', 'after'))
    if before != after:
        axes.plot(at, before, 'o', color=ORANGE, markersize=4, linestyle=DASHED, linewidth=1, label='before adapting')
    bounds = [row[f'{kind}_after_interval'] or (row[f'{kind}_after'],) * 2 for row in rows]
    spread = [
        [value - scale * low for value, (low, _) in zip(after, bounds, strict=True)],
        [scale * high - value for value, (_, high) in zip(after, bounds, strict=True)],
    ]
    axes.errorbar(at, after, yerr=spread, fmt='o-', color=BLUE, markersize=4, capsize=2, label='after adapting')
    axes.set_ylabel(label)
    axes.set_ylim(bottom=0.0)
