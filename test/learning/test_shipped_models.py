"""The shipped models on a robot none of them has seen: a middle leg is missing. No PyTorch needed."""

from dataclasses import replace

import numpy as np
import pytest
from robots import LAYOUT

from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.dynamics.targets import change_of_state
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.learning.collect import CollectConfig, collect
from millirobot_adapt.sim.conditions import Fault, sample_training_condition

HORIZON, EVERY = 15, 8


def missing_middle_leg(rng):
    leg = ('middle_left', 'middle_right')[rng.integers(2)]
    return replace(sample_training_condition(rng), faults=(Fault('missing_legs', (leg,)),))


@pytest.fixture(scope='module')
def errors():
    """Root mean square errors by model: one-step (normalised), position [m] and heading [rad] at the horizon."""
    robot = load_robot('velociroach')
    rollouts = collect(CollectConfig(minutes=1.0, rollout_seconds=15.0, seed=77), robot, missing_middle_leg)
    bundles = {name: load_bundle(f'velociroach_{name}', robot) for name in ('mb', 'grbal')}
    mb, grbal = (make_method(bundle, EngineConfig(threads=1)) for bundle in bundles.values())
    found = {'mb': [], 'theta*': [], 'adapted': []}
    for states, actions in zip(rollouts.states.astype(float), rollouts.actions.astype(float), strict=True):
        for now in range(grbal.window_length, len(actions) - HORIZON, EVERY):
            past, future = slice(now - grbal.window_length, now), slice(now, now + HORIZON)
            rows = np.ones(grbal.window_length)
            window = Window(states[past], actions[past], states[past.start + 1 : now + 1], rows)
            models = {'mb': mb.prior, 'theta*': grbal.prior, 'adapted': grbal.adapt(window).model}
            for name, model in models.items():
                predicted = model.rollout(states[now], actions[future][:, None]).astype(float)[:, 0]
                one_step = bundles['grbal'].prediction_error(predicted[1], states[now + 1], states[now])
                missed = change_of_state(LAYOUT, predicted[-1], states[now + HORIZON])
                found[name].append([one_step, np.hypot(*missed[:2]), missed[2]])
    return {name: np.sqrt(np.mean(np.square(rows), axis=0)) for name, rows in found.items()}


def test_one_step_error_falls(errors):
    assert errors['adapted'][0] < 0.95 * errors['theta*'][0]


def test_open_loop_error_falls_below_theta_star_and_mb(errors):
    for quantity in (1, 2):
        assert errors['adapted'][quantity] < 0.9 * errors['theta*'][quantity]
        assert errors['adapted'][quantity] < 0.9 * errors['mb'][quantity]
