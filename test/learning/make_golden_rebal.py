"""Make test/data/golden_{rebal,snail,pearl}: tiny bundles of methods that read windows into a context.

Beside them stands what PyTorch computes with them, for tests that need no PyTorch.
Run from the repository's root: python test/learning/make_golden_rebal.py
"""

from pathlib import Path

import numpy as np
import torch
from make_golden_bundle import FEATURE_SCALE, TARGET_SCALE, random_states, roll_out
from robots import LAYOUT

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.attention import initialise_attention
from millirobot_adapt.learning.bundle_writer import write_bundle
from millirobot_adapt.learning.context import Encoder
from millirobot_adapt.learning.gaussian_context import initialise_gaussian_context
from millirobot_adapt.learning.graphs import ContextGraph
from millirobot_adapt.learning.kinematics import integrate
from millirobot_adapt.learning.methods.context_learner import ContextLearner
from millirobot_adapt.learning.methods.pearl import PearlLearner
from millirobot_adapt.learning.methods.rebal import RebalLearner
from millirobot_adapt.learning.methods.snail import SnailLearner
from millirobot_adapt.learning.network import Normalisation, initialise
from millirobot_adapt.learning.recurrence import initialise_recurrence

DATA = Path(__file__).parents[1] / 'data'
WINDOW, HORIZON, CANDIDATES, UNITS = 6, 4, 3, 5
INFLUENCE = 5
"""What the weights from a context to the network are multiplied by: the influence of a trained one."""
NORMALISATION = Normalisation(
    torch.tensor((0.25, 0.0, 0.0, 30.0, 30.0, 35.0, 35.0)), torch.tensor(FEATURE_SCALE),
    torch.tensor((0.025, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)), torch.tensor(TARGET_SCALE),
)  # fmt: skip
KINDS: dict[str, type[ContextLearner]] = {'rebal': RebalLearner, 'snail': SnailLearner, 'pearl': PearlLearner}
TO_NETWORK = {'rebal': 3, 'snail': 2, 'pearl': 6}
"""Place of the weights from the context to the network among the tensors."""


@torch.no_grad()
def main() -> None:
    """Write bundles and arrays."""
    for method, kind in KINDS.items():
        generator = torch.Generator().manual_seed(0)
        theta = initialise((7, 8, 8, 8), generator)
        encoder = draw(method, theta, generator)
        tensors = [
            INFLUENCE * tensor if place == TO_NETWORK[method] else tensor
            for place, tensor in enumerate(encoder.tensors())
        ]
        write_golden(method, kind(NORMALISATION, theta, type(encoder).of(tensors)), generator)


def draw(method: str, theta: list[torch.Tensor], generator: torch.Generator) -> Encoder:
    """Draw the encoder of a method."""
    if method == 'rebal':
        return initialise_recurrence(UNITS, theta, generator)
    if method == 'snail':
        return initialise_attention(8, WINDOW, theta, generator)
    return initialise_gaussian_context(8, UNITS, theta, generator)


def write_golden(method: str, learner: ContextLearner, generator: torch.Generator) -> None:
    """Write a bundle, and beside it a window, what becomes of the bias, and rollouts under it."""
    folder, theta, robot = DATA / f'golden_{method}', learner.theta, RobotConfig()
    write_bundle(
        folder, learner, method=method, robot=robot, window=WINDOW,
        data={'origin': 'golden'}, training={'script': 'test/learning/make_golden_rebal.py'},
    )  # fmt: skip
    mask = torch.ones(WINDOW)
    mask[:2] = 0
    while True:  # until the encoder, which nobody trained, happens to explain a window better than none
        changes = torch.tensor(TARGET_SCALE) * torch.randn(WINDOW, 1, 8, generator=generator)
        trail = integrate(random_states(generator, 1), changes, robot.dt, LAYOUT)[:, 0]
        actions = 35 + 12 * torch.randn(WINDOW, 2, generator=generator)
        given = (trail[:-1], actions, trail[1:], mask)
        bias, before, after, taken = ContextGraph(NORMALISATION, learner.encoder, LAYOUT)(*theta, *given)
        if taken:
            break
    adapted = [theta[0], bias, *theta[2:]]
    candidates = 35 + 12 * torch.randn(HORIZON, CANDIDATES, 2, generator=generator)
    rollout = roll_out(adapted, NORMALISATION, trail[-1], candidates, robot.dt)
    np.savez(
        folder / 'expected.npz',
        states=trail[:-1], actions=actions, next_states=trail[1:], mask=mask, candidates=candidates,
        rollout=rollout, bias=bias, report=torch.stack([before, after, taken]),
    )  # fmt: skip


if __name__ == '__main__':
    main()
