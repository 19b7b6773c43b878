"""A reference path: a polyline of waypoints in the world, measured by arc length."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from millirobot_adapt.core.arrays import Array, namespace
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.state import FloatArray

CLOSES_WITHIN = 1e-3
"""A path whose last waypoint is this near to its first one [m] is closed, unless it comes back the way it went."""
CLOSING_DIRECTION = 0.05
"""Directions at the two ends are compared over this length [m]."""
COMES_BACK = np.cos(np.radians(170.0))
"""A path that would have to turn by more than this angle to go on for another lap comes back the way it went."""
TOLERANCE = 1e-3
"""Path following uses a polyline with fewer corners, nowhere farther from the path [m]: dense paths cost no time."""


@dataclass(frozen=True)
class Polyline:
    """Straight segments measured by arc length, in arrays of numpy or of a device.

    On a device rows may follow that are no segments: their `starts` are infinite.
    """

    points: Array
    """Start of each segment [m; world], shape (segments, 2)."""
    directions: Array
    """Unit vector along each segment, shape (segments, 2)."""
    starts: Array
    """Arc length from the start of the path to the start of each segment [m], shape (segments,)."""
    length: Array
    """Length of the path, one lap if closed [m]: a number."""
    closed: bool

    def at(self, arc_length: Array) -> Array:
        """Return the points of the path at arc lengths [m], shape (...,), as x, y [m; world], shape (..., 2).

        A closed path goes on for another lap; an open one goes straight on before its start and past its end.
        """
        xp = namespace(arc_length)
        along = xp.remainder(arc_length, self.length) if self.closed else arc_length
        segment = xp.clip(xp.searchsorted(self.starts, along, side='right') - 1, 0, len(self.starts) - 1)
        beyond = along - self.starts[segment]
        return self.points[segment] + beyond[..., None] * self.directions[segment]


@dataclass(frozen=True)
class ReferencePath:
    """A polyline to walk along; segment i leads from waypoint i to the next one.

    It may cross, touch and double back on itself: places on it are told apart by their arc length.

    Raises:
        UserError: fewer than two waypoints, one that is not finite, or two in a row that are equal.
    """

    waypoints: FloatArray
    """[m; world], shape (N, 2); a closed path does not repeat its first waypoint."""
    closed: bool = False
    name: str = field(default='path', compare=False)

    def __post_init__(self) -> None:
        points = np.array(self.waypoints, dtype=float)
        if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 2:
            raise UserError(f'{self.name}: a path needs at least two waypoints of x, y; got shape {points.shape}')
        if not np.isfinite(points).all():
            raise UserError(f'{self.name}: a waypoint is not finite; give every x, y in metres')
        points.setflags(write=False)
        object.__setattr__(self, 'waypoints', points)
        shortest = int(self.segment_lengths.argmin())
        if self.segment_lengths[shortest] < 1e-6:
            raise UserError(
                f'{self.name}: waypoints {shortest + 1} and {(shortest + 1) % len(points) + 1} are equal; '
                'leave one of them out'
            )

    @classmethod
    def through(cls, points: FloatArray, closed: bool = False, name: str = 'path') -> ReferencePath:
        """Return the path through points (N, 2) [m].

        A path that ends within `CLOSES_WITHIN` of its start is closed: it is walked lap after lap. Out and back along
        one line is no lap, and stays open.

        Raises:
            UserError: as for the class.
        """
        points = np.asarray(points, dtype=float).reshape(-1, 2)
        returns = len(points) > 3 and bool(np.hypot(*(points[0] - points[-1])) <= CLOSES_WITHIN)
        if returns and not closed:
            returns = not cls(points, name=name)._comes_back()
        return cls(points[:-1] if returns else points, closed or returns, name)

    def _comes_back(self) -> bool:
        """Whether the path arrives against the direction in which it set out."""
        reach = min(CLOSING_DIRECTION, 0.1 * self.length)
        chords = np.diff(self.at(np.array([0.0, reach, self.length - reach, self.length])), axis=0)[[0, 2]]
        start, end = chords / np.hypot(chords[:, 0], chords[:, 1])[:, None]
        return bool(start @ end < COMES_BACK)

    @property
    def segments(self) -> int:
        """Number of segments: N for a closed path, N - 1 for an open one."""
        return len(self.waypoints) - (0 if self.closed else 1)

    @property
    def outline(self) -> FloatArray:
        """Waypoints to draw, a closed path's first one repeated at the end [m; world], shape (N or N + 1, 2)."""
        return np.vstack([self.waypoints, self.waypoints[:1]]) if self.closed else self.waypoints

    @cached_property
    def segment_vectors(self) -> FloatArray:
        """From each segment's start to its end [m], shape (segments, 2)."""
        ends = np.roll(self.waypoints, -1, axis=0)
        return np.asarray((ends - self.waypoints)[: self.segments])

    @cached_property
    def segment_lengths(self) -> FloatArray:
        """Length of each segment [m], shape (segments,)."""
        return np.hypot(self.segment_vectors[:, 0], self.segment_vectors[:, 1])

    @cached_property
    def segment_directions(self) -> FloatArray:
        """Unit vector along each segment, shape (segments, 2)."""
        return self.segment_vectors / self.segment_lengths[:, None]

    @cached_property
    def segment_starts(self) -> FloatArray:
        """Arc length from the start of the path to the start of each segment [m], shape (segments,)."""
        return np.concatenate(([0.0], np.cumsum(self.segment_lengths)[:-1]))

    @cached_property
    def length(self) -> float:
        """Length of the path, one lap if closed [m]."""
        return float(self.segment_lengths.sum())

    def at(self, arc_length: FloatArray) -> FloatArray:
        """Return the points of the path at arc lengths [m], shape (...,), as x, y [m; world], shape (..., 2).

        A closed path goes on for another lap; an open one goes straight on before its start and past its end.
        """
        return np.asarray(self.polyline.at(np.asarray(arc_length, dtype=float)))

    @cached_property
    def polyline(self) -> Polyline:
        """The segments as arrays."""
        points = self.waypoints[: self.segments]
        return Polyline(points, self.segment_directions, self.segment_starts, self.length, self.closed)

    def segment_at(self, arc_length: float) -> int:
        """Return the segment at an arc length [m]; of a corner the later one."""
        along = arc_length % self.length if self.closed else arc_length
        return int(np.clip(np.searchsorted(self.segment_starts, along, side='right') - 1, 0, self.segments - 1))

    @cached_property
    def knots(self) -> tuple[FloatArray, FloatArray]:
        """Arc lengths (M,) and points (M, 2) [m] of a polyline that stays within `TOLERANCE` of the path.

        A point of it is compared with the point of the path at the same arc length, so that the tip of a path that
        doubles back is kept. The first knot is the start, the last one the end; of a closed path they coincide.
        """
        points = self.outline
        arc_lengths = np.append(self.segment_starts, self.length)
        kept = np.zeros(len(points), dtype=bool)
        kept[[0, -1]] = True
        spans = [(0, len(points) - 1)]
        while spans:
            first, last = spans.pop()
            if last - first < 2:
                continue
            share = (arc_lengths[first + 1 : last] - arc_lengths[first]) / (arc_lengths[last] - arc_lengths[first])
            chord = points[first] + share[:, None] * (points[last] - points[first])
            off = np.hypot(*(points[first + 1 : last] - chord).T)
            worst = int(off.argmax())
            if off[worst] > TOLERANCE:
                kept[first + 1 + worst] = True
                spans += [(first, first + 1 + worst), (first + 1 + worst, last)]
        return arc_lengths[kept], points[kept]

    def placed(self, x: float, y: float, yaw: float) -> ReferencePath:
        """Return the path turned by `yaw` [rad] and then moved by (x, y) [m; world]."""
        cos, sin = np.cos(yaw), np.sin(yaw)
        turned = self.waypoints @ np.array([[cos, sin], [-sin, cos]])
        return ReferencePath(turned + np.array([x, y]), self.closed, self.name)
