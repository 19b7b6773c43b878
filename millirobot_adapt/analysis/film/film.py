"""Make a film of a recorded run: nothing is simulated again, every picture shows what the bag holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from tqdm import tqdm

from millirobot_adapt.analysis.figure_style import BLUE, GREEN, GREY, INK, ORANGE
from millirobot_adapt.analysis.film.encode import check_kind, write_film
from millirobot_adapt.analysis.film.options import FOLLOW, FilmOptions
from millirobot_adapt.analysis.film.overlay import Caption, Overlay
from millirobot_adapt.analysis.film.recorded_motion import RecordedMotion, motion_of
from millirobot_adapt.analysis.report.timeline import Timeline
from millirobot_adapt.analysis.report.whole_run import WholeRun, read_whole_run
from millirobot_adapt.analysis.report.words import title
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.recording.reader import Bag
from millirobot_adapt.recording.run_setup import known_robot
from millirobot_adapt.sim.robot_shapes import RobotShape, shape_of
from millirobot_adapt.sim.scene import Camera, Line, Scene

DISTANCE = 6.2
"""From the camera that follows to the robot, in lengths of the robot."""
SMOOTH = 1.0
"""The camera that follows looks at the mean place over this time [s]."""
EVENT_SHOWN = 4.0
"""An event's caption stays this long [s of the run]."""
FADING = 0.5
"""A prediction is shown until it is this old [s]."""
TRAIL = 400
"""Points that the way walked is drawn with, at most."""


def make_film(bag: Bag, out: Path, options: FilmOptions) -> int:
    """Film a bag; returns how many pictures the film has.

    Raises:
        UserError: the bag holds no poses, nothing of it lies between start and end, or the film cannot be written.
    """
    check_kind(out)
    recorded = read_whole_run(bag)
    shots = Shots(recorded, options, shape_of(known_robot(bag)[0]))
    shown = tqdm(shots.pictures(), total=len(shots.times), desc='filming', unit=' pictures', disable=None, leave=False)
    return write_film(out, shown, options.fps)


class Shots:
    """The pictures of one film."""

    def __init__(self, recorded: WholeRun, options: FilmOptions, shape: RobotShape) -> None:
        """Choose the moments of a run with a robot of this shape.

        Raises:
            UserError: the bag holds no poses, or nothing of it lies between start and end.
        """
        self._timeline, self._options = recorded.timeline, options
        self._title = title(recorded)
        self._shape = shape
        self._motion = motion_of(self._timeline, shape)
        end = self._timeline.span[1] if options.end is None else min(options.end, self._timeline.span[1])
        self.times = np.arange(options.start, end, options.speed / options.fps)
        if not len(self.times):
            raise UserError(
                f'nothing to film from {options.start:g} s to {end:g} s; the run is {self._timeline.span[1]:.1f} s long'
            )
        reference = self._timeline.run.reference
        self._wanted = None if reference is None else np.asarray(reference.outline)
        self._overlay = Overlay(options.width, options.height, self._wanted, self._motion.poses[:, :2])
        self._look: Callable[[float], Camera] = (
            following(self._motion, 2.0 * DISTANCE * shape.half[0])
            if options.camera == FOLLOW
            else overlooking(self._motion, self._wanted)
        )

    def pictures(self) -> Iterator[np.ndarray]:
        """Render one picture after the other, uint8, shape (height, width, 3)."""
        scene = Scene(self._options.width, self._options.height, self._shape)
        try:
            for time in self.times:
                yield self.picture(scene, float(time))
        finally:
            scene.close()

    def picture(self, scene: Scene, time: float) -> np.ndarray:
        """Render one moment [s since the first tick]."""
        walked = self._motion.walked(time)
        lines = floor_lines(self._timeline, self._wanted, walked, time)
        picture = scene.render(self._motion.at(time), [line for _, line in lines], self._look(time))
        legend = list(dict.fromkeys(name for name, _ in lines))
        return self._overlay.draw(picture, self._caption(time), walked, [(name, COLOURS[name]) for name in legend])

    def _caption(self, time: float) -> Caption:
        events = [event for event in self._timeline.events if event.time <= time < event.time + EVENT_SHOWN]
        off = self._off(time)
        seconds = f'{time:.1f} s' + ('' if off is None else f', {100 * off:.0f} cm off the path')
        last = events[-1] if events else None
        return Caption(self._title, seconds, last.name if last else '', last is not None and last.stop)

    def _off(self, time: float) -> float | None:
        """Return the distance to the path wanted [m]."""
        track = self._timeline.track
        if track is None:
            return None
        return float(abs(np.interp(time, self._timeline.times(track.stamps), track.cross_track)))


WANTED, WALKED, BEFORE, AFTER, PREDICTED, PLAN = (
    'wanted', 'walked', 'predicted before adapting', 'after adapting', 'predicted', 'plan',
)  # fmt: skip
COLOURS = {WANTED: GREY, WALKED: INK, BEFORE: ORANGE, AFTER: BLUE, PREDICTED: BLUE, PLAN: GREEN}


def floor_lines(
    timeline: Timeline, wanted: FloatArray | None, walked: FloatArray, time: float
) -> list[tuple[str, Line]]:
    """Return what is drawn on the floor at a time [s since the first tick], each with its name."""
    lines = []
    if wanted is not None:
        lines.append((WANTED, Line(wanted, (0.6, 0.65, 0.7, 1.0), 0.03, -0.0145)))
    if len(walked) > 1:
        thinned = walked[:: -(-len(walked) // TRAIL)]
        lines.append((WALKED, _line(np.vstack([thinned, walked[-1:]]), INK, 0.005, 0.0015)))
    run, predictions = timeline.run, timeline.predictions
    row = _latest(timeline.times(run.column('stamp')), time) if run.ticks else None
    if row is not None and len(run.ticks[row].plan_states) > 1:
        lines.append((PLAN, _line(run.ticks[row].plan_states[:, :2], GREEN, 0.004, 0.002)))
    row = None if predictions is None else _latest(timeline.times(predictions.stamps), time)
    if predictions is not None and row is not None:
        if predictions.adapts:
            lines.append((BEFORE, _line(predictions.before[row, :, :2], ORANGE, 0.006, 0.0025)))
        name = AFTER if predictions.adapts else PREDICTED
        lines.append((name, _line(predictions.after[row, :, :2], BLUE, 0.006, 0.003)))
    return [(name, line) for name, line in lines if len(line.points) > 1]


def _line(points: FloatArray, colour: str, width: float, height: float) -> Line:
    """Make a line of the points that are known."""
    known = points[np.isfinite(points).all(axis=1)]
    return Line(known, (*to_rgb(colour), 1.0), width, height)


def _latest(times: FloatArray, time: float) -> int | None:
    """Return the row of the latest time that is not older than `FADING`."""
    row = int(np.searchsorted(times, time, side='right')) - 1
    return row if row >= 0 and time - times[row] <= FADING else None


def following(motion: RecordedMotion, distance: float) -> Callable[[float], Camera]:
    """Return a camera that goes with the robot, smoothly, at a distance [m]."""

    def look(time: float) -> Camera:
        around = np.linspace(time - SMOOTH / 2, time + SMOOTH / 2, 9)
        x, y = (float(np.interp(around, motion.times, motion.poses[:, axis]).mean()) for axis in (0, 1))
        return Camera(np.array([x, y, 0.0]), distance)

    return look


def overlooking(motion: RecordedMotion, wanted: FloatArray | None) -> Callable[[float], Camera]:
    """Return a camera that sees the whole way from above and does not move."""
    points = motion.poses[:, :2] if wanted is None else np.vstack([motion.poses[:, :2], wanted])
    low, high = points.min(axis=0), points.max(axis=0)
    wide, tall = high - low
    camera = Camera(np.array([*(low + high) / 2, 0.0]), 0.4 + max(0.95 * wide, 1.45 * tall), elevation=-70.0)
    return lambda time: camera
