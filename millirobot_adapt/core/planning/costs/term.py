"""What every cost term offers and what it may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from millirobot_adapt.core.planning.projection import Projection
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.core.safety.polygon import Polygon


@dataclass(frozen=True)
class Candidates:
    """K candidates with all that the terms share about them."""

    x: FloatArray
    """[m; world], shape (H + 1, K)."""
    y: FloatArray
    """[m; world], shape (H + 1, K)."""
    cos_yaw: FloatArray
    """Shape (H + 1, K)."""
    sin_yaw: FloatArray
    """Shape (H + 1, K)."""
    actions: FloatArray
    """[rad/s], shape (H, K, nu)."""
    on_path: Projection
    """Projection of all H + 1 points on the path."""
    pace: float | None
    """Progress wanted in a step [m]; None: as much as can be."""
    fence: Polygon
    """Where the robot may be."""
    fence_margin: float
    """Distance to keep from the fence [m]."""


class CostTerm(Protocol):
    """One term of the objective."""

    @staticmethod
    def score(candidates: Candidates) -> FloatArray:
        """Return the unweighted cost of each candidate, shape (K,)."""
