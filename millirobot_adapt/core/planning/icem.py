"""iCEM: draw each chunk of candidates about the best of the chunks before, with noise that is correlated over time.

Pinneri et al., "Sample-efficient Cross-Entropy Method for Real-time Planning", CoRL 2020. Taken over: coloured noise,
elites that compete on in later chunks, the best candidate executed instead of the mean, a search that starts from the
plan of the tick before. Left out: momentum and shrinking populations, which bought nothing at a few hundred candidates;
and of the plan before only its actions are known, not its elites, so that a tick is repeated from its record alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.planning.bounds import Bounds
from millirobot_adapt.core.planning.budget import GoOn, unlimited
from millirobot_adapt.core.planning.coloured_noise import coloured_noise
from millirobot_adapt.core.planning.interface import Objective, Plan, Rollout
from millirobot_adapt.core.planning.sampling import chunk_sizes, first_guess, no_plan, score, spread
from millirobot_adapt.core.robot.state import NX, FloatArray


@dataclass(frozen=True)
class Elites:
    """The cheapest candidates so far, cheapest first; E of them, fewer as long as fewer are finite."""

    actions: FloatArray
    """Shape (H, E, nu)."""
    states: NDArray[np.floating]
    """Shape (H + 1, E, nx)."""
    costs: FloatArray
    """Shape (E,), finite."""

    def joined(self, actions: FloatArray, states: NDArray[np.floating], costs: FloatArray, most: int) -> Elites:
        """Return the cheapest of these and new candidates, `most` at most; a cost of +inf is none."""
        actions = np.concatenate((self.actions, actions), axis=1)
        states = np.concatenate((self.states, states), axis=1)
        costs = np.concatenate((self.costs, costs))
        # A stable order: of equal costs the older candidate stays.
        best = np.argsort(costs, kind='stable')[:most]
        best = best[np.isfinite(costs[best])]
        return Elites(actions[:, best], states[:, best], costs[best])


class Icem:
    """Refine a distribution of action sequences chunk by chunk, `samples` in all.

    The first chunk is drawn about the plan before, with the standard deviation `width` as a fraction of the range; each
    later one about mean and deviation of the `elites` cheapest so far. `colour` is that of the noise.
    """

    def __init__(
        self, bounds: Bounds, *, samples: int, horizon: int, chunk: int, width: float, colour: float, elites: int
    ) -> None:
        self.bounds = bounds
        self.samples, self.horizon, self.chunk = samples, horizon, chunk
        self.width = width * bounds.range
        self.colour, self.elites = colour, elites

    def plan(
        self,
        rollout: Rollout,
        objective: Objective,
        executing: FloatArray,
        previous: Plan | None,
        generator: Callable[[int], np.random.Generator],
        go_on: GoOn = unlimited,
    ) -> Plan:
        """Return the cheapest sequence; see `interface.Planner`."""
        mean = first_guess(self.bounds, previous, executing, self.horizon)
        deviation = np.broadcast_to(self.width, mean[1:].shape)
        nu, every = len(executing), [np.empty(0)]
        elites = Elites(np.empty((self.horizon, 0, nu)), np.empty((self.horizon + 1, 0, NX)), np.empty(0))
        for number, size in chunk_sizes(self.samples, self.chunk, go_on):
            actions = self._draw(generator(number), mean, deviation, size, keep_first=number == 0)
            states, costs = score(rollout, objective, actions)
            every.append(costs)
            elites = elites.joined(actions, states, costs, self.elites)
            if len(elites.costs) > 1:
                mean[1:], deviation = elites.actions[1:].mean(axis=1), elites.actions[1:].std(axis=1)
        scored, chunks = np.concatenate(every), len(every) - 1
        if not len(elites.costs):
            return no_plan(executing, self.horizon, len(scored), chunks)
        best, expected = elites.actions[:, 0].copy(), elites.states[:, 0].astype(float)
        finite = int(np.isfinite(scored).sum())
        return Plan(best, expected, float(elites.costs[0]), spread(scored), 1.0, len(scored), finite, chunks)

    def _draw(
        self, rng: np.random.Generator, mean: FloatArray, deviation: FloatArray, size: int, keep_first: bool
    ) -> FloatArray:
        """Draw sequences, shape (H, size, nu), about `mean`, (H, nu), row 0 as it is; keep one undisturbed if asked."""
        noise = coloured_noise(rng, self.colour, self.horizon - 1, (size, mean.shape[1]))
        if keep_first:
            noise[:, 0] = 0.0
        actions = np.repeat(mean[:, None], size, axis=1)
        actions[1:] += deviation[:, None] * noise
        return self.bounds.keep(actions)
