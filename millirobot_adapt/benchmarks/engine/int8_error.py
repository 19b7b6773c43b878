"""How far int8 moves the rollouts of a trained, adapted model from those of fp32."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.learning.collect import CollectConfig, collect

EVERY = 10
"""Ticks between two windows of a rollout of the mock."""


def measure_int8_error(
    model: str, robot: RobotConfig, horizon: int, chunk: int, minutes: float, seed: int
) -> FloatArray:
    """Return for each step of the horizon the 95th percentile of int8's error of position, relative to the way gone.

    States and windows come from the mock under a random policy, candidates evenly from the range of actions; the
    difference in position counts relative to the displacement since the start, by fp32.

    Raises:
        UserError: no such model, or it lacks a graph.
    """
    bundle = load_bundle(model, robot)
    exact, coarse = (make_method(bundle, EngineConfig(name=name, threads=1)) for name in ('fp32', 'int8'))
    rollouts = collect(CollectConfig(minutes=minutes, rollout_seconds=15.0, seed=seed), robot)
    rng = generator(seed)
    errors = []
    for states, actions in zip(rollouts.states.astype(float), rollouts.actions.astype(float), strict=True):
        for now in range(bundle.window, len(actions), EVERY):
            past = slice(now - bundle.window, now)
            window = Window(states[past], actions[past], states[past.start + 1 : now + 1], np.ones(bundle.window))
            candidates = rng.uniform(robot.action_low, robot.action_high, (horizon, chunk, robot.layout.nu))
            candidates[0] = actions[now]
            one, two = (
                method.adapt(window).model.rollout(states[now], candidates)[..., 0:2] for method in (exact, coarse)
            )
            errors.append(np.linalg.norm(two[1:] - one[1:], axis=-1) / np.linalg.norm(one[1:] - one[:1], axis=-1))
    return np.asarray(np.percentile(np.concatenate(errors, axis=1), 95, axis=1))
