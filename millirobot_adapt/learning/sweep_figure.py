"""Draw the results of a sweep of settings."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from millirobot_adapt.analysis.figure_style import HEIGHT, INK, WIDTH
from millirobot_adapt.learning.sweep import Trial, best

SWEEP_FIGURE = 'sweep.png'


def draw_sweep(trials: Sequence[Trial]) -> Figure:
    """Draw the position error over the setting with the most values, one line for each value of the other.

    Call it inside `figure_style.styled`.
    """
    names = list(trials[0].settings)
    values = {name: sorted({trial.settings[name] for trial in trials}) for name in names}
    along = max(names, key=lambda name: len(values[name]))
    other = next((name for name in names if name != along), along)
    figure = Figure(figsize=(WIDTH, 1.3 * HEIGHT), layout='constrained')
    axes = figure.subplots()
    for value in values[other] if other != along else [None]:
        line = [trial for trial in trials if value is None or trial.settings[other] == value]
        line = sorted((trial for trial in line if math.isfinite(trial.loss)), key=lambda trial: trial.settings[along])
        axes.plot(
            [trial.settings[along] for trial in line], [1e3 * trial.position for trial in line],
            marker='.', label='' if value is None else f'{other} {value}',
        )  # fmt: skip
    chosen = best(trials)
    axes.plot(
        chosen.settings[along], 1e3 * chosen.position, marker='o', ls='', mfc='none', mec=INK, ms=12, label='chosen'
    )
    if values[along][-1] > 30 * values[along][0]:
        axes.set_xscale('log')
    found = [1e3 * trial.position for trial in trials if math.isfinite(trial.loss)]
    axes.set_ylim(0, min(3 * min(found), 1.05 * max(found)))
    axes.set(xlabel=along, ylabel='adapted position error at the horizon [mm]')
    axes.legend(frameon=False)
    return figure
