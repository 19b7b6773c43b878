"""Keep away from the fence."""

from __future__ import annotations

from millirobot_adapt.core.arrays import Array, namespace
from millirobot_adapt.core.planning.costs.term import Candidates, cost_term


@cost_term('fence', weight=0.0, unit='1/m', doc='Weight of coming nearer to the fence than its margin, summed.')
class FenceMargin:
    """Add how much nearer to the fence than its margin each of the H predicted points comes [m]; beyond it still more.

    It is a wish among others; what stops the robot at the fence is the gate.
    """

    @staticmethod
    def score(candidates: Candidates) -> Array:
        """Return the sum over the predicted points, shape (K,); zero where all keep the margin."""
        xp = namespace(candidates.x)
        depth = candidates.fence.depth(candidates.x[1:], candidates.y[1:])
        return xp.maximum(candidates.fence_margin - depth, 0.0).sum(axis=0)
