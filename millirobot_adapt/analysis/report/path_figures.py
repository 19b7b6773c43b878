"""Draw the floor from above: the path driven, and what the model expected on the way.

Each figure is None where the bag does not hold what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from millirobot_adapt.analysis.figure_style import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    HERO,
    INK,
    LIGHT,
    ORANGE,
    STOP,
    Drawing,
    label_line,
    new_figure,
)
from millirobot_adapt.analysis.followed_path import FollowedPath
from millirobot_adapt.analysis.predictions import Predictions
from millirobot_adapt.analysis.report.timeline import Timeline
from millirobot_adapt.analysis.run_data import RunData
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray

ERROR_COLOURS = LinearSegmentedColormap.from_list('error', [BLUE, '#7fb2d0', '#f0a35e', ORANGE, '#8f2d00'])
"""From on the path (blue) to far off it (dark orange)."""
FAN_HEIGHT = 1.3 * HEIGHT
"""Height of the two figures on open-loop prediction [inch]."""
LETTER = 0.012
"""Width of a letter as part of the drawing's width."""
SIDES = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
"""Where a name may stand, seen from the middle of the drawing: outward first."""


def driven_path(timeline: Timeline) -> Drawing | None:
    """Draw the path driven, coloured by its distance to the path wanted, with start, faults, stops and end."""
    run, track = timeline.run, timeline.track
    poses = track.poses if track is not None else run.poses.values
    if len(poses) < 2:
        return None
    figure = Figure(figsize=(HERO, _path_height(run, poses)), layout='constrained')
    axes = figure.subplots()
    axes.set_aspect('equal')
    axes.grid(True, axis='both')
    if run.reference is not None:
        _draw_reference(axes, run.reference)
    _coloured_line(figure, axes, poses, track)
    axes.margins(x=0.12, y=0.08)
    times = timeline.times(track.stamps if track is not None else run.poses.stamps)
    _mark(axes, poses, _marks(timeline, times))
    axes.set_xlabel('x [m]', labelpad=8)
    axes.set_ylabel('y [m]', labelpad=12)
    axes.tick_params(axis='x', pad=6)
    return Drawing(figure, _walked(track))


def _walked(track: FollowedPath | None) -> str:
    if track is None:
        return 'No path to follow was recorded.'
    rms = 100 * float(np.sqrt(np.mean(track.cross_track**2)))
    pose = 'true' if track.true else 'estimated'
    return f'{track.progress[-1]:.1f} m along the path, {rms:.1f} cm off it (rms, {pose} pose).'


def _draw_reference(axes: Axes, reference: ReferencePath) -> None:
    points = reference.waypoints
    line = np.vstack([points, points[:1]]) if reference.closed else points
    axes.plot(*line.T, color=LIGHT, linewidth=9, alpha=0.55, solid_joinstyle='round', zorder=1)
    axes.plot(*points.T, '.', color=GREY, markersize=3, zorder=1.2)


def _path_height(run: RunData, poses: FloatArray) -> float:
    """Give the drawing of the path the height that its shape asks for [inch]."""
    points = poses[:, :2] if run.reference is None else np.vstack([poses[:, :2], run.reference.waypoints])
    wide, tall = np.maximum(np.ptp(points, axis=0), 0.2)
    return float(np.clip((HERO - 0.7) * tall / wide * (1.16 / 1.24) + 1.15, 2.2, HERO))


def _coloured_line(figure: Figure, axes: Axes, poses: FloatArray, track: FollowedPath | None) -> None:
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
    bar = figure.colorbar(lines, ax=axes, orientation='horizontal', aspect=60, shrink=0.45, pad=0.06, extend='max')
    bar.set_label('distance to the path [cm]', labelpad=9)
    bar.ax.tick_params(pad=7)  # a phone shows larger letters, which need the room
    bar.outline.set_visible(False)


@dataclass(frozen=True)
class Mark:
    """A place of the path with its name."""

    index: int
    text: str
    symbol: str
    color: str


def _marks(timeline: Timeline, times: FloatArray) -> list[Mark]:
    """List start, faults, stops and end; a stop after the last pose is the end."""
    last = len(times) - 1
    events = [
        Mark(
            int(np.argmin(np.abs(times - event.time))), event.name,
            symbol='8' if event.stop else 'X', color=STOP if event.stop else INK,
        )
        for event in timeline.events
    ]  # fmt: skip
    end = [] if any(mark.index == last for mark in events) else [Mark(last, 'end', 's', INK)]
    return [Mark(0, 'start', 'o', GREEN), *events, *end]


def _mark(axes: Axes, poses: FloatArray, marks: list[Mark]) -> None:
    """Draw the marks and their names, away from the middle where other marks and names leave room."""
    places = poses[[mark.index for mark in marks], :2]
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    letter = LETTER * float(max(high - low))
    taken = [(place - letter, place + letter) for place in places]
    for place, mark in zip(places, marks, strict=True):
        outward = np.sign(place - poses[:, :2].mean(axis=0) + 1e-12)
        boxes = [_name_box(place, outward * side, len(mark.text), letter) for side in SIDES]
        free = [
            (box[0] > low).all() and (box[1] < high).all() and not any(_overlap(box, other) for other in taken)
            for box in boxes
        ]
        chosen = int(np.argmax(free))  # the first that is free, else the first
        taken.append(boxes[chosen])
        right, up = outward * SIDES[chosen]
        axes.plot(*place, mark.symbol, color=mark.color, markersize=9, markeredgecolor='white', zorder=5)
        label = axes.annotate(
            mark.text, tuple(place), xytext=(9 * right, 9 * up), textcoords='offset points', color=mark.color,
            weight='bold', zorder=6, ha='left' if right > 0 else 'right', va='bottom' if up > 0 else 'top',
            bbox={'facecolor': 'white', 'alpha': 0.85, 'edgecolor': 'none', 'pad': 1.0},
        )  # fmt: skip
        label.set_in_layout(False)


def _name_box(place: FloatArray, side: FloatArray, letters: int, letter: float) -> tuple[FloatArray, FloatArray]:
    """Return about where a name lies that begins beside a place: low and high corner [m]."""
    near, far = place + 1.5 * letter * side, place + letter * side * np.array([1.5 + letters, 3.5])
    return np.minimum(near, far), np.maximum(near, far)


def _overlap(one: tuple[FloatArray, FloatArray], other: tuple[FloatArray, FloatArray]) -> bool:
    return bool((one[0] < other[1]).all() and (other[0] < one[1]).all())


def fans(timeline: Timeline) -> Drawing | None:
    """Draw over the path what the model, once before and once after adaptation, expected of the actions executed."""
    predictions = timeline.predictions
    if predictions is None:
        return None
    figure, (axes,) = new_figure(FAN_HEIGHT)
    axes.set_aspect('equal', adjustable='datalim')
    axes.grid(True, axis='both')
    axes.plot(*predictions.actual[:, 0, :2].T, color=INK, linewidth=0.8, alpha=0.55, zorder=2)
    horizon = predictions.actual.shape[1] - 1
    adapts = predictions.adapts
    kinds = [(predictions.after, 'after', BLUE, 3.0)]
    if adapts:
        kinds.insert(0, (predictions.before, 'before', ORANGE, 2.5))
    for poses, name, color, order in kinds:
        # Every H-th fan: each stretch of the path is predicted once.
        lines = LineCollection(list(poses[::horizon, :, :2]), colors=color, linewidths=1.5, zorder=order)
        lines.set_label(f'{name} adapting' if adapts else 'predicted')
        axes.add_collection(lines)
    axes.plot(*predictions.actual[::horizon, 0, :2].T, '.', color=INK, markersize=3.5, zorder=4, label='from here')
    axes.autoscale_view()
    axes.set_xlabel('x [m]')
    axes.set_ylabel('y [m]')
    figure.legend(loc='outside upper center', ncols=3, frameon=False, labelcolor=GREY, handlelength=1.4)
    seconds = horizon * predictions.dt
    return Drawing(figure, f'Every {seconds:.1f} s the next {seconds:.1f} s, from the state, without looking again.')


def horizon_error(timeline: Timeline) -> Drawing | None:
    """Draw how the errors of open-loop prediction grow with the time ahead: mean and middle half of all ticks."""
    predictions = timeline.predictions
    if predictions is None:
        return None
    figure, axes = new_figure(FAN_HEIGHT, rows=2)
    kinds = (predictions.before, predictions.after)
    # A run that ended early may have no tick that is followed by a whole horizon.
    rows = 1 + predictions.reached
    ends = [
        _growth(axes[0], predictions, [100 * predictions.position_error(kind)[:, :rows] for kind in kinds]),
        _growth(axes[1], predictions, [np.degrees(predictions.heading_error(kind)[:, :rows]) for kind in kinds]),
    ]
    axes[0].set_ylabel('position [cm]')
    axes[1].set_ylabel('heading [degrees]')
    axes[1].set_xlabel('time ahead [s]')
    (far, far_after), (turned, turned_after) = ends
    change = f'{far:.1f} cm and {turned:.1f} degrees'
    if predictions.adapts:
        change += f' before adapting, {far_after:.1f} cm and {turned_after:.1f} degrees after'
    ahead = predictions.ahead[predictions.reached]
    return Drawing(figure, f'Mean error {ahead:.1f} s ahead: {change}. Shaded: the middle half of all ticks.')


def _growth(axes: Axes, predictions: Predictions, errors: list[FloatArray]) -> tuple[float, float]:
    """Draw one kind of error, before and after adapting where that differs; return the two means at the last step.

    Args:
        axes: To draw on.
        predictions: What was predicted.
        errors: Before and after adapting, shape (M, steps) each.
    """
    adapts, ahead = predictions.adapts, predictions.ahead[: errors[0].shape[1]]
    apart = 6.0 if np.nanmean(errors[0]) >= np.nanmean(errors[1]) else -6.0
    lines = [(errors[1], 'after' if adapts else 'predicted', BLUE, -apart if adapts else 0.0)]
    if adapts:
        lines.insert(0, (errors[0], 'before', ORANGE, apart))
    for values, name, color, dy in lines:
        mean, (low, high) = np.nanmean(values, axis=0), np.nanquantile(values, [0.25, 0.75], axis=0)
        axes.fill_between(ahead, low, high, color=color, alpha=0.14, linewidth=0)
        axes.plot(ahead, mean, color=color, linewidth=2.2)
        label_line(axes, ahead, mean, name, color, dy)
    axes.set_xlim(0, ahead[-1])
    axes.set_ylim(bottom=0)
    return float(np.nanmean(errors[0][:, -1])), float(np.nanmean(errors[1][:, -1]))
