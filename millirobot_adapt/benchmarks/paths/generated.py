"""Generate paths that go wrong where progress is taken for the nearest point of the path, each from a number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicSpline

from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray

OPEN_BY = 0.02
"""A path that would end where it began ends this much before [m]: it is walked once, not lap after lap."""
FEWEST, MOST = 10, 10_000
"""Points of a path; paths of one kind span the range evenly on a logarithmic scale."""
SPREAD = 5
"""Numbers of paths over which point counts and distances repeat."""


def generated(kind: str, number: int, points: int | None = None) -> ReferencePath:
    """Return an open path of a kind, 2 to 6 m long.

    Args:
        kind: A key of `KINDS`.
        number: Seeds the size and the direction of the path; the point count grows with it.
        points: About how many points it has, beside its sharp corners; None: by `number`, from `FEWEST` to `MOST`.
    """
    rng = np.random.default_rng([list(KINDS).index(kind), number])
    corners = KINDS[kind](rng, number)
    share = (number % SPREAD) / (SPREAD - 1)
    count = points or round(FEWEST ** (1.0 - share) * MOST**share)
    turned = corners @ _rotation(rng.uniform(-np.pi, np.pi))
    return ReferencePath(_opened(_resampled(turned, count)), name=f'{kind}_{number}')


def _lanes(rng: np.random.Generator, _: int) -> FloatArray:
    gap, lanes, length = rng.uniform(0.12, 0.3), int(rng.integers(3, 5)), rng.uniform(0.8, 1.1)
    return np.array([((0.0, length)[(lane + end) % 2], gap * lane) for lane in range(lanes) for end in (0, 1)])


def _spiral(rng: np.random.Generator, _: int) -> FloatArray:
    angle = np.linspace(0.0, 2 * np.pi * rng.uniform(1.2, 1.8), 400)
    radius = 0.25 + rng.uniform(0.12, 0.2) * angle / (2 * np.pi)
    return np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))


def _star(rng: np.random.Generator, number: int) -> FloatArray:
    tips = (5, 7)[number % 2]
    angle = 2 * np.pi * np.arange(tips + 1) * (tips // 2) / tips
    return rng.uniform(0.35, 0.45) * np.column_stack((np.cos(angle), np.sin(angle)))


def _touching_eight(rng: np.random.Generator, _: int) -> FloatArray:
    """Return two circles that touch: where they do, both strands have one direction."""
    radius = rng.uniform(0.28, 0.45)
    angle = np.linspace(0.0, 2 * np.pi, 200)
    lower = np.column_stack((radius * np.sin(angle), radius * (1 - np.cos(angle))))
    upper = np.column_stack((radius * np.sin(angle), -radius * (1 - np.cos(angle))))
    return np.vstack((lower, upper[1:]))


def _out_and_back(rng: np.random.Generator, number: int) -> FloatArray:
    aside = 0.01 * (number % 4)
    return np.array([(0.0, 0.0), (rng.uniform(1.0, 2.0), 0.0), (0.0, aside)])


def _spline(rng: np.random.Generator, _: int) -> FloatArray:
    knots = np.cumsum(rng.normal((0.3, 0.0), 0.3, (8, 2)), axis=0)
    return np.asarray(CubicSpline(np.arange(8), knots)(np.linspace(0, 7, 400)))


KINDS: dict[str, Callable[[np.random.Generator, int], FloatArray]] = {
    'lanes': _lanes,
    'spiral': _spiral,
    'star': _star,
    'touching_eight': _touching_eight,
    'out_and_back': _out_and_back,
    'spline': _spline,
}
"""Every kind of path; a function returns its corners, shape (N, 2) [m]."""


def _rotation(angle: float) -> FloatArray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _resampled(corners: FloatArray, count: int) -> FloatArray:
    """Return about `count` points along the polyline, all of its sharp corners among them."""
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))))
    wanted = np.linspace(0.0, along[-1], count)
    if len(corners) < 50:
        wanted = np.union1d(wanted, along)
    keep = np.concatenate(([True], np.diff(wanted) > 1e-5))
    return np.column_stack([np.interp(wanted[keep], along, corners[:, axis]) for axis in (0, 1)])


def _opened(points: FloatArray) -> FloatArray:
    """Return the points without the last `OPEN_BY` of a path that ends where it began."""
    if np.hypot(*(points[0] - points[-1])) > OPEN_BY:
        return points
    path = ReferencePath(points)
    last = path.length - OPEN_BY
    return np.vstack((points[:-1][path.segment_starts < last - 1e-6], path.at(np.array(last))))
