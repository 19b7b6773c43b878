"""Draw what was sent, what came back, and when; None where the bag does not hold what a figure shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from millirobot_adapt.analysis.figure_style import (
    BLUE,
    DASHED,
    DOTS,
    GREEN,
    GREY,
    HEIGHT,
    INK,
    MEDIAN_TICKS,
    ORANGE,
    STOP,
    Drawing,
    finish_time_axis,
    label_line,
    new_figure,
    running_median,
    worst,
)
from millirobot_adapt.analysis.report.timeline import Timeline
from millirobot_adapt.analysis.run_data import Series
from millirobot_adapt.analysis.setpoints import as_wanted, pairs
from millirobot_adapt.analysis.shown_units import shown_actions
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION
from millirobot_adapt.core.robot.state import FloatArray

COLORS = (BLUE, ORANGE, GREEN)
"""Of actions and joints, in their order."""


def setpoints(timeline: Timeline) -> Drawing | None:
    """Draw for each action what the controller wanted and what the bridge sent."""
    wanted, sent = pairs(timeline.run)
    if not len(wanted):
        return None
    same = as_wanted(wanted.values, sent, timeline.run.layout)
    inside = timeline.within(Series(wanted.stamps, np.column_stack([wanted.values, sent, same])))
    if not len(inside):
        return None
    actions = timeline.run.layout.actions
    figure, many = new_figure(HEIGHT, rows=len(actions))
    changed = inside.values[:, -1] == 0
    shown = shown_actions(timeline.run.layout)
    for number, (axes, action, (unit, scale)) in enumerate(zip(_listed(many), actions, shown, strict=True)):
        ours, theirs = inside.values[:, number] / scale, inside.values[:, len(actions) + number] / scale
        axes.step(inside.stamps, ours, where='post', color=INK, linewidth=1.0, alpha=0.55)
        axes.step(inside.stamps, theirs, where='post', color=COLORS[number % len(COLORS)], linewidth=1.3)
        axes.plot(inside.stamps[changed], ours[changed], 'x', color=STOP, markersize=5)
        axes.set_ylabel(f'{action.name} [{unit}]')
        finish_time_axis(axes, timeline.span, timeline.marks, last=number == len(actions) - 1, label=number == 0)
    count = f'{changed.sum()} of {len(inside)} were changed, replaced or not sent (crosses)'
    return Drawing(figure, f'Sent (colour) against wanted by the controller (grey): {count}.')


def joint_rates(timeline: Timeline) -> Drawing | None:
    """Draw the rate of each joint that an action turns against its setpoint, in revolutions per second."""
    run, followers = timeline.run, timeline.run.layout.followers
    if not len(run.legs) or not followers:
        return None
    figure, many = new_figure(HEIGHT, rows=len(followers))
    wanted, measured = timeline.within(run.sent), timeline.within(run.legs)
    actions, joints = (list(numbers) for numbers in zip(*followers, strict=True))
    values = np.concatenate([wanted.values[:, actions].ravel(), measured.values[:, joints].ravel(), [0.0, 1.0]])
    least, largest = float(values.min()) / RADIANS_PER_REVOLUTION, float(values.max()) / RADIANS_PER_REVOLUTION
    for row, (axes, (action, joint)) in enumerate(zip(_listed(many), followers, strict=True)):
        axes.step(*_rate(wanted, action), where='post', color=INK, linewidth=1.0, alpha=0.55)
        axes.plot(*_rate(measured, joint), color=COLORS[row % len(COLORS)], linewidth=1.3)
        axes.set_ylabel(f'{run.layout.action_names[action]} [rev/s]')
        axes.set_ylim(1.08 * least, 1.08 * largest)
        finish_time_axis(axes, timeline.span, timeline.marks, last=row == len(followers) - 1, label=row == 0)
    return Drawing(figure, 'Measured (colour) against the setpoint sent (grey).')


def _listed(axes: Axes | Sequence[Axes]) -> Sequence[Axes]:
    """Return the panels of a figure as a list, also where there is one alone."""
    return [axes] if isinstance(axes, Axes) else axes


def _rate(series: Series, side: int) -> tuple[FloatArray, FloatArray]:
    return series.stamps, series.values[:, side] / RADIANS_PER_REVOLUTION


def tick_times(timeline: Timeline) -> Drawing | None:
    """Draw when in its tick each state came and each plan was ready, against the deadline: the next tick."""
    run = timeline.run
    wait, work = run.column('wait_ms'), run.column('work_ms')
    ready = wait + work
    if not np.isfinite(ready).any():
        return None
    figure, (axes, histogram) = new_figure(HEIGHT, width_ratios=(4.0, 1.0))
    times, deadline = timeline.times(run.column('stamp')), 1e3 * timeline.dt
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
    finish_time_axis(axes, timeline.span, timeline.marks)
    histogram.set_xlabel('ticks')
    histogram.tick_params(labelleft=False)
    p99 = float(np.percentile(ready[np.isfinite(ready)], 99))
    return Drawing(figure, f'State in, plan ready: {p99:.0f} of {deadline:.0f} ms (p99). A cross: no plan in time.')


_LINK_VALUES = ('rtt_p50_ms', 'rtt_p99_ms', 'lost')


def link(timeline: Timeline) -> Drawing | None:
    """Draw the round trips from setpoint to reply as the bridge reported them, and the replies lost so far."""
    end = timeline.run.origin + timeline.span[1]
    reports = [s for s in timeline.run.bridge if {*_LINK_VALUES} <= s.values.keys() and s.received <= end]
    if len(reports) < 2:
        return None
    figure, (axes, lost) = new_figure(HEIGHT, rows=2)
    times = timeline.times(np.array([status.received for status in reports]))
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
    finish_time_axis(axes, timeline.span, timeline.marks, last=False)
    finish_time_axis(lost, timeline.span, timeline.marks, label=False)
    return Drawing(figure, f'From setpoint to reply; {counts[-1]:.0f} replies never came.')


def mocap(timeline: Timeline) -> Drawing | None:
    """Draw the time between two poses of motion capture, and how old each was when it arrived, where that is known."""
    poses = timeline.within(timeline.run.mocap)
    if len(poses) < 2:
        return None
    gaps, ages = 1e3 * np.diff(poses.stamps), 1e3 * poses.values
    dated = bool(np.isfinite(ages).all())
    figure, axes = new_figure(HEIGHT, rows=2 if dated else 1)
    axes[0].plot(*worst(poses.stamps[1:], gaps), '.', color=BLUE, alpha=0.5, **DOTS)
    axes[0].set_ylim(0, 1.15 * float(gaps.max()))
    axes[0].set_ylabel('between poses [ms]')
    finish_time_axis(axes[0], timeline.span, timeline.marks, last=not dated)
    says = f'{1e3 / float(np.median(gaps)):.0f} poses a second'
    if dated:
        axes[1].plot(*worst(poses.stamps, ages), '.', color=BLUE, alpha=0.5, **DOTS)
        axes[1].set_ylim(min(0.0, float(ages.min())), 1.15 * max(1.0, float(ages.max())))
        axes[1].set_ylabel('age [ms]')
        finish_time_axis(axes[1], timeline.span, timeline.marks, label=False)
        says += f', {float(np.median(ages)):.1f} ms old on arrival'
    return Drawing(figure, f'{says}; longest gap {gaps.max():.0f} ms.')
