"""The terms of planning: rollouts, objectives, plans, and samplers that propose candidates and learn from their costs.

No planner knows a robot: it sees a rollout function, an objective and the bounds of the actions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from millirobot_adapt.core.arrays import Array
from millirobot_adapt.core.robot.state import FloatArray

Rollout = Callable[[Array], Array]
"""Actions (H, K, nu) to states (H + 1, K, nx), from the current state."""
Objective = Callable[[Array, Array], Array]
"""States (H + 1, K, nx) and actions (H, K, nu) to the cost of each candidate, shape (K,)."""
Watcher = Callable[[Array, Array], None]
"""Is shown states (H + 1, K, nx) and costs (K,) of candidates as they are scored, on the host; must not change them."""
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


class Draws(Protocol):
    """Random numbers as samplers draw them: a generator of numpy, or one of a device."""

    def standard_normal(self, size: tuple[int, ...], /) -> Array:
        """Draw from the normal distribution of mean 0 and variance 1."""

    def random(self, size: tuple[int, ...], /) -> Array:
        """Draw evenly from [0, 1)."""


class Sampler(Protocol):
    """Propose candidates and learn from their costs: the part in which planning algorithms differ.

    Candidates and costs are arrays of numpy, or of the device that rolls out.
    One sampler serves one tick. `optimize` calls `ask` for every batch and `tell` once for every iteration.
    """

    def ask(self, rng: Draws, n: int) -> Array:
        """Return `n` candidates inside the bounds, shape (H, n, nu), row 0 the executing action [rad/s]."""

    def tell(self, sequences: Array, costs: Array) -> None:
        """Learn from candidates (H, N, nu) and their costs (N,); a cost of +inf marks a candidate that must not count.

        At least one cost is finite.
        """

    def best(self) -> Array | None:
        """Return the sequence to execute, shape (H, nu); None: the cheapest candidate of all."""

    @property
    def effective_samples(self) -> float:
        """Effective number of candidates behind `best()`."""
