"""Random shooting, as on the real robot: draw action sequences evenly from the bounds and take the cheapest one."""

from __future__ import annotations

from dataclasses import dataclass

from millirobot_adapt.core.arrays import Array, namespace
from millirobot_adapt.core.planning.planner_interface import Draws
from millirobot_adapt.core.planning.sequences import Bounds, held


@dataclass(frozen=True)
class RandomShooting:
    """Draw from the range and learn nothing: the cheapest candidate is the plan."""

    guess: Array
    """Of the first guess, shape (H, nu), only row 0, the executing action, is used."""
    bounds: Bounds
    hold: int
    """Steps that share one draw; the robot's planner has 1 (independent actions)."""
    effective_samples: float = 1.0

    def ask(self, rng: Draws, n: int) -> Array:
        """Return `n` random sequences; see `interface.Sampler`."""
        steps = len(self.guess) - 1
        draws = self.bounds.low + self.bounds.range * rng.random((-(-steps // self.hold), n, self.guess.shape[1]))
        xp = namespace(draws)
        first = xp.broadcast_to(self.guess[0], (1, n, self.guess.shape[1]))
        return self.bounds.keep(xp.concatenate((first, held(draws, steps, self.hold))))

    def tell(self, sequences: Array, costs: Array) -> None:
        """Learn nothing."""

    def best(self) -> None:
        """Return None: the cheapest candidate is the plan."""
