"""MPPI: perturb a plan and average the candidates, cheaper ones with exponentially more weight.

Williams et al., "Information Theoretic MPC for Model-Based Reinforcement Learning", ICRA 2017, algorithm 2. Its weight
of candidate k with state cost S_k, perturbations eps_k and nominal actions u is

    w_k = exp(-(S_k + lambda sum_t u_t' Sigma^-1 eps_{k,t} - rho) / lambda) / eta                       (algorithm 2)

Deviations from the cited algorithm:

- lambda = temperature * scale, where the scale is that of this iteration's costs: (median - 10 % quantile) / 1.28, the
  standard deviation of a normal distribution with these quantiles. The temperature then means the same whatever the
  weights of the objective, and expensive candidates, however many up to half and however wild, do not change it.
- The control-cost term lambda u' Sigma^-1 eps has the factor `control_cost`; 0 leaves it out, 1 is the cited algorithm.
  u is measured from the middle of the range: the cited algorithm measures it from zero, which is no action of a robot
  that walks.
- Candidates are clipped to range and slew before they are rolled out, and averaged as clipped: what is averaged is what
  was scored. eps is the perturbation that is left after clipping.
- `hold` steps share one perturbation; Sigma is that of one step.
- The first candidate is the nominal plan without a perturbation.
- No smoothing filter over the resulting actions.
- The mean is checked before it is executed (`optimize`); where it is not valid the cheapest candidate takes its place.
- With several iterations each one starts from the mean of the one before.
"""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.arrays import Array, namespace, quantile
from millirobot_adapt.core.planning.planner_interface import Draws
from millirobot_adapt.core.planning.sequences import Bounds, held

LOWER, SIGMAS = 0.1, 1.2816
"""A normal distribution's quantile LOWER lies SIGMAS standard deviations below its median."""


class Mppi:
    """Average perturbed sequences; the mean is the plan."""

    def __init__(
        self,
        guess: Array,
        bounds: Bounds,
        *,
        hold: int,
        noise: float,
        temperature: float,
        control_cost: float,
    ) -> None:
        """Start a search.

        Args:
            guess: The nominal plan, shape (H, nu), row 0 = executing.
            bounds: Of the actions.
            hold: Steps that share one perturbation.
            noise: Standard deviation of the perturbation, as a fraction of the range.
            temperature: lambda in units of the scale of the costs.
            control_cost: Factor of the control-cost term.
        """
        self._bounds, self._hold = bounds, hold
        self._noise, self._temperature, self._control_cost = noise * bounds.range, temperature, control_cost
        self._mean = guess
        self._asked = self._told = False
        self.effective_samples = 0.0

    def ask(self, rng: Draws, n: int) -> Array:
        """Return `n` perturbed sequences, the very first one undisturbed; see `interface.Sampler`."""
        steps = len(self._mean) - 1
        draws = rng.standard_normal((-(-steps // self._hold), n, self._mean.shape[1])) * self._noise
        if not self._asked:
            draws[:, 0] = 0.0
            self._asked = True
        actions = namespace(draws).repeat(self._mean[:, None], n, axis=1)
        actions[1:] += held(draws, steps, self._hold)
        return self._bounds.keep(actions)

    def tell(self, sequences: Array, costs: Array) -> None:
        """Move the mean to the weighted average of the candidates."""
        weights = self._weights(sequences, costs)
        mean = namespace(weights).einsum('k,hku->hu', weights, sequences)
        mean[0] = self._mean[0]
        # An average of sequences inside the bounds is inside them too, but for rounding.
        self._mean = self._bounds.keep(mean)
        self.effective_samples = float(1.0 / namespace(weights).square(weights).sum())
        self._told = True

    def best(self) -> Array | None:
        """Return the mean; None before any candidate was finite."""
        return self._mean if self._told else None

    def _weights(self, sequences: Array, costs: Array) -> Array:
        """Return the normalised weights, shape (K,); a cost of +inf weighs nothing."""
        exponents = (costs.min() - costs) / (self._temperature * robust_scale(costs))
        if self._control_cost > 0:
            exponents -= self._control_cost * self._control(sequences)
        weights = namespace(costs).exp(exponents - exponents.max())
        return weights / weights.sum()

    def _control(self, sequences: Array) -> Array:
        """Return sum_t u_t' Sigma^-1 eps_t of each candidate, shape (K,)."""
        nominal = (self._mean[1:] - self._bounds.middle) / self._noise**2
        perturbation = sequences[1:] - self._mean[1:, None]
        return namespace(nominal).einsum('hu,hku->k', nominal, perturbation)


def robust_scale(costs: Array) -> float:
    """Return the scale of the cheaper half of the finite costs; positive, and a standard deviation if they are normal.

    Costs are bounded below and have a long upper tail, so that only quantiles up to the median count.
    """
    xp = namespace(costs)
    finite = xp.sort(costs[xp.isfinite(costs)])
    return (quantile(finite, 0.5) - quantile(finite, LOWER)) / SIGMAS + float(np.finfo(float).tiny)
