"""Project many points at once on the stretch of path that lies ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray

SAME = 1e-12
"""Squared distances this close [m^2] are equal. Beyond a corner both segments are equally near (the corner itself is
nearest); taking the later one makes a robot that overshot turn into it."""


@dataclass(frozen=True)
class Projection:
    """The nearest point of a `Stretch` for each of many points; arrays have the shape of the points."""

    distance: FloatArray
    """To the stretch [m]."""
    arc_length: FloatArray
    """From the start of the stretch [m]."""
    segment: NDArray[np.intp]
    """Index within the stretch."""
    directions: FloatArray
    """Unit vectors of the stretch's segments, shape (S, 2)."""

    def direction(self, row: int) -> tuple[FloatArray, FloatArray]:
        """Return cosine and sine of the path's direction at the projections of row `row` of the points."""
        chosen = self.directions[self.segment[row]]
        return chosen[..., 0], chosen[..., 1]


class PathWindow:
    """The segments from the current one to `reach` metres ahead.

    As this window only moves forward, a path that crosses itself cannot attract a candidate to its other strand.
    """

    def __init__(self, path: ReferencePath, segment: int, reach: float) -> None:
        indices = [segment]
        covered = 0.0
        while covered < reach and len(indices) < path.segments:
            following = indices[-1] + 1
            if following == path.segments and not path.closed:
                break
            indices.append(following % path.segments)
            covered += float(path.segment_lengths[indices[-1]])
        self.starts = path.waypoints[indices]
        self.directions = path.segment_directions[indices]
        self.lengths = path.segment_lengths[indices]
        self.offsets = np.concatenate(([0.0], np.cumsum(self.lengths)[:-1]))
        # The end of an open path is prolonged, so that walking on past it still counts as following it.
        self.ends = self.lengths.copy()
        if not path.closed and indices[-1] == path.segments - 1:
            self.ends[-1] = np.inf

    def project(self, x: FloatArray, y: FloatArray) -> Projection:
        """Project points [m; world] of equal shapes; the later of two equally near segments counts."""
        nearest: FloatArray = np.full(x.shape, np.inf)
        arc_length: FloatArray = np.zeros(x.shape)
        segment = np.zeros(x.shape, dtype=np.intp)
        for index, ((x0, y0), (cos, sin)) in enumerate(zip(self.starts, self.directions, strict=True)):
            dx, dy = x - x0, y - y0
            along = cos * dx + sin * dy
            across = cos * dy - sin * dx
            inside = np.clip(along, 0.0, self.ends[index])
            along -= inside
            squared = across * across + along * along
            nearer = squared <= nearest + SAME
            np.copyto(nearest, squared, where=nearer)
            np.copyto(arc_length, inside + self.offsets[index], where=nearer)
            np.copyto(segment, index, where=nearer)
        return Projection(np.sqrt(nearest), arc_length, segment, self.directions)
