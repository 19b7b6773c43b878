"""Stay inside the arena."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.planning.costs.term import Candidates
from millirobot_adapt.core.state import FloatArray


class Fence:
    """Add how far each of the H predicted points lies outside the free area [m], x and y together."""

    @staticmethod
    def score(candidates: Candidates) -> FloatArray:
        """Return the sum over the predicted points, shape (K,); zero inside."""
        x_low, x_high, y_low, y_high = candidates.arena
        x, y = candidates.x[1:], candidates.y[1:]
        outside = np.abs(x - np.clip(x, x_low, x_high)) + np.abs(y - np.clip(y, y_low, y_high))
        return np.asarray(outside.sum(axis=0))
