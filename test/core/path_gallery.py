"""Paths that go wrong when progress is taken for the nearest point: generated, each with a seed."""

import numpy as np

from millirobot_adapt.core.planning.reference_path import ReferencePath

KINDS = ('lanes', 'spiral', 'star', 'touching_eight', 'there_and_back', 'spline')


def generated(kind, seed, points=None):
    """Return an open path of a kind, about 2 to 7 m long, of any number of points from 10 to 10000."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    corners = globals()[f'_{kind}'](rng)
    count = int(points or 10 ** rng.uniform(1.0, 4.0))
    turned = corners @ _rotation(rng.uniform(-np.pi, np.pi))
    return ReferencePath(_resampled(turned, count), name=f'{kind}_{seed}')


def _lanes(rng):
    gap, lanes, length = rng.uniform(0.12, 0.3), int(rng.integers(3, 5)), rng.uniform(1.0, 1.5)
    return np.array([((0.0, length)[(lane + end) % 2], gap * lane) for lane in range(lanes) for end in (0, 1)])


def _spiral(rng):
    angle = np.linspace(0.0, 2 * np.pi * rng.uniform(1.5, 2.5), 400)
    radius = 0.25 + rng.uniform(0.15, 0.25) * angle / (2 * np.pi)
    return np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))


def _star(rng):
    tips = int(rng.choice([5, 7]))
    order = np.arange(tips + 1) * (tips // 2)
    angle = 2 * np.pi * order / tips
    return rng.uniform(0.6, 0.8) * np.column_stack((np.cos(angle), np.sin(angle)))


def _touching_eight(rng):
    """Two circles that touch: the crossing is a point where both strands have one direction."""
    radius = rng.uniform(0.35, 0.6)
    angle = np.linspace(0.0, 2 * np.pi, 200)
    lower = np.column_stack((radius * np.sin(angle), radius * (1 - np.cos(angle))))
    upper = np.column_stack((radius * np.sin(angle), -radius * (1 - np.cos(angle))))
    return np.vstack((lower, upper[1:]))


def _there_and_back(rng):
    aside = rng.choice([0.0, 0.01, 0.02, 0.03])
    return np.array([(0.0, 0.0), (rng.uniform(1.0, 2.0), 0.0), (0.0, aside)])


def _spline(rng):
    from scipy.interpolate import CubicSpline

    knots = np.cumsum(rng.normal((0.35, 0.0), 0.35, (8, 2)), axis=0)
    return CubicSpline(np.arange(8), knots)(np.linspace(0, 7, 400))


def _rotation(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _resampled(corners, count):
    """Return about `count` points along the polyline, all of its sharp corners among them."""
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))))
    wanted = np.linspace(0.0, along[-1], count)
    if len(corners) < 50:
        wanted = np.union1d(wanted, along)
    keep = np.concatenate(([True], np.diff(wanted) > 1e-5))
    return np.column_stack([np.interp(wanted[keep], along, corners[:, axis]) for axis in (0, 1)])
