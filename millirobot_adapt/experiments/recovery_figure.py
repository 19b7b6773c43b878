"""Draw errors and costs against the time since a fault, methods over each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from millirobot_adapt.analysis.figure_style import DASHED, HERO, INK, Drawing
from millirobot_adapt.experiments.recovery import (
    QUANTITIES,
    SETTLED,
    SMOOTHED,
    Aligned,
    align,
    mean_curve,
    running_mean,
)
from millirobot_adapt.experiments.results import Results

ROW = 1.5
"""Height of a row of panels [inch]."""


def recovery_curves(results: Results) -> Drawing | None:
    """Draw a row of panels for each quantity and a column for each condition; None where no fault came in mid-run."""
    found = list(align(results.episodes, results.methods))
    if not found:
        return None
    quantities = [name for name in QUANTITIES if any(each.quantity == name for each in found)]
    conditions = list(dict.fromkeys(each.condition for each in found))
    figure = Figure(figsize=(HERO, ROW * len(quantities) + 0.7), layout='constrained')
    panels = figure.subplots(len(quantities), len(conditions), squeeze=False, sharex=True, sharey='row')
    for row, quantity in enumerate(quantities):
        for column, condition in enumerate(conditions):
            axes = panels[row, column]
            for each in _chosen(found, quantity, condition):
                curve = running_mean(mean_curve(each.values), each.since)
                axes.plot(each.since, curve, color=results.colour(each.method), linewidth=1.2, label=each.method)
            axes.axvline(0.0, color=INK, linewidth=0.9, linestyle=DASHED, zorder=1)
            axes.set_ylim(bottom=0.0)
            if row == 0:
                axes.set_title(condition.replace('_', ' '), fontsize=8.5, color=INK)
        panels[row, 0].set_ylabel(QUANTITIES[quantity], fontsize=8)
    figure.supxlabel('time since the fault [s]', fontsize=9)
    handles = {
        label: handle
        for axes in panels.ravel()
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc='outside upper center', ncols=6, frameon=False, fontsize=8)
    walks = max(np.shape(each.values)[0] for each in found)
    return Drawing(
        figure,
        f'Mean over up to {walks} walks, averaged over {SMOOTHED:g} s. The level after is that of the last '
        f'{SETTLED[1] - SETTLED[0]:g} s shown.',
    )


def _chosen(found: Sequence[Aligned], quantity: str, condition: str) -> list[Aligned]:
    return [each for each in found if (each.quantity, each.condition) == (quantity, condition)]
