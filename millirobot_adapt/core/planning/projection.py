"""Project points on the part of the path that the robot can have reached: one rule for the robot and for candidates.

A path may cross, touch or double back on itself, so that the nearest point of the whole path says little. The rule:
from a known place, a point is projected on the nearest part of the path among those at most as far ahead as `GAIN`
times what was walked since, plus what was walked before without progress (the *credit*). A part that is farther ahead
than what was walked must be nearer by a margin that grows with the jump. Nothing is projected back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.arrays import Array, namespace
from millirobot_adapt.core.planning.reference_path import Polyline, ReferencePath
from millirobot_adapt.core.robot.state import FloatArray

GAIN = 1.1
"""Progress along the path for each metre walked, at most; more than 1 on the inner side of a bend."""
CREDIT = 0.5
"""Most that is kept of what was walked without progress [m]: how far ahead a corner that was cut may end."""
INERTIA = 0.25
"""A jump ahead by one metre more than was walked counts as this much distance to the path [m]."""
BEYOND = 0.3
"""The end of an open path is prolonged by this much [m]: walking over it still counts as following it."""

FEW = 1500
"""Points times segments up to which all segments are compared at once."""


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

    path: Polyline
    distance: Array
    """To the path [m]."""
    arc_length: Array
    """From the start of the path [m]."""
    x: Array
    """Of the place on the path [m; world]."""
    y: Array


@dataclass(frozen=True)
class PathWindow:
    """The path from a position on, in arrays of numpy or of a device."""

    path: Polyline
    segments: Array
    """A column for each segment: x, y, cosine, sine, chord, arc length, arc length for each metre of chord; (7, S).

    On a device columns may follow that are no segments: their arc length is infinite.
    """
    origin: Array
    """Arc length of the position [m]: a number."""
    credit: Array
    """Credit of the position [m]: a number."""

    @classmethod
    def ahead(cls, path: ReferencePath, position: PathPosition, reach: float) -> PathWindow:
        """Return the path from a position on, as far as `reach` ahead [m]."""
        arc_lengths, points = _knots_between(path, position.arc_length, position.arc_length + reach)
        vectors = np.diff(points, axis=0)
        chords = np.hypot(vectors[:, 0], vectors[:, 1])
        # Arc length for each metre of chord: a chord that stands for a bend is a little shorter than it.
        stretch = np.diff(arc_lengths) / chords
        starts, directions = points[:-1].T, (vectors / chords[:, None]).T
        segments = np.array([*starts, *directions, chords, arc_lengths[:-1], stretch])
        return cls(path.polyline, segments, position.arc_length, position.credit)

    def project(self, x: Array, y: Array, walked: Array) -> Projection:
        """Project points [m; world] that were reached by walking `walked` [m] from the position; equal shapes."""
        xp = namespace(x)
        limit = self.origin + self.credit + GAIN * walked
        expected = self.origin + walked
        segments, search = self.segments, _at_once
        if xp is np:
            # Segments that no point can have reached are left out, but for the first one.
            count = max(1, int(segments[5].searchsorted(limit.max(), side='right')))
            segments = segments[:, :count]
            search = _at_once if np.size(x) * count <= FEW else _one_by_one
        which, along = search(segments, x, y, limit, expected)
        # Where there is one segment its numbers serve every point as they are.
        x0, y0, cos, sin, _, offset, stretch = (
            segments[:, 0]
            if segments.shape[1] == 1
            else xp.take(segments, which.reshape(-1), axis=1).reshape(7, *which.shape)
        )
        near_x, near_y = x0 + cos * along, y0 + sin * along
        distance = xp.sqrt((x - near_x) ** 2 + (y - near_y) ** 2)
        return Projection(self.path, distance, offset + stretch * along, near_x, near_y)


Nearest = tuple[Array, Array]
"""The index of the nearest segment to each point, and how far along it the place is [m], of the shape of the points."""


def _at_once(segments: Array, x: Array, y: Array, limit: Array, expected: Array) -> Nearest:
    """Find the nearest segments, comparing all of them at once: faster for few points, and on a device."""
    xp = namespace(x)
    each = segments.reshape(*segments.shape, *(1,) * x.ndim)
    room = limit - each[5]
    room[0] = xp.maximum(room[0], 0.0)
    along, score = _fit(each, x, y, room, expected)
    score = xp.where(room < 0.0, xp.inf, score)
    which = xp.argmin(score, axis=0)
    return which, xp.take_along_axis(along, which[None], axis=0)[0]


def _one_by_one(segments: FloatArray, x: FloatArray, y: FloatArray, limit: FloatArray, expected: FloatArray) -> Nearest:
    """Find the nearest segments, one segment after the other: faster for many points.

    Points are in rows, those of one step in each; rows before the first that can have reached a segment are left out.
    """
    first, *others = segments.T.tolist()
    along, best = _fit(first, x, y, np.maximum(limit - first[5], 0.0), expected)
    which = np.zeros(np.shape(x), dtype=np.intp)
    farthest = limit.reshape(len(limit), -1).max(axis=1)
    for index, segment in enumerate(others, 1):
        rows = slice(int(np.argmax(farthest >= segment[5])), None)
        room = limit[rows] - segment[5]
        here, score = _fit(segment, x[rows], y[rows], room, expected[rows])
        better = (score < best[rows]) & (room >= 0.0)
        for old, new in ((along, here), (best, score), (which, index)):
            np.copyto(old[rows], new, where=better)
    return which, along


def _fit(segment: Array, x: Array, y: Array, room: Array, expected: Array) -> tuple[Array, Array]:
    """Return how far along a segment the place of each point is [m], and its score, which must not count out of reach.

    Args:
        segment: A column of `PathWindow.segments`, or several, each number of a shape to broadcast with the points.
        x: Of the points [m; world].
        y: Of the points [m; world].
        room: How far beyond the start of the segment a point may be found [m of arc length]; negative: out of reach.
        expected: Arc length of a point that gained what it walked [m].
    """
    xp = namespace(x)
    x0, y0, cos, sin, chord, offset, stretch = segment
    # In place: the temporary arrays are what costs the time.
    along = x - x0
    along *= cos
    other = y - y0
    other *= sin
    along += other
    along = xp.minimum(xp.maximum(along, 0.0), xp.minimum(xp.maximum(room / stretch, 0.0), chord))
    score = (x - (x0 + cos * along)) ** 2
    other = (y - (y0 + sin * along)) ** 2
    score += other
    ahead = stretch * along
    ahead += offset
    ahead -= expected
    ahead = INERTIA * xp.maximum(ahead, 0.0)
    ahead *= ahead
    score += ahead
    return along, score


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
