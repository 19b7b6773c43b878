"""Collect rollouts of the mock robot under the random policy, through packets and the estimator, as live."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from millirobot_adapt import __version__
from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.control.random_policy import RandomPolicy
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.rollout_file import LAYOUT, CollectedRollouts, concatenate, mark_valid
from millirobot_adapt.sim.conditions import Condition, load_condition
from millirobot_adapt.sim.lockstep import NoEstimateError, Observation
from millirobot_adapt.sim.lockstep_robots import SteppedRobot, make_stepped, training_conditions

_CONDITION, _POLICY = 1, 2  # keys of a rollout's generators


class CollectConfig(Config):
    """What is collected."""

    minutes: float = param(60.0, 'Simulated time in all.', unit='min', low=0.01)
    rollout_seconds: float = param(
        20.0, 'Length of each rollout, which has hidden conditions of its own.', unit='s', low=1.0
    )
    radius: float = param(1.0, 'Safety circle around the origin.', unit='m', low=0.2)
    seed: int = param(0, 'Seed of conditions, policy and mock.', low=0)
    jobs: int = param(1, 'Processes.', low=1)
    condition: str = param('', 'Collect under this condition, looking anywhere at the start; empty: drawn ones.')


Sampler = Callable[[np.random.Generator], Condition]


def collect(config: CollectConfig, robot: RobotConfig, sampler: Sampler | None = None) -> CollectedRollouts:
    """Collect rollouts; equal configurations give equal data.

    Each is under a condition drawn by `sampler`, which is by default what the configuration says.

    Raises:
        UserError: the condition is missing or bad.
    """
    sampler = sampler or _sampler(config.condition, robot)
    length = round(config.rollout_seconds / robot.dt)
    count = max(1, round(60 * config.minutes / config.rollout_seconds))
    tasks = (joblib.delayed(_rollout)(config, robot, sampler, length, index) for index in range(count))
    made = joblib.Parallel(n_jobs=config.jobs, return_as='generator')(tasks)
    rollouts = list(tqdm(made, total=count, desc='collecting', unit='rollout', disable=None))
    return concatenate(rollouts, describe(config, robot))


def _sampler(name: str, robot: RobotConfig) -> Sampler:
    """Draw conditions for training, or take a named one and draw where the robot looks at the start."""
    return functools.partial(_look_anywhere, load_condition(name)) if name else training_conditions(robot)


def _look_anywhere(condition: Condition, rng: np.random.Generator) -> Condition:
    return dataclasses.replace(condition, start_yaw=float(rng.uniform(-np.pi, np.pi)))


def _rollout(config: CollectConfig, robot: RobotConfig, sampler: Sampler, length: int, index: int) -> CollectedRollouts:
    """Run one rollout; it is shorter than `length` where the estimator gives no estimate any more."""
    condition = sampler(generator(config.seed, index, _CONDITION))
    policy = RandomPolicy(robot.layout, config.radius, generator(config.seed, index, _POLICY))
    mock = make_stepped(robot, condition, make_estimator(EstimatorConfig(), robot), seed=config.seed * 100_003 + index)
    observations = walk_at_random(mock, policy, length)
    states = np.array([[seen.state for seen in observations]], dtype=np.float32)
    actions = np.array([seen.sent for seen in observations[1:]], dtype=np.float32).reshape(1, -1, robot.layout.nu)
    stamps = np.array([[seen.stamp for seen in observations]])
    return CollectedRollouts(states, actions, stamps, mark_valid(states, stamps, robot.dt), {})


def walk_at_random(mock: SteppedRobot, policy: RandomPolicy, ticks: int) -> list[Observation]:
    """Walk a mock at random; return what was seen at its start and after each tick.

    The walk ends early where the estimator gives no estimate any more, as it does live.
    """
    seen = [mock.reset()]
    with suppress(NoEstimateError):
        for _ in range(ticks):
            seen.append(mock.step(policy.act(seen[-1].state)))
    return seen


def describe(config: CollectConfig, robot: RobotConfig) -> dict[str, Any]:
    """Say where rollouts come from that `collect` makes: their metadata, equal to what is read back from their file."""
    values = dataclasses.asdict(config)
    del values['jobs']  # how fast it was made, not what
    described = {
        'origin': 'mock',
        'robot': robot.name,
        'dt': robot.dt,
        LAYOUT: robot.layout.record(),
        'version': __version__,
        'estimator': EstimatorConfig().method,
        **values,
    }
    plain: dict[str, Any] = json.loads(json.dumps(described))  # lists instead of tuples, as in the file
    return plain
