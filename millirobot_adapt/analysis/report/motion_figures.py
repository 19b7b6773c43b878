"""Draw how the robot walked and what the model learned; None where the bag does not hold what a figure shows."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from millirobot_adapt.analysis.figure_style import (
    BLUE,
    DASHED,
    DOTS,
    GREEN,
    HEIGHT,
    INK,
    LIGHT,
    MEDIAN_TICKS,
    ORANGE,
    Drawing,
    finish_time_axis,
    label_line,
    new_figure,
    running_median,
)
from millirobot_adapt.analysis.report.timeline import Timeline
from millirobot_adapt.analysis.run_recovery import TOLERANCE, RunRecovery, ahead_recovery, next_step_recovery
from millirobot_adapt.core.robot.state import StateView

BEFORE_FAULT = 5.0
"""The figure of the recovery begins this long before the fault [s]."""
SHORT_MEDIAN = 5
"""Width of the running medians there [ticks]: wide ones would hide a quick recovery."""


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
    finish_time_axis(axes, timeline.span, timeline.marks)
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
    finish_time_axis(axes, timeline.span, timeline.marks)
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
    finish_time_axis(axes, timeline.span, timeline.marks)
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
    finish_time_axis(upper, timeline.span, timeline.marks, last=False)
    finish_time_axis(lower, timeline.span, timeline.marks, label=False)
    shortened = int(np.sum(step[np.isfinite(step)] < 1.0))
    return Drawing(figure, f'Norm of the inner gradient; ticks with a shortened step: {shortened} of {len(step)}.')
