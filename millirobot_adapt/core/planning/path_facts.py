"""What a person wants to know of a path before a robot walks it: its turns, and its distance to the fence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.core.safety.polygon import Polygon

SAMPLED = 0.01
"""A path is examined at points this far apart [m]."""


@dataclass(frozen=True)
class PathPlace:
    """A value at a place of a path."""

    value: float
    arc_length: float
    """[m]"""
    point: FloatArray
    """[m; world], shape (2,)."""


def sharpest_turn(path: ReferencePath, over: float) -> PathPlace:
    """Return by how much the path turns, at most, within `over` metres [rad], and in the middle of which part."""
    places = _sampled(path)
    if not path.closed:
        places = places[(places > 0) & (places < path.length)]
    half = 0.5 * over
    before, after = (_direction(path, places - half, 0.5 * half), _direction(path, places + half, 0.5 * half))
    turn = np.arccos(np.clip(np.einsum('ij,ij->i', before, after), -1.0, 1.0))
    worst = int(turn.argmax())
    return PathPlace(float(turn[worst]), float(places[worst]), path.at(places[worst]))


def clearance(path: ReferencePath, fence: Polygon) -> PathPlace:
    """Return the smallest distance of the path to the fence [m], negative outside it, and the first place there."""
    places = np.union1d(_sampled(path), path.segment_starts)
    points = path.at(places)
    depth = fence.depth(points[:, 0], points[:, 1])
    outside = np.flatnonzero(depth < 0)
    worst = int(outside[0]) if len(outside) else int(depth.argmin())
    return PathPlace(float(depth.min()), float(places[worst]), points[worst])


def _sampled(path: ReferencePath) -> FloatArray:
    return np.linspace(0.0, path.length, max(3, int(path.length / SAMPLED) + 1))


def _direction(path: ReferencePath, places: FloatArray, reach: float) -> FloatArray:
    """Return unit vectors along the chords of the path about places, shape (N, 2)."""
    chords = path.at(places + reach) - path.at(places - reach)
    return chords / np.maximum(np.hypot(chords[:, 0], chords[:, 1]), 1e-9)[:, None]
