"""Draw what happened over time; each figure is None where the bag does not hold what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from millirobot_adapt.analysis.figure_style import (
    BLUE,
    DASHED,
    GREEN,
    GREY,
    HEIGHT,
    INK,
    LIGHT,
    MEDIAN_TICKS,
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
from millirobot_adapt.analysis.run_recovery import TOLERANCE, RunRecovery, ahead_recovery, next_step_recovery
from millirobot_adapt.analysis.setpoints import as_wanted, pairs
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION
from millirobot_adapt.core.robot.state import FloatArray, StateView

BEFORE_FAULT = 5.0
"""The figure of the recovery begins this long before the fault [s]."""
SHORT_MEDIAN = 5
"""Width of the running medians there [ticks]: wide ones would hide a quick recovery."""
DOTS: Any = {'markersize': 3.5, 'markeredgewidth': 0}

COLORS = (BLUE, ORANGE, GREEN)
"""Of actions and joints, in their order."""


def cross_track(timeline: Timeline) -> Drawing | None:
    """Draw the signed distance to the path."""
    if timeline.track is None:
        return None
    figure, (axes,) = new_figure(HEIGHT)
    times, off = timeline.times(timeline.track.stamps), 100 * timeline.track.cross_track
    axes.axhline(0, color=LIGHT, linewidth=1.2)
    axes.fill_between(times, off, 0, color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(times, off, color=BLUE, linewidth=1.4)
    largest = 1.15 * max(2.0, float(np.abs(off).max()))
    axes.set_ylim(-largest, largest)
    axes.set_ylabel('left of the path [cm]')
    _finish(timeline, axes)
    worst = int(np.abs(off).argmax())
    return Drawing(figure, f'Positive to the left; farthest off {abs(off[worst]):.0f} cm, at {times[worst]:.0f} s.')


def speed(timeline: Timeline) -> Drawing | None:
    """Draw the estimated speed along the body's forward axis: each tick and the running median."""
    states = timeline.within(timeline.run.states)
    if not len(states):
        return None
    view = StateView(states.values)
    forward = view.velocity[:, 0] * np.cos(view.yaw) + view.velocity[:, 1] * np.sin(view.yaw)
    figure, (axes,) = new_figure(HEIGHT)
    axes.axhline(0, color=LIGHT, linewidth=1.2)
    axes.plot(states.stamps, forward, '.', color=BLUE, alpha=0.28, **DOTS)
    axes.plot(states.stamps, running_median(forward, MEDIAN_TICKS), color=BLUE, linewidth=2.0)
    axes.set_ylabel('forward [m/s]')
    _finish(timeline, axes)
    return Drawing(figure, f'Along the body, as estimated; median {np.median(forward):.2f} m/s.')


def prediction(timeline: Timeline) -> Drawing | None:
    """Draw the error of predicting the next transition, before and after adaptation: each tick and running medians."""
    before, after = timeline.run.column('pre_error'), timeline.run.column('post_error')
    if not np.isfinite(before).any():
        return None
    figure, (axes,) = new_figure(HEIGHT)
    times = timeline.times(timeline.run.column('stamp'))
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
    _finish(timeline, axes)
    means = float(np.nanmean(before)), float(np.nanmean(after))
    change = f'mean {means[0]:.2f} before adapting, {means[1]:.2f} after' if adapts else f'mean {means[0]:.2f}'
    return Drawing(figure, f'On transitions not seen yet: {change}.')


def recovery(timeline: Timeline) -> Drawing | None:
    """Draw the errors of prediction against the time since the first fault, with the level before it."""
    kinds = (
        (next_step_recovery(timeline.run), 'next step', 'normalised', 1.0),
        (ahead_recovery(timeline.run, timeline.predictions), 'at the horizon', 'position [cm]', 100.0),
    )
    known = [(found, name, unit, scale) for found, name, unit, scale in kinds if found is not None]
    if not known:
        return None
    figure, panels = new_figure(1.3 * HEIGHT if len(known) > 1 else HEIGHT, rows=len(known))
    said = []
    for axes, (found, name, unit, scale) in zip(panels, known, strict=True):
        _draw_recovery(axes, found, scale)
        axes.set_ylabel(f'{name},\n{unit}')
        said.append(f'{name} {_came_back(found.seconds)}')
    panels[-1].set_xlabel('time since the fault [s]')
    says = 'After adapting, within 20 % of the mean before the fault (shaded): '
    return Drawing(figure, f'{says}{"; ".join(said)}.')


def _came_back(seconds: float | None) -> str:
    if seconds is None:
        return 'never again'
    return 'always' if seconds == 0 else f'again after {seconds:.1f} s'


def _draw_recovery(axes: Axes, found: RunRecovery, scale: float) -> None:
    """Draw one error, before and after adapting, its level before the fault, and when it was back."""
    since = found.stamps - found.fault
    shown = since >= -BEFORE_FAULT
    lines = [(found.errors, 'after', BLUE, -5.0)]
    if not np.array_equal(found.before_adapting, found.errors):
        lines.insert(0, (found.before_adapting, 'before', ORANGE, 5.0))
    for errors, name, color, dy in lines:
        values = scale * errors[shown]
        axes.plot(since[shown], values, '.', color=color, alpha=0.28, **DOTS)
        median = running_median(values, SHORT_MEDIAN)
        axes.plot(since[shown], median, color=color, linewidth=2.0)
        label_line(axes, since[shown], median, name, color, dy)
    axes.axhspan(0, TOLERANCE * scale * found.level, color=BLUE, alpha=0.08, linewidth=0)
    axes.axhline(scale * found.level, color=BLUE, linewidth=1.0, linestyle=DASHED)
    axes.axvline(0, color=INK, linewidth=1.0, linestyle=DASHED)
    if found.seconds:
        axes.axvline(found.seconds, color=GREEN, linewidth=1.4)
        axes.annotate(
            f'{found.seconds:.1f} s', (found.seconds, 1.0), xycoords=('data', 'axes fraction'), xytext=(4, -3),
            textcoords='offset points', va='top', color=GREEN, fontsize=8.5,
        )  # fmt: skip
    axes.set_xlim(since[shown][0], since[-1])
    every = np.concatenate([found.errors[shown], found.before_adapting[shown]])
    axes.set_ylim(0, 1.1 * scale * float(np.nanpercentile(every, 98)))


def adaptation(timeline: Timeline) -> Drawing | None:
    """Draw the norm of the inner gradient, and the fraction of the inner step that was taken."""
    norm, step = timeline.run.column('gradient_norm'), timeline.run.column('inner_step')
    if not (np.isfinite(norm) & (norm > 0)).any():
        return None
    figure, (upper, lower) = new_figure(HEIGHT, rows=2)
    times = timeline.times(timeline.run.column('stamp'))
    upper.plot(times, np.where(norm > 0, norm, np.nan), color=BLUE, linewidth=1.3)
    upper.set_ylim(bottom=0)
    upper.set_ylabel('gradient norm')
    lower.step(times, step, where='post', color=INK, linewidth=1.3)
    lower.set_ylim(0, 1.08)
    lower.set_ylabel('step taken')
    _finish(timeline, upper, last=False)
    _finish(timeline, lower, label=False)
    shortened = int(np.sum(step[np.isfinite(step)] < 1.0))
    return Drawing(figure, f'Norm of the inner gradient; ticks with a shortened step: {shortened} of {len(step)}.')


def setpoints(timeline: Timeline) -> Drawing | None:
    """Draw for each action what the controller wanted and what the bridge sent."""
    wanted, sent = pairs(timeline.run)
    if not len(wanted):
        return None
    same = as_wanted(wanted.values, sent)
    inside = timeline.within(Series(wanted.stamps, np.column_stack([wanted.values, sent, same])))
    if not len(inside):
        return None
    actions = timeline.run.layout.actions
    figure, many = new_figure(HEIGHT, rows=len(actions))
    changed = inside.values[:, -1] == 0
    for number, (axes, action) in enumerate(zip(_listed(many), actions, strict=True)):
        unit, scale = _shown_unit(action.unit)
        ours, theirs = inside.values[:, number] / scale, inside.values[:, len(actions) + number] / scale
        axes.step(inside.stamps, ours, where='post', color=INK, linewidth=1.0, alpha=0.55)
        axes.step(inside.stamps, theirs, where='post', color=COLORS[number % len(COLORS)], linewidth=1.3)
        axes.plot(inside.stamps[changed], ours[changed], 'x', color=STOP, markersize=5)
        axes.set_ylabel(f'{action.name} [{unit}]')
        _finish(timeline, axes, last=number == len(actions) - 1, label=number == 0)
    count = f'{changed.sum()} of {len(inside)} were changed, replaced or not sent (crosses)'
    return Drawing(figure, f'Sent (colour) against wanted by the controller (grey): {count}.')


def leg_rates(timeline: Timeline) -> Drawing | None:
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
        _finish(timeline, axes, last=row == len(followers) - 1, label=row == 0)
    return Drawing(figure, 'Measured (colour) against the setpoint sent (grey).')


def _listed(axes: Axes | Sequence[Axes]) -> Sequence[Axes]:
    """Return the panels of a figure as a list, also where there is one alone."""
    return [axes] if isinstance(axes, Axes) else axes


def _shown_unit(unit: str) -> tuple[str, float]:
    """Return the unit in which an action is drawn, and how many of its own make one."""
    return ('rev/s', RADIANS_PER_REVOLUTION) if unit == 'rad/s' else (unit, 1.0)


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
    _finish(timeline, axes)
    histogram.set_xlabel('ticks')
    histogram.tick_params(labelleft=False)
    p99 = float(np.percentile(ready[np.isfinite(ready)], 99))
    return Drawing(figure, f'State in, plan ready: {p99:.0f} of {deadline:.0f} ms (p99). A cross: no plan in time.')


_LINK_VALUES = ('rtt_p50_ms', 'rtt_p99_ms', 'lost')


def link(timeline: Timeline) -> Drawing | None:
    """Draw the radio's round-trip times as the bridge reported them, and the replies lost so far."""
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
    _finish(timeline, axes, last=False)
    _finish(timeline, lost, label=False)
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
    _finish(timeline, axes[0], last=not dated)
    says = f'{1e3 / float(np.median(gaps)):.0f} poses a second'
    if dated:
        axes[1].plot(*worst(poses.stamps, ages), '.', color=BLUE, alpha=0.5, **DOTS)
        axes[1].set_ylim(min(0.0, float(ages.min())), 1.15 * max(1.0, float(ages.max())))
        axes[1].set_ylabel('age [ms]')
        _finish(timeline, axes[1], label=False)
        says += f', {float(np.median(ages)):.1f} ms old on arrival'
    return Drawing(figure, f'{says}; longest gap {gaps.max():.0f} ms.')


def _finish(timeline: Timeline, axes: Axes, last: bool = True, label: bool = True) -> None:
    """Give a time plot its axis and its marks."""
    axes.set_xlim(*timeline.span)
    mark_events(axes, [(event.time, event.name, event.stop) for event in timeline.events], label)
    if last:
        axes.set_xlabel('time since the first tick [s]')
