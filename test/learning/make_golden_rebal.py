"""Make test/data/golden_rebal: a tiny ReBAL bundle and what PyTorch computes with it, for tests that need no PyTorch.

Run from the repository's root: python test/learning/make_golden_rebal.py
"""

from pathlib import Path

import numpy as np
import torch
from make_golden_bundle import FEATURE_SCALE, TARGET_SCALE, random_states, roll_out
from robots import LAYOUT

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.bundle_writer import write_bundle
from millirobot_adapt.learning.graphs import ContextGraph
from millirobot_adapt.learning.kinematics import integrate
from millirobot_adapt.learning.methods.rebal import RebalLearner
from millirobot_adapt.learning.network import Normalisation, initialise
from millirobot_adapt.learning.recurrence import Recurrence, initialise_recurrence

FOLDER = Path(__file__).parents[1] / 'data' / 'golden_rebal'
WINDOW, HORIZON, CANDIDATES, UNITS = 6, 4, 3, 5


@torch.no_grad()
def main() -> None:
    """Write the bundle and the arrays."""
    generator = torch.Generator().manual_seed(0)
    theta = initialise((7, 8, 8, 8), generator)
    *gates, to_network = initialise_recurrence(UNITS, theta, generator).tensors()
    recurrence = Recurrence(*gates, 5 * to_network)  # the influence of a trained one
    normalisation = Normalisation(
        torch.tensor((0.25, 0.0, 0.0, 30.0, 30.0, 35.0, 35.0)), torch.tensor(FEATURE_SCALE),
        torch.tensor((0.025, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)), torch.tensor(TARGET_SCALE),
    )  # fmt: skip
    robot = RobotConfig()
    write_bundle(
        FOLDER, RebalLearner(normalisation, theta, recurrence), method='rebal', robot=robot, window=WINDOW,
        data={'origin': 'golden'}, training={'script': 'test/learning/make_golden_rebal.py'},
    )  # fmt: skip

    mask = torch.ones(WINDOW)
    mask[:2] = 0
    while True:  # until the unit, which nobody trained, happens to explain a window better than none
        changes = torch.tensor(TARGET_SCALE) * torch.randn(WINDOW, 1, 8, generator=generator)
        trail = integrate(random_states(generator, 1), changes, robot.dt, LAYOUT)[:, 0]
        actions = 35 + 12 * torch.randn(WINDOW, 2, generator=generator)
        given = (trail[:-1], actions, trail[1:], mask)
        bias, before, after, taken = ContextGraph(normalisation, recurrence, LAYOUT)(*theta, *given)
        if taken:
            break
    adapted = [theta[0], bias, *theta[2:]]
    candidates = 35 + 12 * torch.randn(HORIZON, CANDIDATES, 2, generator=generator)
    rollout = roll_out(adapted, normalisation, trail[-1], candidates, robot.dt)
    np.savez(
        FOLDER / 'expected.npz',
        states=trail[:-1], actions=actions, next_states=trail[1:], mask=mask, candidates=candidates,
        rollout=rollout, bias=bias, report=torch.stack([before, after, taken]),
    )  # fmt: skip


if __name__ == '__main__':
    main()
