"""MPPI: perturb the previous plan and average the candidates, cheaper ones with exponentially more weight.

Williams et al., "Information Theoretic MPC for Model-Based Reinforcement Learning", ICRA 2017, algorithm 2. Two choices
differ: the temperature is relative to the spread of the costs, so that it means the same whatever the weights of the
objective; and candidates are clipped to the bounds before they are rolled out, averaged as clipped, so that what is
averaged is what was scored.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from millirobot_adapt.core.planning.bounds import Bounds
from millirobot_adapt.core.planning.budget import GoOn, unlimited
from millirobot_adapt.core.planning.interface import Objective, Plan, Rollout
from millirobot_adapt.core.planning.sampling import chunk_sizes, first_guess, held, no_plan, score, spread
from millirobot_adapt.core.robot.state import FloatArray


class Mppi:
    """Average `samples` perturbed sequences.

    `noise` is the standard deviation of the perturbation as a fraction of the range, shared by `hold` steps;
    `temperature` is relative to the standard deviation of the costs.
    """

    def __init__(
        self,
        bounds: Bounds,
        *,
        samples: int,
        horizon: int,
        chunk: int,
        hold: int,
        noise: float,
        temperature: float,
    ) -> None:
        self.bounds = bounds
        self.samples, self.horizon, self.chunk, self.hold = samples, horizon, chunk, hold
        self.noise = noise * bounds.range
        self.temperature = temperature

    def plan(
        self,
        rollout: Rollout,
        objective: Objective,
        executing: FloatArray,
        previous: Plan | None,
        generator: Callable[[int], np.random.Generator],
        go_on: GoOn = unlimited,
    ) -> Plan:
        """Return the weighted mean with its own rollout; see `interface.Planner`."""
        start = first_guess(self.bounds, previous, executing, self.horizon)
        actions, costs = [start[:, None][:, :0]], [np.empty(0)]
        for number, size in chunk_sizes(self.samples, self.chunk, go_on):
            actions.append(self._perturb(start, generator(number), size, keep_first=number == 0))
            costs.append(score(rollout, objective, actions[-1])[1])
        every, cost, chunks = np.concatenate(actions, axis=1), np.concatenate(costs), len(costs) - 1
        finite = int(np.isfinite(cost).sum())
        if finite == 0:
            return no_plan(executing, self.horizon, len(cost), chunks)
        weights = self._weights(cost)
        mean = np.einsum('k,hku->hu', weights, every)
        mean[0] = executing
        # An average of what keeps the bounds does too, but for an ulp of rounding.
        mean = self.bounds.keep(mean)
        chosen, chosen_cost = score(rollout, objective, mean[:, None])
        if not np.isfinite(chosen_cost[0]):
            mean = every[:, int(cost.argmin())]
            chosen, chosen_cost = score(rollout, objective, mean[:, None])
        effective = float(1.0 / np.square(weights).sum())
        expected = chosen[:, 0].astype(float)
        return Plan(mean, expected, float(chosen_cost[0]), spread(cost), effective, len(cost), finite, chunks)

    def _perturb(self, start: FloatArray, rng: np.random.Generator, size: int, keep_first: bool) -> FloatArray:
        """Draw sequences about `start`, shape (H, size, nu), row 0 = executing; keep one as it is if asked."""
        blocks = -(-(self.horizon - 1) // self.hold)
        draws = rng.normal(0.0, 1.0, (blocks, size, start.shape[1])) * self.noise
        if keep_first:
            draws[:, 0] = 0.0
        actions = np.repeat(start[:, None], size, axis=1)
        actions[1:] += held(draws, self.horizon - 1, self.hold)
        return self.bounds.keep(actions)

    def _weights(self, cost: FloatArray) -> FloatArray:
        """Return the normalised weights, shape (K,); a cost of +inf weighs nothing."""
        finite = cost[np.isfinite(cost)]
        scale = self.temperature * finite.std() + np.finfo(float).tiny
        weights = np.exp((finite.min() - cost) / scale)
        return np.asarray(weights / weights.sum())
