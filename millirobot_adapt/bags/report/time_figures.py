"""Draw the figures of a run's report; each returns None where the bag does not hold what it shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from millirobot_adapt.bags.plotting import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    WIDTH,
    label_line,
    mark_faults,
    new_figure,
    running_median,
)
from millirobot_adapt.bags.run_data import RunData, Series
from millirobot_adapt.bags.track import Track
from millirobot_adapt.core.state import FloatArray, StateView

ERROR_COLOURS = LinearSegmentedColormap.from_list('error', [BLUE, '#7fb2d0', '#f0a35e', ORANGE, '#8f2d00'])
"""From on the path (blue) to far off it (dark orange)."""
HEIGHT = 2.9
"""Height of the other figures [inch]."""
HERO = 1.4 * WIDTH
"""Width of the drawing of the path [inch]."""
MEDIAN_TICKS = 15
"""Width of running medians [ticks]."""
REVOLUTION = 2 * np.pi


@dataclass(frozen=True)
class Story:
    """A run as the figures see it: times run from its first tick."""

    run: RunData
    track: Track | None
    faults: list[tuple[float, str]]
    """Time [s] and name of what began."""
    span: tuple[float, float]
    """First and last time shown [s]."""

    def times(self, stamps: FloatArray) -> FloatArray:
        """Return seconds since the first tick."""
        return stamps - self.run.origin


def tell(run: RunData, track: Track | None) -> Story:
    """Set the story's time axis: from the first to the last tick, or the whole bag where there are no ticks."""
    end = run.ticks[-1].stamp + float(np.median(np.diff(run.column('stamp')))) if len(run.ticks) > 1 else run.end
    faults = [(fault.received - run.origin, (fault.text or fault.name).replace('_', ' ')) for fault in run.faults]
    return Story(run, track, faults, (0.0, max(end - run.origin, 1e-3)))


def driven_path(story: Story) -> Figure | None:
    """Draw the path driven, coloured by its distance to the path wanted, with start, faults and end."""
    run, track = story.run, story.track
    poses = track.poses if track is not None else run.poses.values
    if len(poses) < 2:
        return None
    figure = Figure(figsize=(HERO, _path_height(run, poses)), layout='constrained')
    axes = figure.subplots()
    axes.set_aspect('equal')
    axes.grid(True, axis='both')
    if run.reference is not None:
        points = run.reference.waypoints
        line = np.vstack([points, points[:1]]) if run.reference.closed else points
        axes.plot(*line.T, color=LIGHT, linewidth=9, alpha=0.55, solid_joinstyle='round', zorder=1)
        axes.plot(*points.T, '.', color=GREY, markersize=3, zorder=1.2)
    _coloured_line(figure, axes, poses, track)
    stamps = track.stamps if track is not None else run.poses.stamps
    _mark(axes, poses, 0, 'start', 'o', GREEN)
    for time, name in story.faults:
        _mark(axes, poses, int(np.argmin(np.abs(story.times(stamps) - time))), name, 'X', INK)
    _mark(axes, poses, len(poses) - 1, 'end', 's', INK)
    axes.set_xlabel('x [m]')
    axes.set_ylabel('y [m]', labelpad=8)
    axes.margins(x=0.12, y=0.08)
    return figure


def _path_height(run: RunData, poses: FloatArray) -> float:
    """Give the drawing of the path the height that its shape asks for [inch]."""
    points = poses[:, :2] if run.reference is None else np.vstack([poses[:, :2], run.reference.waypoints])
    wide, tall = np.maximum(np.ptp(points, axis=0), 0.2)
    return float(np.clip((HERO - 0.7) * tall / wide * (1.16 / 1.24) + 1.15, 2.2, HERO))


def _coloured_line(figure: Figure, axes: Axes, poses: FloatArray, track: Track | None) -> None:
    points = poses[:, None, :2]
    lines = LineCollection(list(np.concatenate([points[:-1], points[1:]], axis=1)), linewidths=2.6, zorder=3)
    axes.add_collection(lines)
    axes.autoscale_view()
    if track is None:
        lines.set_color(BLUE)
        return
    off = 100 * np.abs(track.cross_track)
    lines.set_array((off[:-1] + off[1:]) / 2)
    lines.set_cmap(ERROR_COLOURS)
    lines.set_clim(0, max(2.0, float(np.percentile(off, 99))))
    bar = figure.colorbar(lines, ax=axes, orientation='horizontal', aspect=60, shrink=0.45, pad=0.02, extend='max')
    bar.set_label('distance to the path [cm]')
    bar.outline.set_visible(False)


def _mark(axes: Axes, poses: FloatArray, index: int, text: str, marker: str, color: str) -> None:
    """Mark one place of the path and name it on the side that points away from the middle of the drawing."""
    x, y = poses[index, :2]
    away = np.sign(np.array([x, y]) - poses[:, :2].mean(axis=0) + 1e-12)
    axes.plot(x, y, marker, color=color, markersize=9, markeredgecolor='white', markeredgewidth=1.2, zorder=5)
    label = axes.annotate(
        text, (x, y), xytext=9 * away, textcoords='offset points', color=color, weight='bold', zorder=6,
        ha='left' if away[0] > 0 else 'right', va='bottom' if away[1] > 0 else 'top',
        bbox={'facecolor': 'white', 'alpha': 0.85, 'edgecolor': 'none', 'pad': 1.0},
    )  # fmt: skip
    label.set_in_layout(False)


def cross_track(story: Story) -> Figure | None:
    """Draw the signed distance to the path over time."""
    if story.track is None:
        return None
    figure, (axes,) = new_figure(HEIGHT)
    times, off = story.times(story.track.stamps), 100 * story.track.cross_track
    axes.axhline(0, color=LIGHT, linewidth=1.2)
    axes.fill_between(times, off, 0, color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(times, off, color=BLUE, linewidth=1.4)
    largest = 1.15 * max(2.0, float(np.abs(off).max()))
    axes.set_ylim(-largest, largest)
    axes.set_ylabel('left of the path [cm]')
    _finish(story, axes)
    return figure


def prediction(story: Story) -> Figure | None:
    """Draw the error of predicting the next transition, before and after adaptation: each tick and running medians."""
    before, after = story.run.column('pre_error'), story.run.column('post_error')
    if not np.isfinite(before).any():
        return None
    figure, (axes,) = new_figure(HEIGHT)
    times = story.times(story.run.column('stamp'))
    medians = [running_median(values, MEDIAN_TICKS) for values in (before, after)]
    # The two lines often end close to each other; their names must not.
    apart = 5.0 if np.nanmean(before) >= np.nanmean(after) else -5.0
    lines = ((before, medians[0], 'before', ORANGE, apart), (after, medians[1], 'after', BLUE, -apart))
    for values, median, name, color, dy in lines:
        axes.plot(times, values, '.', color=color, alpha=0.28, markersize=3.5, markeredgewidth=0)
        axes.plot(times, median, color=color, linewidth=2.0)
        label_line(axes, times, median, name, color, dy)
    finite = np.concatenate([before, after])
    axes.set_ylim(0, 1.1 * float(np.percentile(finite[np.isfinite(finite)], 98)))
    axes.set_ylabel('normalised error')
    _finish(story, axes)
    return figure


def speed(story: Story) -> Figure | None:
    """Draw the estimated speed along the body's forward axis: each tick and the running median."""
    states = _within(story, story.run.states)
    if not len(states):
        return None
    view = StateView(states.values)
    forward = view.velocity[:, 0] * np.cos(view.yaw) + view.velocity[:, 1] * np.sin(view.yaw)
    figure, (axes,) = new_figure(HEIGHT)
    axes.axhline(0, color=LIGHT, linewidth=1.2)
    axes.plot(states.stamps, forward, '.', color=BLUE, alpha=0.28, markersize=3.5, markeredgewidth=0)
    axes.plot(states.stamps, running_median(forward, MEDIAN_TICKS), color=BLUE, linewidth=2.0)
    axes.set_ylabel('forward [m/s]')
    _finish(story, axes)
    return figure


def leg_rates(story: Story) -> Figure | None:
    """Draw each side's leg rate against its setpoint, in revolutions per second."""
    run = story.run
    if not len(run.legs):
        return None
    figure, both = new_figure(HEIGHT, rows=2)
    wanted, measured = (_within(story, series) for series in (run.sent, run.legs))
    top = 1.08 * float(np.max(np.abs(np.concatenate([wanted.values, measured.values, [[1.0, 1.0]]])))) / REVOLUTION
    for side, (axes, name, color) in enumerate(zip(both, ('left', 'right'), (BLUE, ORANGE), strict=True)):
        axes.step(*_column(wanted, side), where='post', color=INK, linewidth=1.0, alpha=0.55)
        axes.plot(*_column(measured, side), color=color, linewidth=1.3)
        axes.set_ylabel(f'{name} [rev/s]')
        axes.set_ylim(0, top)
        _finish(story, axes, last=side == 1, label=side == 0)
    return figure


def _within(story: Story, series: Series) -> Series:
    """Return the part of a series that lies in the time shown, in seconds since the first tick."""
    times = story.times(series.stamps)
    inside = (times >= story.span[0]) & (times <= story.span[1])
    return Series(times[inside], series.values[inside])


def _column(series: Series, side: int) -> tuple[FloatArray, FloatArray]:
    return series.stamps, series.values[:, side] / REVOLUTION


def tick_times(story: Story) -> Figure | None:
    """Draw the period and the work of every tick, over time and as histograms, with the 99th percentile of the work."""
    work, period = story.run.column('work_ms'), story.run.column('period_ms')
    if not np.isfinite(work).any():
        return None
    figure, (axes, histogram) = new_figure(HEIGHT, width_ratios=(4.0, 1.0))
    times = story.times(story.run.column('stamp'))
    top = 1.1 * float(np.nanmax(np.concatenate([work, period, [1.0]])))
    bins = np.linspace(0, top, 60).tolist()
    for values, name, color in ((period, 'period', GREY), (work, 'work', BLUE)):
        axes.plot(times, values, '.', color=color, markersize=3.5, alpha=0.6, markeredgewidth=0)
        label_line(axes, times, running_median(values, MEDIAN_TICKS), name, color)
        histogram.hist(values[np.isfinite(values)], bins=bins, orientation='horizontal', color=color, alpha=0.8)
    axes.set_ylim(0, top)
    axes.set_ylabel('time [ms]')
    _finish(story, axes, label=False)
    histogram.set_ylim(0, top)
    histogram.set_xlabel('ticks')
    p99 = float(np.percentile(work[np.isfinite(work)], 99))
    histogram.axhline(p99, color=BLUE, linewidth=0.9, linestyle=(0, (3, 2)))
    histogram.annotate(
        'p99', (1.0, p99), xycoords=('axes fraction', 'data'), xytext=(4, 0), textcoords='offset points', color=BLUE,
        va='center',
    )  # fmt: skip
    histogram.tick_params(labelleft=False)
    return figure


_LINK_VALUES = ('rtt_p50_ms', 'rtt_p99_ms', 'lost')


def link(story: Story) -> Figure | None:
    """Draw the radio's round-trip times as the bridge reported them, and the replies lost so far."""
    end = story.run.origin + story.span[1]
    reports = [s for s in story.run.bridge if {*_LINK_VALUES} <= s.values.keys() and s.received <= end]
    if len(reports) < 2:
        return None
    figure, (axes, lost) = new_figure(HEIGHT, rows=2)
    times = story.times(np.array([status.received for status in reports]))
    for key, name, color in (('rtt_p99_ms', '99 %', ORANGE), ('rtt_p50_ms', 'median', BLUE)):
        values = np.array([float(status.values[key]) for status in reports])
        axes.plot(times, values, color=color, linewidth=1.5)
        label_line(axes, times, values, name, color)
    axes.set_ylim(bottom=0)
    axes.set_ylabel('round trip [ms]')
    counts = [float(status.values['lost']) for status in reports]
    lost.step(times, counts, where='post', color=INK, linewidth=1.5)
    lost.set_ylim(0, 1.15 * max(1.0, *counts))
    lost.set_ylabel('replies lost')
    _finish(story, axes, last=False)
    _finish(story, lost, label=False)
    return figure


def _finish(story: Story, axes: Axes, last: bool = True, label: bool = True) -> None:
    """Give a time plot its axis and its fault marks."""
    axes.set_xlim(*story.span)
    mark_faults(axes, [(time, name) for time, name in story.faults if time <= story.span[1]], label)
    if last:
        axes.set_xlabel('time since the first tick [s]')
