"""Draw the course of a training run."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from millirobot_adapt.analysis.figure_style import BLUE, DASHED, INK, ORANGE
from millirobot_adapt.learning.train import Curves

PANEL, HEIGHT = 3.2, 2.9
"""Size of a panel [inch]."""


def draw_curves(curves: Curves) -> Figure:
    """Draw loss, open-loop errors before and after adaptation, and the inner step sizes where there are any.

    A dashed line marks where training went on with further data, a dot the model that was kept of the last round. Call
    it inside `figure_style.styled`.
    """
    stepped = bool(curves.psi and curves.psi[0])
    panels = 4 if stepped else 3
    figure = Figure(figsize=(PANEL * panels, HEIGHT), layout='constrained')
    loss, position, heading, *rest = figure.subplots(1, panels)
    loss.plot(curves.step, curves.training_loss, color=ORANGE, label='training')
    loss.plot(curves.step, curves.validation_loss, color=BLUE, label='validation, open loop')
    loss.set(title='loss', yscale='log')
    _draw_error(position, curves, [1e3 * e for e in curves.position_before], [1e3 * e for e in curves.position])
    position.set(title='position error at the horizon [mm]')
    _draw_error(heading, curves, curves.heading_before, curves.heading)
    heading.set(title='heading error at the horizon [rad]')
    for axes in rest:
        for layer, steps in enumerate(zip(*(row[0::2] for row in curves.psi), strict=True), start=1):
            axes.plot(curves.step, steps, label=f'weights {layer}')
        axes.set(title='inner step size psi', yscale='log')
    for axes in (loss, position, heading, *rest):
        axes.set(xlabel='gradient steps')
        for step in curves.rounds:
            axes.axvline(step, color=INK, linestyle=DASHED, linewidth=1)
        if axes.lines:
            axes.legend(frameon=False)
    return figure


def _draw_error(axes: Axes, curves: Curves, before: Sequence[float], after: Sequence[float]) -> None:
    """Draw an error after adaptation, and before it where that differs."""
    adapts = list(before) != list(after)
    if adapts:
        axes.plot(curves.step, before, color=ORANGE, label='before adaptation')
    axes.plot(curves.step, after, color=BLUE, label='after adaptation' if adapts else 'validation')
    first = next((row for row, step in enumerate(curves.step) if not curves.rounds or step > curves.rounds[-1]), None)
    if first is not None:
        kept = min(range(first, len(curves.step)), key=curves.validation_loss.__getitem__)
        axes.plot(curves.step[kept], after[kept], 'o', color=BLUE, label='kept')
