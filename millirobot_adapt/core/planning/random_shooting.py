"""Random shooting, as on the real robot: draw action sequences evenly from the bounds and take the best one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from millirobot_adapt.core.planning.bounds import Bounds
from millirobot_adapt.core.planning.budget import GoOn, unlimited
from millirobot_adapt.core.planning.interface import Objective, Plan, Rollout
from millirobot_adapt.core.planning.sampling import chunk_sizes, held, no_plan, score, spread
from millirobot_adapt.core.robot.state import FloatArray


class RandomShooting:
    """Keep the cheapest of `samples` sequences that are drawn evenly from the range.

    `hold` steps share one draw; the robot's planner has hold 1 (independent actions).
    """

    def __init__(self, bounds: Bounds, *, samples: int, horizon: int, chunk: int, hold: int) -> None:
        self.bounds = bounds
        self.samples, self.horizon, self.chunk, self.hold = samples, horizon, chunk, hold

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
        costs, best_cost, best = [np.empty(0)], np.inf, None
        for number, size in chunk_sizes(self.samples, self.chunk, go_on):
            actions = self._draw(generator(number), size, executing)
            states, cost = score(rollout, objective, actions)
            costs.append(cost)
            cheapest = int(cost.argmin())
            if cost[cheapest] < best_cost:
                best_cost = float(cost[cheapest])
                best = actions[:, cheapest].copy(), states[:, cheapest].astype(float)
        every, chunks = np.concatenate(costs), len(costs) - 1
        if best is None:
            return no_plan(executing, self.horizon, len(every), chunks)
        return Plan(*best, best_cost, spread(every), 1.0, len(every), int(np.isfinite(every).sum()), chunks)

    def _draw(self, rng: np.random.Generator, size: int, executing: FloatArray) -> FloatArray:
        """Draw sequences, shape (H, size, nu), row 0 = executing."""
        blocks = -(-(self.horizon - 1) // self.hold)
        draws = rng.uniform(self.bounds.low, self.bounds.high, (blocks, size, len(executing)))
        first = np.broadcast_to(executing, (1, size, len(executing)))
        return self.bounds.keep(np.concatenate((first, held(draws, self.horizon - 1, self.hold))))
