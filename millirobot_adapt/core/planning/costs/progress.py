"""Get ahead along the path."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.planning.costs.term import Candidates
from millirobot_adapt.core.state import FloatArray


class Progress:
    """Reward arc length gained along the path over the horizon [m].

    The paper adds up, step by step, the fraction of a way-point segment gained and skips the step that enters a new
    segment. Within a segment that sum is the fraction at the end minus the fraction at the start; here it is the same
    difference in metres, across way-points, so that neither a way-point nor its spacing makes the reward jump.
    """

    @staticmethod
    def score(candidates: Candidates) -> FloatArray:
        """Return minus the arc length gained, shape (K,)."""
        arc_length = candidates.on_path.arc_length
        return np.asarray(arc_length[0] - arc_length[-1])
