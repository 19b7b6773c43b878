"""Draw what a training run went through."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from millirobot_adapt.learning.train import Curves

BEFORE, AFTER = 'tab:gray', 'tab:blue'


def draw_curves(curves: Curves) -> Figure:
    """Draw loss, open-loop errors before and after adaptation, and the inner step sizes where there are any.

    A dotted line stands where training went on with further data, a dot at the model that was kept of the last round.
    """
    stepped = bool(curves.psi and curves.psi[0])
    figure = Figure(figsize=(13 if stepped else 10, 3.2), layout='constrained')
    loss, position, heading, *rest = figure.subplots(1, 4 if stepped else 3)
    loss.plot(curves.step, curves.training_loss, color=BEFORE, label='training')
    loss.plot(curves.step, curves.validation_loss, color=AFTER, label='validation, open loop')
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
        axes.grid(alpha=0.3)
        for step in curves.rounds:
            axes.axvline(step, color='black', linestyle=':', linewidth=1)
        if axes.lines:
            axes.legend(fontsize='small')
    return figure


def _draw_error(axes: Axes, curves: Curves, before: Sequence[float], after: Sequence[float]) -> None:
    """Draw an error before adaptation, where that makes a difference, and after it."""
    if list(before) != list(after):
        axes.plot(curves.step, before, color=BEFORE, label='before adaptation')
    axes.plot(
        curves.step, after, color=AFTER, label='after adaptation' if list(before) != list(after) else 'validation'
    )
    first = next((row for row, step in enumerate(curves.step) if not curves.rounds or step > curves.rounds[-1]), None)
    if first is not None:
        kept = min(range(first, len(curves.step)), key=curves.validation_loss.__getitem__)
        axes.plot(curves.step[kept], after[kept], 'o', color=AFTER, label='kept')
