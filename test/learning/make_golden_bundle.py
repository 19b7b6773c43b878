"""Make test/data/golden_bundle: a tiny GrBAL bundle and what PyTorch computes with it, for tests that need no PyTorch.

Run from the repository's root: python test/learning/make_golden_bundle.py
"""

from pathlib import Path

import numpy as np
import torch
from robots import LAYOUT, NX

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.bundle_writer import write_bundle
from millirobot_adapt.learning.graphs import AdaptGraph
from millirobot_adapt.learning.inner_step import InnerStep
from millirobot_adapt.learning.kinematics import body_state, integrate
from millirobot_adapt.learning.methods.grbal import GrbalLearner
from millirobot_adapt.learning.methods.step_sizes import StepSizes
from millirobot_adapt.learning.network import Normalisation, forward, initialise, theta_names

FOLDER = Path(__file__).parents[1] / 'data' / 'golden_bundle'
WINDOW, HORIZON, CANDIDATES = 6, 4, 3
FEATURE_SCALE = (0.1, 0.05, 1.5, 10.0, 10.0, 12.0, 12.0)
TARGET_SCALE = (0.01, 0.005, 0.1, 0.05, 0.05, 1.0, 6.0, 6.0)


def random_states(generator: torch.Generator, count: int) -> torch.Tensor:
    """Draw states whose angles are angles."""
    states = 0.3 * torch.randn(count, NX, generator=generator)
    for cos in (6, 8, 10, 15, 17):
        angle = 0.5 * torch.randn(count, generator=generator)
        states[:, cos], states[:, cos + 1] = torch.cos(angle), torch.sin(angle)
    states[:, 19:21] = 30 + 10 * torch.randn(count, 2, generator=generator)
    return states


def roll_out(
    adapted: list[torch.Tensor], normalisation: Normalisation, start: torch.Tensor, candidates: torch.Tensor, dt: float
) -> torch.Tensor:
    """Roll candidates (H, K, 2) out from one state; returns states (H + 1, K, nx)."""
    states = [start.repeat(candidates.shape[1], 1)]
    for action in candidates:
        outputs = forward(adapted, normalisation.features(body_state(states[-1], LAYOUT), action))
        states.append(integrate(states[-1], normalisation.change(outputs)[None], dt, LAYOUT)[1])
    return torch.stack(states)


def main() -> None:
    """Write the bundle and the arrays."""
    generator = torch.Generator().manual_seed(0)
    theta = initialise((7, 8, 8, 8), generator)
    psi = [torch.tensor(0.02 * (index + 1)) for index in range(len(theta))]
    normalisation = Normalisation(
        torch.tensor((0.25, 0.0, 0.0, 30.0, 30.0, 35.0, 35.0)), torch.tensor(FEATURE_SCALE),
        torch.tensor((0.025, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)), torch.tensor(TARGET_SCALE),
    )  # fmt: skip
    robot, sizes = RobotConfig(), StepSizes([step.log() for step in psi])
    write_bundle(
        FOLDER, GrbalLearner(normalisation, theta, sizes), method='grbal', robot=robot, window=WINDOW,
        data={'origin': 'golden'}, training={'script': 'test/learning/make_golden_bundle.py'},
    )  # fmt: skip

    trail = random_states(generator, WINDOW + 1)
    actions = 35 + 12 * torch.randn(WINDOW, 2, generator=generator)
    mask = torch.ones(WINDOW)
    mask[0] = 0
    *adapted, before, after, norm, step = AdaptGraph(normalisation, InnerStep(psi), LAYOUT)(
        *theta, trail[:-1], actions, trail[1:], mask
    )
    candidates = 35 + 12 * torch.randn(HORIZON, CANDIDATES, 2, generator=generator)
    rollout = roll_out(adapted, normalisation, trail[-1], candidates, robot.dt)
    np.savez(
        FOLDER / 'expected.npz',
        states=trail[:-1], actions=actions, next_states=trail[1:], mask=mask, candidates=candidates,
        rollout=rollout, report=torch.stack([before, after, norm, step]),
        **dict(zip(theta_names(theta), adapted, strict=True)),
    )  # fmt: skip


if __name__ == '__main__':
    main()
