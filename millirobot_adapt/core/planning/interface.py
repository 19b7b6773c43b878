"""What a planner takes and gives; it knows no robot, only a rollout function, an objective and bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.planning.budget import GoOn, unlimited
from millirobot_adapt.core.robot.state import FloatArray

Rollout = Callable[[FloatArray], NDArray[np.floating]]
"""Actions (H, K, nu) to states (H + 1, K, nx), from the current state."""
Objective = Callable[[NDArray[np.floating], FloatArray], FloatArray]
"""States (H + 1, K, nx) and actions (H, K, nu) to the cost of each candidate, shape (K,)."""


@dataclass(frozen=True)
class Plan:
    """A sequence of H actions and what the model expects of it."""

    actions: FloatArray
    """Row 0 is the action now executing, row 1 the next one to send [rad/s], shape (H, nu)."""
    states: FloatArray
    """Predicted states, row 0 the current one, shape (H + 1, nx)."""
    cost: float
    """Cost of the plan (its own rollout, not an average)."""
    cost_spread: tuple[float, float]
    """Smallest and median cost of the finite candidates."""
    effective_samples: float
    """Effective number of candidates that shaped the plan (1 for random shooting)."""
    candidates: int
    """Candidates scored: K, or fewer where the search was cut short; with 0 there was no time for any."""
    finite: int
    """Candidates with a finite cost; with 0 there is no plan to trust, and the actions stand still."""
    chunks: int
    """Chunks done; together with the generators they repeat the search."""


class Planner(Protocol):
    """Search for a good sequence of actions."""

    horizon: int
    """H."""

    def plan(
        self,
        rollout: Rollout,
        objective: Objective,
        executing: FloatArray,
        previous: Plan | None,
        generator: Callable[[int], np.random.Generator],
        go_on: GoOn = unlimited,
    ) -> Plan:
        """Plan with row 0 fixed to `executing` [rad/s, shape (nu,)]; `generator(chunk)` gives each chunk's randomness.

        Candidates are rolled out in chunks of fixed size; `go_on` is asked before each, and the best so far counts.
        A candidate whose cost is not finite counts as +inf. All actions but row 0 lie inside the planner's bounds.
        """
