"""Project points on the part of the path that the robot can have reached: one rule for the robot and for candidates.

A path may cross, touch or double back on itself, so that the nearest point of the whole path says little. The rule:
from a known place, a point is projected on the nearest part of the path among those at most as far ahead as `GAIN`
times what was walked since, plus what was walked before without progress (the *credit*). A part that is farther ahead
than what was walked must be nearer by a margin that grows with the jump. Nothing is projected back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray

GAIN = 1.1
"""Progress along the path for each metre walked, at most; more than 1 on the inner side of a bend."""
CREDIT = 0.5
"""Most that is kept of what was walked without progress [m]: how far ahead a corner that was cut may end."""
INERTIA = 0.25
"""A jump ahead by one metre more than was walked counts as this much distance to the path [m]."""
BEYOND = 0.3
"""The end of an open path is prolonged by this much [m]: walking over it still counts as following it."""


@dataclass(frozen=True)
class PathPosition:
    """A place on the path, and how far ahead of it the robot may be found next."""

    arc_length: float
    """From the start of the path [m]; of a closed path laps add up."""
    credit: float
    """What was walked without progress, at most `CREDIT` [m]."""


AT_START = PathPosition(0.0, 0.0)
"""Where every path begins."""


@dataclass(frozen=True)
class Projection:
    """The place on the path of each of many points; arrays have the shape of the points."""

    path: ReferencePath
    distance: FloatArray
    """To the path [m]."""
    arc_length: FloatArray
    """From the start of the path [m]."""
    x: FloatArray
    """Of the place on the path [m; world]."""
    y: FloatArray


class PathWindow:
    """The path from a position on, as far as `reach` ahead [m]."""

    def __init__(self, path: ReferencePath, position: PathPosition, reach: float) -> None:
        self._path, self._position = path, position
        arc_lengths, points = _knots_between(path, position.arc_length, position.arc_length + reach)
        self._starts, vectors = points[:-1], np.diff(points, axis=0)
        chords = np.hypot(vectors[:, 0], vectors[:, 1])
        self._directions, self._chords = vectors / chords[:, None], chords
        self._offsets = arc_lengths[:-1]
        # Arc length for each metre of chord: a chord that stands for a bend is a little shorter than it.
        self._stretch = np.diff(arc_lengths) / chords

    def project(self, x: FloatArray, y: FloatArray, walked: FloatArray) -> Projection:
        """Project points [m; world] that were reached by walking `walked` [m] from the position; equal shapes."""
        origin = self._position.arc_length
        limit = origin + self._position.credit + GAIN * walked
        expected = origin + walked
        best = np.full(np.shape(x), np.inf)
        found = [np.zeros(np.shape(x)) for _ in range(4)]
        for (x0, y0), (cos, sin), chord, offset, stretch in zip(
            self._starts, self._directions, self._chords, self._offsets, self._stretch, strict=True
        ):
            dx, dy = x - x0, y - y0
            # The very start of the window is always within reach.
            room = limit - offset if offset > origin else np.maximum(limit - offset, 0.0)
            along = np.clip(cos * dx + sin * dy, 0.0, np.clip(room / stretch, 0.0, chord))
            arc_length = offset + stretch * along
            near_x, near_y = x0 + cos * along, y0 + sin * along
            squared = (x - near_x) ** 2 + (y - near_y) ** 2
            score = squared + (INERTIA * np.maximum(arc_length - expected, 0.0)) ** 2
            better = (score < best) & (room >= 0.0)
            for old, new in zip(found, (squared, arc_length, near_x, near_y), strict=True):
                np.copyto(old, new, where=better)
            np.copyto(best, score, where=better)
        squared, arc_length, near_x, near_y = found
        return Projection(self._path, np.sqrt(squared), arc_length, near_x, near_y)


def _knots_between(path: ReferencePath, start: float, end: float) -> tuple[FloatArray, FloatArray]:
    """Return arc lengths (M,) and points (M, 2) [m] of the path from `start` to `end`, two knots at least."""
    arc_lengths, points = path.knots
    if path.closed:
        lap = np.floor(start / path.length)
        laps = np.arange(lap, np.floor(end / path.length) + 1)
        arc_lengths = np.concatenate([arc_lengths[:-1] + each * path.length for each in laps])
        points = np.concatenate([points[:-1]] * len(laps))
        ends = np.array([start, end])
    else:
        end = min(end, path.length + BEYOND)
        ends = np.array([min(start, end - 1e-3), end])
    between = (arc_lengths > ends[0] + 1e-6) & (arc_lengths < ends[1] - 1e-6)
    first, last = path.at(ends)
    return (
        np.concatenate((ends[:1], arc_lengths[between], ends[1:])),
        np.vstack((first, points[between], last)),
    )
