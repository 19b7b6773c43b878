"""Walk with a model that is being trained, to learn from where it leads (Algorithm 9, lines 3 to 7)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import joblib
from tqdm import tqdm

from millirobot_adapt import __version__
from millirobot_adapt.core.config import Config, param, read_params
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.share import find
from millirobot_adapt.experiments.recorded_robot import RecordedRobot
from millirobot_adapt.experiments.runner import walk
from millirobot_adapt.learning.rollout_file import CollectedRollouts, Walk, cut_walks
from millirobot_adapt.sim.conditions import Condition, load_condition
from millirobot_adapt.sim.lockstep_robots import make_stepped, training_conditions


class OnPolicyConfig(Config):
    """What is walked between two rounds of training."""

    minutes: float = param(5.0, 'Simulated time walked before each further round.', unit='min', low=0.01, high=1000.0)
    seconds: float = param(20.0, 'Length of a walk.', unit='s', low=2.0)
    shapes: tuple[str, ...] = param(('figure8', 'left', 'straight', 'zigzag'), 'Paths, one drawn for each walk.')
    samples: int = param(100, 'K of the planner, which is given less to do than live.', low=1, high=10_000)
    condition: str = param('', 'Walk under this condition; empty: each walk under one drawn as for training data.')
    seed: int = param(0, 'Seed of conditions, mock and planner.', low=0)
    jobs: int = param(1, 'Processes.', low=1)


def walk_on_policy(config: OnPolicyConfig, robot_name: str, bundle: Path, number: int) -> CollectedRollouts:
    """Walk with a bundle on the mock, before the round `number` of training.

    Raises:
        UserError: the bundle, the condition or a path is missing or bad.
    """
    robot = load_robot(robot_name)
    named = load_condition(config.condition) if config.condition else None
    count = max(1, round(60 * config.minutes / config.seconds))
    tasks = (joblib.delayed(_walk)(config, robot_name, named, bundle, number, index) for index in range(count))
    made = joblib.Parallel(n_jobs=config.jobs, return_as='generator')(tasks)
    walks = list(tqdm(made, total=count, desc=f'walking, round {number}', unit='walk', disable=None))
    metadata = {
        'origin': 'mock', 'robot': robot.name, 'dt': robot.dt, 'version': __version__,
        'estimator': EstimatorConfig().method, 'on_policy_round': number, 'minutes': config.minutes,
        'seed': config.seed, 'condition': config.condition,
    }  # fmt: skip
    return cut_walks(walks, round(config.seconds / robot.dt), robot, metadata)


def _walk(
    config: OnPolicyConfig, robot_name: str, named: Condition | None, bundle: Path, number: int, index: int
) -> Walk:
    rng = generator(config.seed, number, index)
    robot = load_robot(robot_name)
    condition = named or training_conditions(robot)(rng)
    seed = int(rng.integers(2**31))
    shape = str(rng.choice(config.shapes))
    recorded = RecordedRobot(make_stepped(robot, condition, make_estimator(EstimatorConfig(), robot), seed))
    shipped = read_params(find('params', 'controller', '.yaml'), 'controller', ControllerConfig)
    controller = replace(
        shipped, robot=robot_name, model=str(bundle), method='', path=shape, seed=seed,
        planner=replace(shipped.planner, samples=config.samples, batch=config.samples),
        engine=replace(shipped.engine, threads=1),
    )  # fmt: skip
    walk(recorded, assemble(controller).loop, make_path(shape), round(config.seconds / robot.dt))
    return recorded.walk()
