"""The terms of planning: rollouts, objectives, plans, and samplers that propose candidates and learn from their costs.

No planner knows a robot: it sees a rollout function, an objective and the bounds of the actions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.robot.state import FloatArray

Rollout = Callable[[FloatArray], NDArray[np.floating]]
"""Actions (H, K, nu) to states (H + 1, K, nx), from the current state."""
Objective = Callable[[NDArray[np.floating], FloatArray], FloatArray]
"""States (H + 1, K, nx) and actions (H, K, nu) to the cost of each candidate, shape (K,)."""
PlanValidator = Callable[[FloatArray, FloatArray], str]
"""States (H + 1, nx) and actions (H, nu) of a plan to what is wrong with it; '' when nothing is."""
GoOn = Callable[[int], bool]
"""Whether to start another batch of candidates, from the number of batches done."""


@dataclass(frozen=True)
class Plan:
    """A sequence of H actions and what the model predicts for it."""

    actions: FloatArray
    """Row 0 is the action now executing, row 1 the next one to send [rad/s], shape (H, nu)."""
    states: FloatArray
    """Predicted states, row 0 the current one, shape (H + 1, nx)."""
    cost: float
    """Cost of the plan (of its own rollout, not an average); +inf where there is no plan."""
    cost_spread: tuple[float, float]
    """Smallest and median cost of the finite candidates."""
    effective_samples: float
    """Effective number of candidates that shaped the plan (1 where the cheapest one is the plan)."""
    candidates: int
    """Candidates scored: K, or fewer where the search was cut short; with 0 there was no time for any."""
    finite: int
    """Candidates with a finite cost."""
    batches: int
    """Batches of candidates scored; together with the generators they repeat the search."""

    @property
    def usable(self) -> bool:
        """Whether there is a plan that passed the final check; otherwise its actions stand still."""
        return bool(np.isfinite(self.cost))


class Sampler(Protocol):
    """Propose candidates and learn from their costs: the part in which planning algorithms differ.

    One sampler serves one tick. `optimize` calls `ask` for every batch and `tell` once for every iteration.
    """

    def ask(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` candidates inside the bounds, shape (H, n, nu), row 0 the executing action [rad/s]."""

    def tell(self, sequences: FloatArray, costs: FloatArray) -> None:
        """Learn from candidates (H, N, nu) and their costs (N,); a cost of +inf marks a candidate that must not count.

        At least one cost is finite.
        """

    def best(self) -> FloatArray | None:
        """Return the sequence to execute, shape (H, nu); None: the cheapest candidate of all."""

    @property
    def effective_samples(self) -> float:
        """Effective number of candidates behind `best()`."""
