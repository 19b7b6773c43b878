"""What of a control loop may change while it runs: the search, the weights of the cost, adaptation on or off."""

from __future__ import annotations

from dataclasses import dataclass

from millirobot_adapt.core.planning.objective import ObjectiveConfig
from millirobot_adapt.core.planning.optimize import Planner


@dataclass(frozen=True)
class Tuning:
    """One set of live parameters, made ready for use; a tick uses one from its beginning to its end."""

    planner: Planner
    objective: ObjectiveConfig
    adapt: bool = True
    """False: plan with theta*, as method mb does."""
    revision: int = 0
    """Counts the changes since the start of the controller; the tick record names it."""
