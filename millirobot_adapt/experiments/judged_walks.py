"""Judge a model by walks that are the same for every model: paths in turn, each with a seed of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.share import find
from millirobot_adapt.experiments.episode import EpisodeSpec, summarise_episode
from millirobot_adapt.experiments.runner import run_episode
from millirobot_adapt.sim.conditions import Condition

_JUDGE = 2  # key of generators
JUDGED = ('figure8_small', 'left', 'straight')
"""Paths by which a model is judged; on a zigzag the costs of one model scatter more than models differ."""
SECONDS = 15.0
"""Longest walk [s]."""
SAMPLES = 100
"""K of the planner, which is given less to do than live."""


@dataclass(frozen=True)
class JudgedWalks:
    """Walks in lock-step with the mock. Equal ones meet the same noise, so costs of two models are pairs."""

    robot: str
    condition: Condition
    count: int
    seed: int = 0


def judge(walks: JudgedWalks, bundle: Path | str, walked: Callable[[], object] = lambda: None) -> list[float]:
    """Return the cost of a step in each of the walks.

    Args:
        walks: What is walked.
        bundle: The model that walks: a folder, or a name under models/.
        walked: Called after each walk.

    Raises:
        UserError: no such model or robot, or the model is for another robot.
    """
    dt, costs = load_robot(walks.robot).dt, []
    for number in range(walks.count):
        shape = JUDGED[number % len(JUDGED)]
        seed = int(generator(walks.seed, _JUDGE, number).integers(2**31))
        controller = learned_controller(walks.robot, str(bundle), shape, seed)
        spec = EpisodeSpec('learned', 0, walks.condition, seed, SECONDS, controller, EstimatorNodeConfig())
        found = summarise_episode(run_episode(spec).table, dt)
        # A walk that ended in its first tick has no cost; it must not pass for a good one.
        costs.append(found.cost if found else float('inf'))
        walked()
    return costs


def learned_controller(robot: str, bundle: str, shape: str, seed: int) -> ControllerConfig:
    """Return the shipped controller with this model, path and seed, one thread, and `SAMPLES` candidates.

    Raises:
        UserError: no such robot.
    """
    shipped = read_params(find('params', 'controller', '.yaml'), 'controller', ControllerConfig)
    dt = load_robot(robot).dt
    return replace(
        shipped, robot=robot, model=bundle, method='', path=shape, seed=seed,
        planner=replace(shipped.planner, samples=SAMPLES, batch=SAMPLES),
        engine=replace(shipped.engine, threads=1), deadline=min(shipped.deadline, 0.9 * dt),
    )  # fmt: skip
