"""Replay a bag without ROS: estimate its states anew, adapt to them, predict and, where there is a path, plan."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.bags.open_loop import ErrorsByHorizon, open_loop_errors, pool
from millirobot_adapt.bags.reader import open_bag
from millirobot_adapt.bags.rollouts import Rollout, Rollouts, read_rollouts
from millirobot_adapt.core.control.loop import TickResult
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.wiring import Assembly, ControllerConfig, assemble
from millirobot_adapt.core.dynamics.factory import make_method
from millirobot_adapt.core.estimation.config import EstimatorConfig
from millirobot_adapt.core.estimation.factory import make_estimator
from millirobot_adapt.core.planning.paths import ReferencePath, make_path
from millirobot_adapt.core.robot import RADIANS_PER_REVOLUTION
from millirobot_adapt.core.state import StateView

VERSION = 1


@dataclass(frozen=True)
class ReplayOptions:
    """What to replay, and how."""

    bag: Path
    controller: ControllerConfig
    estimator: EstimatorConfig
    trajectory: str = ''
    """Path to plan along: a shape or a CSV, laid from where each rollout starts; '': the bag's own, if it has one."""
    plan: bool = True
    """False: do not plan, whatever the bag holds."""


def replay(options: ReplayOptions) -> dict[str, Any]:
    """Replay a bag and return its figures as plain values (what `millirobot replay --json` prints).

    Keys: version, bag, model, method, rollouts (each: name, ticks, errors by H in ticks: predictions, position_m and
    heading_rad, each before and after adaptation), all (errors of all rollouts together), planning (null, or ticks,
    cost_per_step on the re-estimated poses, plan_ms, and against what was recorded: action_difference_rev_s), warnings,
    duration_s, elapsed_s.

    Raises:
        UserError: the bag is not there, not readable or lacks a needed topic; model, robot or path are not there.
    """
    began = time.perf_counter()
    assembly = assemble(options.controller)
    bag = open_bag(options.bag)
    recorded = read_rollouts(bag, lambda: make_estimator(options.estimator, assembly.robot), assembly.robot.dt)
    errors = _errors(recorded, assembly)
    planning = _planning(recorded, assembly, options) if options.plan else None
    return {
        'version': VERSION,
        'bag': str(options.bag),
        'model': assembly.bundle.path.name,
        'method': options.controller.method or assembly.bundle.method,
        'rollouts': [
            {'name': rollout.name, 'ticks': len(rollout.stamps), 'errors': _summary(entry)}
            for rollout, entry in zip(recorded.rollouts, errors, strict=True)
        ],
        'all': _summary(pool(errors)),
        'planning': planning,
        'warnings': list(bag.warnings),
        'duration_s': round(recorded.seconds, 3),
        'elapsed_s': round(time.perf_counter() - began, 3),
    }


def _summary(errors: ErrorsByHorizon) -> dict[str, Any]:
    return {str(horizon): entry.summary() for horizon, entry in errors.items()}


def _errors(recorded: Rollouts, assembly: Assembly) -> list[ErrorsByHorizon]:
    config = assembly.config
    # One sequence a rollout is too little work to share among threads.
    method = make_method(assembly.bundle, replace(config.engine, threads=1), config.method)
    ticks = sum(len(rollout.stamps) for rollout in recorded.rollouts)
    with tqdm(total=ticks, desc='adapting and predicting', unit=' ticks', disable=None, leave=False) as bar:
        return [open_loop_errors(rollout, method, assembly.robot.dt, bar.update) for rollout in recorded.rollouts]


def _planning(recorded: Rollouts, assembly: Assembly, options: ReplayOptions) -> dict[str, Any] | None:
    """Plan at every tick along the path, as the live controller would have from these states."""
    if not options.trajectory and recorded.reference is None:
        return None
    results: list[TickResult] = []
    differences: list[float] = []
    ticks = sum(len(rollout.stamps) for rollout in recorded.rollouts)
    with tqdm(total=ticks, desc='planning', unit=' ticks', disable=None, leave=False) as bar:
        for rollout in recorded.rollouts:
            path = _path(rollout, recorded.reference, options.trajectory)
            for k, result in enumerate(_planned(rollout, path, assembly, recorded.ticks, bar)):
                results.append(result)
                following = rollout.actions[k + 1]
                if np.isfinite(following).all():
                    differences.append(float(np.mean((result.next_action - following) ** 2)))
    if not results:
        return None
    return {
        'ticks': len(results),
        'cost_per_step': round(float(np.mean([result.tracking.step_cost for result in results])), 6),
        'plan_ms': round(float(np.mean([result.plan_ms for result in results])), 3),
        'action_difference_rev_s': _root_mean(differences),
    }


def _root_mean(squares: list[float]) -> float | None:
    return round(float(np.sqrt(np.mean(squares))) / RADIANS_PER_REVOLUTION, 6) if squares else None


def _path(rollout: Rollout, reference: ReferencePath | None, trajectory: str) -> ReferencePath:
    if not trajectory:
        assert reference is not None
        return reference
    view = StateView(rollout.states[0])
    return make_path(trajectory).placed(float(view.position[0]), float(view.position[1]), float(view.yaw))


def _planned(
    rollout: Rollout, path: ReferencePath, assembly: Assembly, ticks: list[TickRecord], bar: tqdm[Any]
) -> list[TickResult]:
    """Plan at each state but the last of a rollout; where an action is not known the slowest gait stands for it."""
    numbers = {round(tick.state_stamp * 1e6): int(tick.tick) for tick in ticks if np.isfinite(tick.state_stamp)}
    assembly.loop.restart(path)
    results = []
    for k in range(len(rollout.stamps) - 1):
        stamp, executing = float(rollout.stamps[k]), rollout.actions[k]
        before = rollout.actions[k - 1] if k and np.isfinite(rollout.actions[k - 1]).all() else None
        executing = executing if np.isfinite(executing).all() else assembly.robot.action_low
        # With the live tick's number the planner draws the live run's random numbers.
        number = numbers.get(round(stamp * 1e6), k)
        results.append(assembly.loop.step(number, stamp, rollout.states[k], before, executing))
        bar.update()
    bar.update()
    return results


def with_model(config: ControllerConfig, model: str, method: str) -> ControllerConfig:
    """Return the configuration with another model bundle and another method where they are not empty."""
    return replace(config, model=model or config.model, method=method or config.method)
