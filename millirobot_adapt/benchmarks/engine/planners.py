"""Quality per sample: what a plan costs, and how well the robot walks, against the number of candidates it took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from millirobot_adapt.analysis.statistics import Comparison, compare
from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.control.wiring import Assembly, ControllerConfig, assemble
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.planning.objective import TrackingObjective
from millirobot_adapt.core.planning.optimize import unlimited
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig, make_planner
from millirobot_adapt.core.planning.planner_interface import Objective, Rollout
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.share import find
from millirobot_adapt.experiments.runner import walk
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.lockstep_robots import SteppedRobot, make_stepped

WALKS = (
    (Condition(name='new on carpet'), 'figure8'),
    (Condition(name='styrofoam', terrain='styrofoam'), 'zigzag'),
    (Condition(name='worn', wear=(0.3, 0.1, 0.4, 0.1, 0.2, 0.0), start_y=0.05, start_yaw=0.2), 'left'),
)
"""Conditions and shapes of the walks on which planners are compared."""
UNSETTLED = 3
"""First ticks of a walk that do not count: nothing is known of the robot yet."""
PLANNERS = ('random_shooting_hold_1', 'random_shooting', 'mppi', 'icem')
BASELINE = ('random_shooting', 2000)
"""What the others are compared with."""


@dataclass(frozen=True)
class PlannerBench:
    """How much to measure."""

    model: str = 'velociroach_grbal'
    params: str = 'controller.yaml'
    samples: tuple[int, ...] = (50, 100, 200, 500, 1000, 2000)
    seeds: int = 2
    """Of each pair of condition and shape."""
    plan_ticks: int = 40
    """Ticks of each walk that are planned again."""
    walk_seconds: float = 0.0
    """Length of each walk in closed loop [s]; 0: none is walked."""


@dataclass(frozen=True)
class Quality:
    """How good one planner is with one number of samples, walk by walk."""

    planner: str
    samples: int
    plan_cost: FloatArray
    """Mean cost of its plans on each recorded walk, shape (walks,)."""
    walk_cost: FloatArray
    """Mean cost of a step where it drives the robot itself, shape (walks,); empty where it does not."""


def bench_planners(bench: PlannerBench, tell: Callable[[], object]) -> list[Quality]:
    """Measure every planner with every number of samples; `tell` is called `steps(bench)` times on the way.

    Plans: walks of the default planner are recorded, and each planner plans through them tick by tick, from the same
    states, with the same adapted models, from its own plan of the tick before. Walks: it drives the mock itself.

    Raises:
        UserError: there is no such model or parameter file.
    """
    recorded = []
    for condition, shape, seed in _walks(bench):
        recorded.append(_record(bench, condition, shape, seed))
        tell()
    found = []
    for planner, samples in _contestants(bench):
        config = planner_config(_config(bench).planner, planner, samples)
        costs = [_plan_through(calls, robot, config, number) for number, (calls, robot) in enumerate(recorded)]
        tell()
        walked = []
        for condition, shape, seed in _walks(bench) if bench.walk_seconds else ():
            walked.append(_walk_cost(bench, config, condition, shape, seed))
            tell()
        found.append(Quality(planner, samples, np.array(costs), np.array(walked)))
    return found


def steps(bench: PlannerBench) -> int:
    """Return how often `bench_planners` reports progress."""
    walks = len(_walks(bench))
    return walks + len(_contestants(bench)) * (1 + (walks if bench.walk_seconds else 0))


def horizon_of(bench: PlannerBench) -> int:
    """Return H of the plans."""
    return _config(bench).planner.horizon


def planner_config(config: PlannerConfig, planner: str, samples: int) -> PlannerConfig:
    """Return the parameters of a contestant, all of whose candidates fit one batch.

    `random_shooting` has the hold of the parameters, `random_shooting_hold_1` independent actions, as on the robot.
    """
    if planner == 'random_shooting_hold_1':
        config = replace(config, hold=1)
    return replace(config, method=planner.removesuffix('_hold_1'), samples=samples, batch=max(config.batch, samples))


def against_baseline(found: Sequence[Quality], quality: Quality) -> tuple[Comparison, Comparison | None]:
    """Compare plans, and walks where there are any, with random shooting at 2000 samples (or the most there are)."""
    planner, wanted = BASELINE
    base = min((each for each in found if each.planner == planner), key=lambda each: abs(each.samples - wanted))
    walks = compare(quality.walk_cost, base.walk_cost) if len(quality.walk_cost) else None
    return compare(quality.plan_cost, base.plan_cost), walks


@dataclass(frozen=True)
class Call:
    """What a planner was asked in one tick of a walk."""

    rollout: Rollout
    objective: Objective
    executing: FloatArray


def _walks(bench: PlannerBench) -> list[tuple[Condition, str, int]]:
    return [(condition, shape, seed) for condition, shape in WALKS for seed in range(bench.seeds)]


def _contestants(bench: PlannerBench) -> list[tuple[str, int]]:
    return [(planner, samples) for planner in PLANNERS for samples in bench.samples]


def _config(bench: PlannerBench) -> ControllerConfig:
    config = read_params(find('params', bench.params), 'controller', ControllerConfig)
    return replace(config, model=bench.model, anchor='world')


def _robot(assembly: Assembly, condition: Condition, seed: int) -> SteppedRobot:
    estimator_config = read_params(find('params', 'estimator', '.yaml'), 'estimator', EstimatorNodeConfig)
    return make_stepped(assembly.robot, condition, make_estimator(estimator_config, assembly.robot), seed)


def _record(bench: PlannerBench, condition: Condition, shape: str, seed: int) -> tuple[list[Call], RobotConfig]:
    """Walk with the planner of the parameters, and keep what it was asked."""
    assembly = assemble(replace(_config(bench), path=shape, seed=seed))
    path, robot = make_path(shape), _robot(assembly, condition, seed)
    assembly.loop.restart(path)
    observation, executing, calls = robot.reset(), assembly.robot.layout.neutral, []
    for tick in range(UNSETTLED + bench.plan_ticks):
        result = assembly.loop.step(tick, observation.stamp, observation.state, observation.sent, executing)
        objective = TrackingObjective(assembly.config.objective, path, result.tracking.position, assembly.robot.dt)
        calls.append(Call(partial(result.adaptation.model.rollout, result.state), objective, executing))
        observation = robot.step(executing)
        executing = result.next_action
    return calls, assembly.robot


def _plan_through(calls: Sequence[Call], robot: RobotConfig, config: PlannerConfig, seed: int) -> float:
    """Return the mean cost of the plans along a recorded walk."""
    planner, plan, costs = make_planner(config, robot), None, []
    for tick, call in enumerate(calls):
        draw = partial(generator, seed, tick)
        plan = planner.plan(call.rollout, call.objective, call.executing, plan, draw, unlimited)
        costs.append(plan.cost)
    return float(np.mean(costs[UNSETTLED:]))


def _walk_cost(bench: PlannerBench, config: PlannerConfig, condition: Condition, shape: str, seed: int) -> float:
    """Return the mean cost of a step where the planner drives the robot."""
    assembly = assemble(replace(_config(bench), path=shape, seed=seed, planner=config))
    robot = _robot(assembly, condition, seed)
    ticks = round(bench.walk_seconds / assembly.robot.dt)
    # The same weights for every shape, so that their costs add up.
    table, *_ = walk(robot, assembly.loop, make_path(shape), ticks, shape_weights=False)
    return float(table['step_cost'][UNSETTLED:].mean())
