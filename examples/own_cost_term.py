"""Add a term to the objective of the planner: here one that makes fast legs cost.

    python examples/own_cost_term.py [SECONDS]

A term that stays belongs into a file under millirobot_adapt/core/planning/costs/; then params/controller.yaml names it.
"""

import sys

import numpy as np

from millirobot_adapt import Sim, cost_term, make_controller


@cost_term('effort', weight=0.0, unit='1/(rad/s)^2', doc='Weight of squared leg velocities, summed over the plan.')
class Effort:
    """Make fast legs cost."""

    @staticmethod
    def score(candidates):
        """Return the cost of each candidate, shape (K,), from actions (H, K, nu) [rad/s]."""
        return np.square(candidates.actions).sum(axis=(0, 2))


seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
sim = Sim(condition='carpet', seed=0)
for weight in (0.0, 0.003):
    controller = make_controller(parameters={'objective.effort': weight, 'planner.samples': 100})
    walk = sim.walk(controller, path='straight', seconds=seconds)
    legs = np.column_stack([walk.table['action_0'], walk.table['action_1']])
    print(f'weight {weight:g}: legs turn at {np.abs(legs).mean():.1f} rad/s, {walk.table["x"][-1]:.2f} m walked')
