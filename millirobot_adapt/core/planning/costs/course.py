"""Move in the direction of the path."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.planning.costs.term import Candidates, cost_term
from millirobot_adapt.core.robot.state import FloatArray

STANDSTILL = 0.02
"""A displacement shorter than this over the horizon [m] has no course worth the name; yaw stands in."""


@cost_term('course', weight=5.0, unit='1/rad', doc='Weight of the angle between course and path, summed.')
class Course:
    """Compare the course of the horizon's displacement with the direction of the path half-way.

    The paper compares yaw; a pose that is miscalibrated in yaw would bias that, while the displacement shows where the
    robot really goes. On an arc the chord is parallel to the tangent half-way. The error counts once for each of
    the H predicted points, to keep the scale of the paper's sum.
    """

    @staticmethod
    def score(candidates: Candidates) -> FloatArray:
        """Return H times the absolute angle between course and path [rad], shape (K,)."""
        horizon = len(candidates.actions)
        middle = (horizon + 1) // 2
        dx, dy = candidates.x[-1] - candidates.x[0], candidates.y[-1] - candidates.y[0]
        still = np.hypot(dx, dy) < STANDSTILL
        cos = np.where(still, candidates.cos_yaw[middle], dx)
        sin = np.where(still, candidates.sin_yaw[middle], dy)
        path_cos, path_sin = candidates.on_path.direction(middle)
        error = np.arctan2(path_cos * sin - path_sin * cos, path_cos * cos + path_sin * sin)
        return np.asarray(horizon * np.abs(error))
