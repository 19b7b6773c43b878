"""Change the actions gently."""

from __future__ import annotations

from millirobot_adapt.core.arrays import Array, namespace
from millirobot_adapt.core.planning.costs.term import Candidates, cost_term


@cost_term('slew', weight=0.0, unit='1/(rad/s)^2', doc='Weight of squared action changes, summed.')
class Slew:
    """Add the squared changes from action to action [(rad/s)^2]; the first is against the one now executing."""

    @staticmethod
    def score(candidates: Candidates) -> Array:
        """Return the sum over steps and motors, shape (K,)."""
        xp = namespace(candidates.actions)
        changes = xp.diff(candidates.actions, axis=0)
        return xp.einsum('hku,hku->k', changes, changes)
