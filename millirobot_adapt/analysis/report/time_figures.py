"""Draw what happened over time; each figure is None where the bag does not hold what it shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from millirobot_adapt.analysis.figure_style import (
    BLUE,
    DASHED,
    GREY,
    HEIGHT,
    INK,
    LIGHT,
    ORANGE,
    STOP,
    Drawing,
    label_line,
    mark_events,
    new_figure,
    running_median,
    worst,
)
from millirobot_adapt.analysis.report.timeline import Timeline
from millirobot_adapt.analysis.run_data import Series
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION
from millirobot_adapt.core.robot.state import FloatArray, StateView

MEDIAN_TICKS = 15
"""Width of running medians [ticks]."""
DOTS: Any = {'markersize': 3.5, 'markeredgewidth': 0}


def cross_track(story: Timeline) -> Drawing | None:
    """Draw the signed distance to the path."""
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
    worst = int(np.abs(off).argmax())
    return Drawing(figure, f'Positive to the left; farthest off {abs(off[worst]):.0f} cm, at {times[worst]:.0f} s.')


def speed(story: Timeline) -> Drawing | None:
    """Draw the estimated speed along the body's forward axis: each tick and the running median."""
    states = story.within(story.run.states)
    if not len(states):
        return None
    view = StateView(states.values)
    forward = view.velocity[:, 0] * np.cos(view.yaw) + view.velocity[:, 1] * np.sin(view.yaw)
    figure, (axes,) = new_figure(HEIGHT)
    axes.axhline(0, color=LIGHT, linewidth=1.2)
    axes.plot(states.stamps, forward, '.', color=BLUE, alpha=0.28, **DOTS)
    axes.plot(states.stamps, running_median(forward, MEDIAN_TICKS), color=BLUE, linewidth=2.0)
    axes.set_ylabel('forward [m/s]')
    _finish(story, axes)
    return Drawing(figure, f'Along the body, as estimated; median {np.median(forward):.2f} m/s.')


def prediction(story: Timeline) -> Drawing | None:
    """Draw the error of predicting the next transition, before and after adaptation: each tick and running medians."""
    before, after = story.run.column('pre_error'), story.run.column('post_error')
    if not np.isfinite(before).any():
        return None
    figure, (axes,) = new_figure(HEIGHT)
    times = story.times(story.run.column('stamp'))
    adapts = not np.array_equal(before, after, equal_nan=True)
    # The two lines often end close to each other; their names must not.
    apart = 5.0 if np.nanmean(before) >= np.nanmean(after) else -5.0
    lines = [(after, 'after' if adapts else 'predicted', BLUE, -apart if adapts else 0.0)]
    if adapts:
        lines.insert(0, (before, 'before', ORANGE, apart))
    for values, name, color, dy in lines:
        axes.plot(times, values, '.', color=color, alpha=0.28, **DOTS)
        median = running_median(values, MEDIAN_TICKS)
        axes.plot(times, median, color=color, linewidth=2.0)
        label_line(axes, times, median, name, color, dy)
    finite = np.concatenate([before, after])
    axes.set_ylim(0, 1.1 * float(np.percentile(finite[np.isfinite(finite)], 98)))
    axes.set_ylabel('normalised error')
    _finish(story, axes)
    means = float(np.nanmean(before)), float(np.nanmean(after))
    change = f'mean {means[0]:.2f} before adapting, {means[1]:.2f} after' if adapts else f'mean {means[0]:.2f}'
    return Drawing(figure, f'On transitions not seen yet: {change}.')


def adaptation(story: Timeline) -> Drawing | None:
    """Draw the norm of the inner gradient, and the fraction of the inner step that was taken."""
    norm, step = story.run.column('gradient_norm'), story.run.column('inner_step')
    if not (np.isfinite(norm) & (norm > 0)).any():
        return None
    figure, (upper, lower) = new_figure(HEIGHT, rows=2)
    times = story.times(story.run.column('stamp'))
    upper.plot(times, np.where(norm > 0, norm, np.nan), color=BLUE, linewidth=1.3)
    upper.set_ylim(bottom=0)
    upper.set_ylabel('gradient norm')
    lower.step(times, step, where='post', color=INK, linewidth=1.3)
    lower.set_ylim(0, 1.08)
    lower.set_ylabel('step taken')
    _finish(story, upper, last=False)
    _finish(story, lower, label=False)
    shortened = int(np.sum(step[np.isfinite(step)] < 1.0))
    return Drawing(figure, f'Norm of the inner gradient; ticks with a shortened step: {shortened} of {len(step)}.')


def leg_rates(story: Timeline) -> Drawing | None:
    """Draw each side's leg rate against its setpoint, in revolutions per second."""
    run = story.run
    if not len(run.legs):
        return None
    figure, both = new_figure(HEIGHT, rows=2)
    wanted, measured = story.within(run.sent), story.within(run.legs)
    largest = float(np.max(np.abs(np.concatenate([wanted.values, measured.values, [[1.0, 1.0]]]))))
    for side, (axes, name, color) in enumerate(zip(both, ('left', 'right'), (BLUE, ORANGE), strict=True)):
        axes.step(*_rate(wanted, side), where='post', color=INK, linewidth=1.0, alpha=0.55)
        axes.plot(*_rate(measured, side), color=color, linewidth=1.3)
        axes.set_ylabel(f'{name} [rev/s]')
        axes.set_ylim(0, 1.08 * largest / RADIANS_PER_REVOLUTION)
        _finish(story, axes, last=side == 1, label=side == 0)
    return Drawing(figure, 'Measured (colour) against the setpoint sent (grey).')


def _rate(series: Series, side: int) -> tuple[FloatArray, FloatArray]:
    return series.stamps, series.values[:, side] / RADIANS_PER_REVOLUTION


def tick_times(story: Timeline) -> Drawing | None:
    """Draw when in its tick each state came and each plan was ready, against the deadline: the next tick."""
    run = story.run
    wait, work = run.column('wait_ms'), run.column('work_ms')
    ready = wait + work
    if not np.isfinite(ready).any():
        return None
    figure, (axes, histogram) = new_figure(HEIGHT, width_ratios=(4.0, 1.0))
    times, deadline = story.times(run.column('stamp')), 1e3 * story.dt
    top = 1.1 * float(np.nanmax(np.concatenate([ready, [deadline]])))
    bins = np.linspace(0, top, 60).tolist()
    for values, name, color in ((wait, 'state', GREY), (ready, 'plan', BLUE)):
        axes.plot(times, values, '.', color=color, alpha=0.6, **DOTS)
        label_line(axes, times, running_median(values, MEDIAN_TICKS), name, color)
        histogram.hist(values[np.isfinite(values)], bins=bins, orientation='horizontal', color=color, alpha=0.8)
    late = run.column('misses') > 0
    axes.plot(times[late], np.full(late.sum(), deadline), 'X', color=STOP, markersize=6, markeredgecolor='white')
    for place in (axes, histogram):
        place.axhline(deadline, color=INK, linewidth=1.0, linestyle=DASHED)
        place.set_ylim(0, top)
    axes.annotate('deadline', (0.99, deadline), xycoords=('axes fraction', 'data'), xytext=(0, -4),
                  textcoords='offset points', ha='right', va='top', color=INK, fontsize=8.5)  # fmt: skip
    axes.set_ylabel('since the tick began [ms]')
    _finish(story, axes)
    histogram.set_xlabel('ticks')
    histogram.tick_params(labelleft=False)
    p99 = float(np.percentile(ready[np.isfinite(ready)], 99))
    return Drawing(figure, f'State in, plan ready: {p99:.0f} of {deadline:.0f} ms (p99). A cross: no plan in time.')


_LINK_VALUES = ('rtt_p50_ms', 'rtt_p99_ms', 'lost')


def link(story: Timeline) -> Drawing | None:
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
    return Drawing(figure, f'From setpoint to reply; {counts[-1]:.0f} replies never came.')


def mocap(story: Timeline) -> Drawing | None:
    """Draw the time between two poses of motion capture, and how old each was when it arrived."""
    poses = story.within(story.run.mocap)
    if len(poses) < 2:
        return None
    figure, (upper, lower) = new_figure(HEIGHT, rows=2)
    gaps, ages = 1e3 * np.diff(poses.stamps), 1e3 * poses.values
    upper.plot(*worst(poses.stamps[1:], gaps), '.', color=BLUE, alpha=0.5, **DOTS)
    upper.set_ylim(0, 1.15 * float(gaps.max()))
    upper.set_ylabel('between poses [ms]')
    lower.plot(*worst(poses.stamps, ages), '.', color=BLUE, alpha=0.5, **DOTS)
    lower.set_ylim(min(0.0, float(ages.min())), 1.15 * max(1.0, float(ages.max())))
    lower.set_ylabel('age [ms]')
    _finish(story, upper, last=False)
    _finish(story, lower, label=False)
    rate = 1e3 / float(np.median(gaps))
    age = float(np.median(ages))
    return Drawing(figure, f'{rate:.0f} poses a second, {age:.1f} ms old on arrival; longest gap {gaps.max():.0f} ms.')


def _finish(story: Timeline, axes: Axes, last: bool = True, label: bool = True) -> None:
    """Give a time plot its axis and its marks."""
    axes.set_xlim(*story.span)
    mark_events(axes, [(event.time, event.name, event.stop) for event in story.events], label)
    if last:
        axes.set_xlabel('time since the first tick [s]')
