"""Make test/data/golden_{mb,mb_de,grbal_literal,rls,grbal_context}: tiny bundles and what PyTorch makes of a short run.

For tests that need no PyTorch. Run from the repository's root: python test/learning/make_golden_methods.py
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from make_golden_bundle import FEATURE_SCALE, TARGET_SCALE, WINDOW, random_states
from robots import LAYOUT

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.bundle_writer import write_bundle
from millirobot_adapt.learning.graphs import AdaptGraph, ContextAdaptGraph, ContextGraph
from millirobot_adapt.learning.kinematics import body_state, change_of_state, integrate
from millirobot_adapt.learning.methods.grbal_context import GrbalContextLearner
from millirobot_adapt.learning.methods.grbal_literal import GrbalLiteralLearner
from millirobot_adapt.learning.methods.mb import ModelBasedLearner
from millirobot_adapt.learning.methods.mb_de import DynamicEvaluationLearner
from millirobot_adapt.learning.methods.rls import RecursiveLeastSquaresLearner
from millirobot_adapt.learning.methods.step_sizes import StepSizes
from millirobot_adapt.learning.network import Normalisation, forward, initialise
from millirobot_adapt.learning.recurrence import Recurrence, initialise_recurrence
from millirobot_adapt.learning.segments import Segments

DATA = Path(__file__).parents[1] / 'data'
TICKS, HORIZON, CANDIDATES = WINDOW + 3, 4, 3
UNIT_SEED = 6
NORMALISATION = Normalisation(
    torch.tensor((0.25, 0.0, 0.0, 30.0, 30.0, 35.0, 35.0)), torch.tensor(FEATURE_SCALE),
    torch.tensor((0.025, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)), torch.tensor(TARGET_SCALE),
)  # fmt: skip


def models(generator):
    """Return a model for each method, of numbers nobody trained."""
    theta = initialise((7, 8, 8, 8), generator)
    root = torch.randn(8, 8, generator=generator, dtype=torch.float64)
    log_psi = [torch.tensor(0.02 * (index + 1)).log() for index in range(len(theta))]
    return {
        'mb': ModelBasedLearner(NORMALISATION, theta),
        'mb_de': DynamicEvaluationLearner(NORMALISATION, theta, WINDOW, 0.03, guarded=False),
        'grbal_literal': GrbalLiteralLearner(
            replace(NORMALISATION, clip=math.inf), theta, StepSizes(log_psi, guarded=False)
        ),
        'rls': RecursiveLeastSquaresLearner(
            NORMALISATION, 0.2 * torch.randn(8, 8, generator=generator, dtype=torch.float64),
            root @ root.T / 8 + 0.1 * torch.eye(8, dtype=torch.float64), discount=0.9, prior_weight=4.0,
        ),
        'grbal_context': GrbalContextLearner(NORMALISATION, theta, recurrent_unit(theta), StepSizes(log_psi)),
    }  # fmt: skip


def recurrent_unit(theta):
    """Return a unit of 5 numbers with some influence, whose context explains the last window better than none."""
    *tensors, to_network = initialise_recurrence(5, theta, torch.Generator().manual_seed(UNIT_SEED)).tensors()
    return Recurrence.of([*tensors, 5 * to_network])


def adapted(method, model, states, actions):
    """Return theta' after the run, as PyTorch computes it from all transitions at once."""
    past = Segments(
        body_state(states, LAYOUT)[None], actions[None], change_of_state(states[:-1], states[1:], LAYOUT)[None, :, :3]
    )  # fmt: skip
    if method == 'mb':
        return model.theta
    if method == 'mb_de':
        return [part[0] if part.shape[1] > 1 else part[0, 0] for part in model.carried(past)]
    if method == 'rls':
        weights = model.fitted(past)[0].float()
        return [weights[:-1], weights[-1]]
    rows = slice(TICKS - WINDOW, TICKS)
    window = states[:-1][rows], actions[rows], states[1:][rows], torch.ones(WINDOW)
    if method == 'grbal_context':
        taken = ContextGraph(model.normalisation, model.encoder, LAYOUT)(*model.theta, *window)[-1]
        assert taken, 'the context is refused: choose another UNIT_SEED'
        graph = ContextAdaptGraph(model.normalisation, model.encoder, model.sizes.step, LAYOUT)
        return graph(*model.theta, *window)[:-4]
    return AdaptGraph(model.normalisation, model.sizes.step, LAYOUT)(*model.theta, *window)[:-4]


@torch.no_grad()
def main() -> None:
    """Write the bundles and the arrays."""
    generator = torch.Generator().manual_seed(0)
    robot = RobotConfig()
    for method, model in models(generator).items():
        folder = DATA / f'golden_{method}'
        write_bundle(
            folder, model, method=method, robot=robot, window=WINDOW,
            data={'origin': 'golden'}, training={'script': 'test/learning/make_golden_methods.py'},
        )  # fmt: skip
        changes = 1.5 * torch.tensor(TARGET_SCALE) * torch.randn(TICKS, 1, 8, generator=generator)
        states = integrate(random_states(generator, 1), changes, robot.dt, LAYOUT)[:, 0]
        actions = 35 + 25 * torch.randn(TICKS, 2, generator=generator)
        theta = adapted(method, model, states, actions)
        candidates = 35 + 25 * torch.randn(HORIZON, CANDIDATES, 2, generator=generator)
        predicted = [states[-1].repeat(CANDIDATES, 1)]
        for action in candidates:
            outputs = forward(theta, model.normalisation.features(body_state(predicted[-1], LAYOUT), action))
            predicted.append(integrate(predicted[-1], model.normalisation.change(outputs)[None], robot.dt, LAYOUT)[1])
        names = model.parts(WINDOW, robot).theta
        np.savez(
            folder / 'expected.npz', states=states, actions=actions, candidates=candidates,
            rollout=torch.stack(predicted), **dict(zip(names, theta, strict=True)),
        )  # fmt: skip


if __name__ == '__main__':
    main()
