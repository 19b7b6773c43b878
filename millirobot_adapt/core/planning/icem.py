"""iCEM: draw each iteration about the best candidates so far, with noise that is correlated over time.

Pinneri et al., "Sample-efficient Cross-Entropy Method for Real-time Planning", CoRL 2020.

Taken over: coloured noise (section 3.1), elites that compete in later iterations, execution of the best candidate
instead of the mean, a search that starts from the plan of the tick before (section 3.2).

Deviations from the cited algorithm:

- No momentum of mean and deviation, and populations of constant size: neither helped with a few hundred candidates.
- Elites compete with their known cost; they are not drawn and rolled out a second time.
- Of the previous tick only the plan is known, not its elites, so that a tick repeats from its record alone.
- Candidates are clipped to range and slew before they are rolled out.
"""

from __future__ import annotations

from millirobot_adapt.core.arrays import Array, namespace, stable_order
from millirobot_adapt.core.planning.planner_interface import Draws
from millirobot_adapt.core.planning.sequences import Bounds, coloured_noise


class Icem:
    """Refine mean and deviation of action sequences from the cheapest candidates of all iterations."""

    effective_samples = 1.0

    def __init__(self, guess: Array, bounds: Bounds, *, width: float, colour: float, elites: int) -> None:
        """Start a search.

        Args:
            guess: First mean, shape (H, nu), row 0 = executing.
            bounds: Of the actions.
            width: Standard deviation of the first iteration, as a fraction of the range.
            colour: Exponent of the noise.
            elites: E, candidates that the next iteration is drawn about.
        """
        self._bounds, self._colour, self._most = bounds, colour, elites
        self._mean = guess
        self._deviation = namespace(guess).broadcast_to(width * bounds.range, guess[1:].shape)
        self._elites, self._costs = guess[:, None][:, :0], guess[:0, 0]
        self._asked = False

    def ask(self, rng: Draws, n: int) -> Array:
        """Return `n` sequences about the mean, the very first one undisturbed; see `interface.Sampler`."""
        noise = coloured_noise(rng, self._colour, len(self._mean) - 1, (n, self._mean.shape[1]))
        if not self._asked:
            noise[:, 0] = 0.0
            self._asked = True
        actions = namespace(noise).repeat(self._mean[:, None], n, axis=1)
        actions[1:] += self._deviation[:, None] * noise
        return self._bounds.keep(actions)

    def tell(self, sequences: Array, costs: Array) -> None:
        """Choose the elites of all candidates so far, and take mean and deviation from them."""
        xp = namespace(costs)
        sequences, costs = xp.concatenate((self._elites, sequences), axis=1), xp.concatenate((self._costs, costs))
        # A stable order: of equal costs the older candidate stays.
        order = stable_order(costs)[: self._most]
        order = order[xp.isfinite(costs[order])]
        self._elites, self._costs = sequences[:, order], costs[order]
        if len(order) > 1:
            self._mean = xp.concatenate((self._mean[:1], xp.mean(self._elites[1:], axis=1)))
            self._deviation = xp.std(self._elites[1:], axis=1)

    def best(self) -> None:
        """Return None: the cheapest candidate is the plan."""
