"""Walk generated paths on the mock, in lock-step."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from millirobot_adapt.benchmarks.paths.generated import KINDS, generated
from millirobot_adapt.benchmarks.paths.judge import JudgedWalk, judge
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.files import make_folder, whole_file
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.experiments.episode import EpisodeSpec
from millirobot_adapt.experiments.grid import run_episodes
from millirobot_adapt.experiments.runner import run_episode
from millirobot_adapt.experiments.store import Store
from millirobot_adapt.sim.conditions import Condition

SLOWEST = 0.1
"""A walk may take as long as the robot needs at this speed [m/s] ..."""
SPARE = 5.0
"""... and this much longer [s]."""


@dataclass(frozen=True)
class PathBench:
    """What is walked."""

    controller: ControllerConfig
    estimator: EstimatorNodeConfig
    condition: Condition
    """Floor, noise, and where the robot starts from the start of each path."""
    kinds: Sequence[str] = tuple(KINDS)
    paths: int = 5
    """Paths of each kind."""
    seeds: int = 5
    """Walks along each path."""
    points: int | None = None
    """Of each path; None: from few to many."""


def bench_paths(bench: PathBench, out: Path | None = None, jobs: int = -1) -> list[JudgedWalk]:
    """Walk every path with every seed.

    Args:
        bench: What is walked.
        out: Keeps the paths, and each walk as it ends; the same again goes on where it was. None: nothing is kept.
        jobs: Walks at a time; -1: one for each core.

    Raises:
        UserError: the model is missing, the folder cannot be written.
    """
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return bench_paths(bench, Path(folder), jobs)
    dt = load_robot(bench.controller.robot).dt
    specs = list_specs(bench, out / 'paths')
    return [judge(episode, dt) for episode in run_episodes(specs, run_episode, jobs=jobs, store=Store(out / 'walks'))]


def list_specs(bench: PathBench, folder: Path) -> list[EpisodeSpec]:
    """Write the paths as CSV files into `folder`, and list their walks: every path once for each seed."""
    make_folder(folder)
    # One thread serves the engine: sums split over threads could round differently.
    engine = replace(bench.controller.engine, threads=1)
    laid = []
    for kind in bench.kinds:
        for number in range(bench.paths):
            path = generated(kind, number, bench.points)
            file = folder / f'{path.name}.csv'
            with whole_file(file) as written:
                np.savetxt(written, path.waypoints, fmt='%.17g', delimiter=',', header='x,y', comments='')
            controller = replace(bench.controller, path=str(file), anchor='world', engine=engine)
            laid.append((path.length, controller, _at_start(bench.condition, path)))
    return [
        EpisodeSpec(
            method=Path(controller.model).name,
            training_seed=0,
            condition=condition,
            seed=seed,
            seconds=length / SLOWEST + SPARE,
            controller=replace(controller, seed=seed),
            estimator=bench.estimator,
        )
        for seed in range(bench.seeds)
        for length, controller, condition in laid
    ]


def _at_start(condition: Condition, path: ReferencePath) -> Condition:
    """Return the condition with its start pose counted from the start of the path, x along its first 10 cm."""
    origin, ahead = path.at(np.array([0.0, 0.1]))
    yaw = float(np.arctan2(*(ahead - origin)[::-1]))
    cos, sin = np.cos(yaw), np.sin(yaw)
    x, y = condition.start_x, condition.start_y
    return replace(
        condition,
        start_x=float(origin[0] + cos * x - sin * y),
        start_y=float(origin[1] + sin * x + cos * y),
        start_yaw=float((yaw + condition.start_yaw + np.pi) % (2 * np.pi) - np.pi),
    )
