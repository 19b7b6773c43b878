"""Get ahead along the path."""

from __future__ import annotations

from millirobot_adapt.core.arrays import Array, namespace
from millirobot_adapt.core.planning.costs.term import Candidates, cost_term


@cost_term('progress', weight=50.0, unit='1/m', doc='Weight of the arc length gained over the horizon.')
class Progress:
    """Reward arc length gained along the path over the horizon [m].

    The paper adds up, step by step, the fraction of a waypoint segment gained and skips the step that enters a new
    segment. Within a segment that sum is the fraction at the end minus the fraction at the start; here it is the same
    difference in metres, across waypoints, so that neither a waypoint nor its spacing makes the reward jump.

    Where a pace is given, the cost is how far the progress misses it, on either side: were the surplus merely left
    without a reward, nothing would hold the robot back (on the mock it then walks 0.26 m/s where 0.15 is wanted).
    """

    @staticmethod
    def score(candidates: Candidates) -> Array:
        """Return minus the arc length gained, or how far it misses what the pace asks for, shape (K,)."""
        arc_length = candidates.on_path.arc_length
        if candidates.pace is None:
            return arc_length[0] - arc_length[-1]
        wanted = candidates.pace * len(candidates.actions)
        return namespace(arc_length).abs(arc_length[-1] - arc_length[0] - wanted)
