"""Draw recorded runs side by side: one colour for each variant, the baseline orange."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from millirobot_adapt.analysis.compare.runs import METRICS, Run, pairs_of
from millirobot_adapt.analysis.figure_style import (
    DASHED,
    GREY,
    HEIGHT,
    HERO,
    INK,
    LIGHT,
    MEDIAN_TICKS,
    ORANGE,
    PALETTE,
    Drawing,
    label_line,
    new_figure,
    running_median,
)
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray

Curve = tuple[FloatArray, FloatArray]
"""Stamps [s] and values."""
PANELS = 3
"""Panels side by side in the drawing of the paths."""


@dataclass(frozen=True)
class Gallery:
    """Runs, their variants with the baseline first, and what `runs.comparison` found."""

    runs: Sequence[Run]
    variants: Sequence[str]
    found: dict[str, Any]

    def of(self, variant: str) -> list[Run]:
        """Return the runs of a variant."""
        return [run for run in self.runs if run.variant == variant]

    def colour(self, variant: str) -> str:
        """Return the colour of a variant."""
        return PALETTE[self.variants.index(variant) % len(PALETTE)]


def paths(gallery: Gallery) -> Drawing | None:
    """Draw every path driven, a panel for each variant, laid so that all references lie on each other."""
    shown = [name for name in gallery.variants if any(run.recorded.timeline.track for run in gallery.of(name))]
    if not shown:
        return None
    columns = min(PANELS, len(shown))
    rows = -(-len(shown) // columns)
    height = rows * HERO / columns * _shape([run for variant in shown for run in gallery.of(variant)])
    figure = Figure(figsize=(HERO, 0.6 + 0.25 * rows + height), layout='constrained')
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, variant in zip(panels, shown, strict=False):
        runs = gallery.of(variant)
        for run in runs:
            _draw_path(axes, run, gallery.colour(variant))
        axes.set_title(f'{variant} ({len(runs)})', color=gallery.colour(variant), fontsize=10, weight='bold')
        axes.set_aspect('equal')
        axes.grid(True, axis='both')
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    figure.supxlabel('x [m]', fontsize=9, color=GREY)
    figure.supylabel('y [m]', fontsize=9, color=GREY)
    return Drawing(figure, 'Every run on the path wanted (grey); a cross where a fault began.')


def _shape(runs: Sequence[Run]) -> float:
    """Return height over width of what the runs walked, for panels that fit."""
    known = [(timeline.run.reference, timeline.track) for timeline in (run.recorded.timeline for run in runs)]
    points = [_laid(reference, track.poses[:, :2]) for reference, track in known if reference and track]
    wide, tall = np.maximum(np.ptp(np.concatenate(points), axis=0), 0.2)
    return float(np.clip(tall / wide, 0.2, 1.2))


def _draw_path(axes: Axes, run: Run, colour: str) -> None:
    timeline = run.recorded.timeline
    track, reference = timeline.track, timeline.run.reference
    if track is None or reference is None:
        return
    points = reference.waypoints
    line = np.vstack([points, points[:1]]) if reference.closed else points
    axes.plot(*_laid(reference, line).T, color=LIGHT, linewidth=5, solid_joinstyle='round', zorder=1)
    laid = _laid(reference, track.poses[:, :2])
    axes.plot(*laid.T, color=colour, linewidth=1.1, alpha=0.75, zorder=3)
    for event in timeline.events:
        place = laid[int(np.argmin(np.abs(timeline.times(track.stamps) - event.time)))]
        axes.plot(*place, 'X', color=INK, markersize=5.5, markeredgecolor='white', markeredgewidth=0.8, zorder=4)


def _laid(reference: ReferencePath, points: FloatArray) -> FloatArray:
    """Return points as seen from the start of the path, looking along its first segment."""
    cos, sin = reference.segment_directions[0]
    return np.asarray((points - reference.waypoints[0]) @ np.array([[cos, -sin], [sin, cos]]))


def ratios(gallery: Gallery) -> Drawing | None:
    """Draw each metric of the variants over the baseline's: every pair of runs, and the mean with its interval."""
    pairs = gallery.found['pairs']
    if not pairs:
        return None
    metrics = [metric for metric in METRICS if any(entry['metric'] == metric for entry in pairs)]
    others = gallery.variants[1:]
    figure, (axes,) = new_figure(0.9 + 0.3 * len(metrics) * max(1.0, 0.7 * len(others)))
    axes.axvline(1.0, color=ORANGE, linewidth=1.2)
    for entry in pairs:
        shift = (others.index(entry['variant']) - (len(others) - 1) / 2) * 0.7 / len(others)
        y = metrics.index(entry['metric']) + shift
        colour = gallery.colour(entry['variant'])
        values = pairs_of(gallery.runs, entry['variant'], entry['against'], entry['metric'])
        axes.plot(
            [mine / base for mine, base in values], [y] * len(values), '.', color=colour, alpha=0.35, markersize=6
        )
        if entry['interval']:
            axes.plot(entry['interval'], [y, y], color=colour, linewidth=2.2)
        axes.plot(entry['ratio'], y, 'o', color=colour, markersize=6.5, markeredgecolor='white')
    axes.set_yticks(range(len(metrics)), [METRICS[metric].replace(' [m]', '') for metric in metrics])
    axes.invert_yaxis()
    axes.grid(True, axis='x')
    axes.set_xlabel(f'ratio to {gallery.variants[0]} (left of the line: less)')
    count = max(entry['pairs'] for entry in pairs)
    return Drawing(figure, f'On {count} pairs of equal seed, path and condition: each pair, mean, 95 % interval.')


def off_path(gallery: Gallery) -> Drawing | None:
    """Draw the distance to the path over time: median and range over a variant's runs."""

    def distances(run: Run) -> Curve | None:
        track = run.recorded.timeline.track
        return None if track is None else (track.stamps, 100 * np.abs(track.cross_track))

    says = 'Running median of each run: the middle one of a variant, and the range of all.'
    return _over_time(gallery, distances, 'distance to the path [cm]', says)


def next_step(gallery: Gallery) -> Drawing | None:
    """Draw the error of predicting the next step over time, as `off_path`."""

    def errors(run: Run) -> Curve | None:
        data = run.recorded.timeline.run
        values = data.column('post_error')
        return (data.column('stamp'), values) if np.isfinite(values).any() else None

    return _over_time(gallery, errors, 'normalised error', 'After adaptation, on transitions not seen yet.')


def _over_time(gallery: Gallery, take: Callable[[Run], Curve | None], label: str, says: str) -> Drawing | None:
    """Draw running medians over time: the median and the range over the runs of each variant."""
    figure, (axes,) = new_figure(HEIGHT)
    ends: list[tuple[float, str, FloatArray, FloatArray]] = []
    for variant in gallery.variants:
        runs = [(run.recorded.timeline, taken) for run in gallery.of(variant) if (taken := take(run)) is not None]
        if not runs:
            continue
        dt = runs[0][0].dt
        grid = np.arange(0, max(timeline.span[1] for timeline, _ in runs), dt)
        lines = [_on_grid(grid, timeline.times(stamps), values) for timeline, (stamps, values) in runs]
        known = [column[np.isfinite(column)] for column in np.array(lines).T]
        low, middle, high = (
            np.array([float(f(column)) if len(column) else np.nan for column in known])
            for f in (np.min, np.median, np.max)
        )
        colour = gallery.colour(variant)
        axes.fill_between(grid, low, high, color=colour, alpha=0.13, linewidth=0)
        axes.plot(grid, middle, color=colour, linewidth=2.0)
        ends.append((float(middle[np.isfinite(middle)][-1]), variant, grid, middle))
    if not ends:
        return None
    # Lines often end close to each other; their names must not.
    for rank, (_, variant, times, values) in enumerate(sorted(ends, key=lambda end: end[0])):
        label_line(axes, times, values, variant, gallery.colour(variant), 9.0 * (rank - (len(ends) - 1) / 2))
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set_ylabel(label)
    axes.set_xlabel('time since the first tick [s]')
    _mark_faults(gallery, axes)
    return Drawing(figure, says)


def _on_grid(grid: FloatArray, times: FloatArray, values: FloatArray) -> FloatArray:
    """Return the running median of a run on common times; NaN after its end."""
    return np.interp(grid, times, running_median(values, MEDIAN_TICKS), right=np.nan)


def _mark_faults(gallery: Gallery, axes: Axes) -> None:
    """Mark faults that all runs have at the same time."""
    for event in gallery.runs[0].recorded.timeline.events:
        timelines = [run.recorded.timeline for run in gallery.runs]
        if all(any(e.name == event.name and abs(e.time - event.time) < 1.0 for e in s.events) for s in timelines):
            axes.axvline(event.time, color=INK, linewidth=1.0, linestyle=DASHED, zorder=1.5)
            axes.annotate(
                event.name, (event.time, 1.0), xycoords=('data', 'axes fraction'), xytext=(0, 3),
                textcoords='offset points', ha='center', va='bottom', color=INK, fontsize=8.5,
            )  # fmt: skip


def further_ahead(gallery: Gallery) -> Drawing | None:
    """Draw how the error of open-loop prediction grows: after adaptation, and dotted before it."""
    figure, (axes,) = new_figure(HEIGHT)
    longest = 0.0
    for variant in gallery.variants:
        known = [run.recorded.timeline.predictions for run in gallery.of(variant)]
        predictions = [entry for entry in known if entry is not None and entry.reached]
        if not predictions:
            continue
        steps = 1 + max(entry.reached for entry in predictions)
        steps = min(steps, *(entry.actual.shape[1] for entry in predictions))
        ahead = predictions[0].ahead[:steps]
        longest = max(longest, float(ahead[-1]))
        colour = gallery.colour(variant)
        for kind, line in (('before', (0, (1, 1.5))), ('after', '-')):
            errors = [entry.position_error(getattr(entry, kind))[:, :steps] for entry in predictions]
            mean = 100 * np.nanmean(np.concatenate(errors), axis=0)
            axes.plot(ahead, mean, color=colour, linewidth=1.8, linestyle=line)
        label_line(axes, ahead, mean, variant, colour)
    if not longest:
        return None
    axes.set_xlim(0, longest)
    axes.set_ylim(bottom=0)
    axes.set_xlabel('time ahead [s]')
    axes.set_ylabel('distance to what happened [cm]')
    return Drawing(figure, 'Mean over all ticks, open loop: after adaptation, and before it (dotted).')


def ready_times(gallery: Gallery) -> Drawing | None:
    """Draw the share of ticks whose plan was ready by a time, against the deadline."""
    figure, (axes,) = new_figure(HEIGHT)
    top = 0.0
    for variant in gallery.variants:
        runs = [run.recorded.timeline.run for run in gallery.of(variant)]
        ready = np.concatenate([run.column('wait_ms') + run.column('work_ms') for run in runs])
        ready = np.sort(ready[np.isfinite(ready)])
        if len(ready):
            top = max(top, float(ready[-1]))
            share = 100 * np.arange(1, len(ready) + 1) / len(ready)
            axes.step(ready, share, where='post', color=gallery.colour(variant), linewidth=1.8, label=variant)
    if not top:
        return None
    deadline = 1e3 * gallery.runs[0].recorded.timeline.dt
    axes.axvline(deadline, color=INK, linewidth=1.0, linestyle=DASHED)
    axes.annotate('deadline', (deadline, 0.03), xycoords=('data', 'axes fraction'), xytext=(-3, 0),
                  textcoords='offset points', ha='right', color=INK, fontsize=8.5)  # fmt: skip
    axes.set_xlim(0, 1.05 * max(top, deadline))
    axes.set_ylim(0, 102)
    axes.set_xlabel('since the tick began [ms]')
    axes.set_ylabel('plans ready [%]')
    axes.legend(loc='upper left', frameon=False)
    return Drawing(figure, 'State in, adapted, planned: the share of ticks that were done by then.')


def round_trips(gallery: Gallery) -> Drawing | None:
    """Draw each run's round trip from setpoint to reply: from the median to the 99th percentile."""
    runs = [run for run in gallery.runs if run.metrics['rtt_p50_ms'] is not None]
    if not runs:
        return None
    figure, (axes,) = new_figure(HEIGHT)
    for place, run in enumerate(runs):
        colour = gallery.colour(run.variant)
        ends = np.array([run.metrics['rtt_p50_ms'], run.metrics['rtt_p99_ms']], dtype=float)
        axes.plot(ends, [place, place], color=colour, linewidth=2.2)
        axes.plot(ends[0], place, 'o', color=colour, markersize=6, markeredgecolor='white')
    names = [f'{run.variant}, {"?" if run.seed is None else run.seed}' for run in runs]
    axes.set_yticks(range(len(runs)), names)
    axes.invert_yaxis()
    axes.grid(True, axis='x')
    axes.set_xlim(left=0)
    axes.set_xlabel('round trip [ms]')
    lost = sum(run.metrics['replies_lost'] or 0 for run in runs)
    return Drawing(figure, f'Median (dot) to 99th percentile of each run, by seed; {lost:.0f} replies lost in all.')
