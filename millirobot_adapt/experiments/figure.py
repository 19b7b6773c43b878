"""Draw the paths walked against the path wanted, and the cross-track error over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from millirobot_adapt.experiments.story import Episode

COLOURS = ('tab:blue', 'tab:orange', 'tab:green', 'tab:red', 'tab:purple', 'tab:brown')


def draw_paths(path: Path, episodes: Sequence[Episode], methods: Sequence[str]) -> None:
    """Save a picture of the episodes of one condition and shape: a panel for each method, and one over time."""
    figure = Figure(figsize=(5 * len(methods), 6), layout='constrained')
    FigureCanvasAgg(figure)
    (upper,), (lower,) = figure.subfigures(2, 1, squeeze=False, height_ratios=(3, 2))
    planes = upper.subplots(1, len(methods), squeeze=False, sharex=True, sharey=True)
    over_time = lower.subplots()
    for index, method in enumerate(methods):
        own = [episode for episode in episodes if episode.story.method == method]
        colour = COLOURS[index % len(COLOURS)]
        _draw_plane(planes[0, index], method, own, colour)
        _draw_over_time(over_time, method, own, colour)
    over_time.set(xlabel='time [s]', ylabel='distance to the path [m]')
    over_time.legend(loc='upper left')
    story = episodes[0].story
    upper.suptitle(f'{story.condition}, {story.shape}')
    # Without the date and the version of the library equal runs give equal files.
    figure.savefig(path, dpi=110, metadata={'Software': None})


def _draw_plane(axes: Axes, method: str, episodes: Sequence[Episode], colour: str) -> None:
    """Draw where each seed walked; the path wanted is black, a dot marks where the first fault began."""
    for episode in episodes:
        table = episode.table
        axes.plot(table['x'], table['y'], color=colour, linewidth=0.9, alpha=0.7)
        broken = np.flatnonzero(table['faults'] > 0)
        if len(broken):
            axes.plot(table['x'][broken[0]], table['y'][broken[0]], 'o', color='black', markersize=4)
    path = episodes[0].path
    walked = max(float(episode.table['progress'].max()) for episode in episodes)
    shown = len(path.outline) if path.closed else int(np.searchsorted(path.segment_starts, walked)) + 1
    axes.plot(*path.outline[:shown].T, color='black', linewidth=0.8, linestyle='--')
    axes.set(title=method, xlabel='x [m]', ylabel='y [m]', aspect='equal')


def _draw_over_time(axes: Axes, method: str, episodes: Sequence[Episode], colour: str) -> None:
    """Draw the distance to the path: the mean over seeds, as far as all of them walked, and each seed faintly."""
    for episode in episodes:
        axes.plot(episode.table['time'], np.abs(episode.table['cross_track']), color=colour, linewidth=0.4, alpha=0.4)
    shortest = min(len(episode.table['time']) for episode in episodes)
    mean = np.mean([np.abs(episode.table['cross_track'][:shortest]) for episode in episodes], axis=0)
    axes.plot(episodes[0].table['time'][:shortest], mean, color=colour, linewidth=1.8, label=method)
    broken = np.flatnonzero(episodes[0].table['faults'] > 0)
    if len(broken):
        axes.axvline(episodes[0].table['time'][broken[0]], color='black', linewidth=0.8, linestyle=':')
