"""Stay on the path."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.planning.costs.term import Candidates
from millirobot_adapt.core.robot.state import FloatArray


class PathDistance:
    """Add the distances of the H predicted points to the path [m], as the paper does."""

    @staticmethod
    def score(candidates: Candidates) -> FloatArray:
        """Return the sum of distances, shape (K,)."""
        return np.asarray(candidates.on_path.distance[1:].sum(axis=0))
