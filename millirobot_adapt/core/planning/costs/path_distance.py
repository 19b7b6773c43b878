"""Stay on the path."""

from __future__ import annotations

from millirobot_adapt.core.arrays import Array
from millirobot_adapt.core.planning.costs.term import Candidates, cost_term


@cost_term('path_distance', weight=50.0, unit='1/m', doc='Weight of the distance to the path, summed.')
class PathDistance:
    """Add the distances of the H predicted points to the path [m], as the paper does."""

    @staticmethod
    def score(candidates: Candidates) -> Array:
        """Return the sum of distances, shape (K,)."""
        return candidates.on_path.distance[1:].sum(axis=0)
