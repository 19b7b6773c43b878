"""Do a bag again without ROS: estimate its states, adapt to them, predict and, where there is a path, plan.

With the parameters and the model of the run this gives what the run did (`check.py` proves it); with others, what they
would have done at each tick of what happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.analysis.replay.live_parameters import Retuner
from millirobot_adapt.analysis.replay.open_loop import ErrorsByHorizon, open_loop_errors, pool
from millirobot_adapt.analysis.replay.rollouts import Rollout, read_rollouts
from millirobot_adapt.analysis.replay.tick_table import TickTable, tick_table
from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.tick_result import TickResult
from millirobot_adapt.core.control.wiring import Assembly
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.planning.paths import ReferencePath, make_path
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION
from millirobot_adapt.core.robot.state import FloatArray, StateView
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.run_setup import Changes, recorded_setup

VERSION = 2
LONGEST_STEP = 1.0
"""States that are further apart are not one walk [s]."""


@dataclass(frozen=True)
class ReplayOptions:
    """What to replay, and how."""

    bag: Path
    changes: Changes = Changes()
    trajectory: str = ''
    """Path to plan along: a shape or a CSV, laid from where each rollout starts; '': the bag's own, if it has one."""
    plan: bool = True
    """False: do not plan, whatever the bag holds."""
    namespace: str | None = None
    """Namespace of the robot, where the bag holds several."""
    strict: bool = False
    """Make an error of what is not read."""
    table: bool = False
    """Keep what `Replay.table` needs, a few kilobytes a tick."""


@dataclass(frozen=True)
class Replay:
    """What came out."""

    figures: dict[str, Any]
    """Plain values, see `replay`."""
    rollouts: list[Rollout]
    errors: list[ErrorsByHorizon]
    """Of each rollout."""
    planned: list[dict[int, TickResult]]
    """Of each rollout, by the number of the state."""

    @cached_property
    def table(self) -> TickTable:
        """The same tick by tick; `ReplayOptions.table` must have asked for it."""
        return tick_table(self.rollouts, self.errors, self.planned)


def replay(options: ReplayOptions) -> Replay:
    """Replay a bag; the figures are what `millirobot replay --json` prints.

    Keys: version, bag, parameters (where they were found), model, method, rollouts (each: name, ticks, errors by H in
    ticks: predictions, position_m and heading_rad, each before and after adaptation), all (errors of all rollouts
    together), planning (null, or see `_planning_figures`), warnings, duration_s (of walking), predict_s (time to read,
    estimate, adapt and predict), elapsed_s (with planning).

    Raises:
        UserError: the bag is not there, not readable or lacks a needed topic; model, robot, path or parameters do not
            fit.
    """
    began = time.perf_counter()
    bag = open_bag(options.bag, namespace=options.namespace, strict=options.strict)
    setup = recorded_setup(bag, options.changes)
    assembly = setup.assemble()
    rollouts = read_rollouts(
        bag, lambda: make_estimator(setup.estimator, setup.robot), setup.robot.dt, setup.controller.path
    )
    errors = _errors(rollouts, assembly, options.table)
    predicted = time.perf_counter()
    planned = _plan(rollouts, assembly, options, setup.kept) if options.plan else [{} for _ in rollouts]
    figures = {
        'version': VERSION,
        'bag': str(options.bag),
        'parameters': setup.source,
        'model': assembly.bundle.path.name,
        'method': assembly.details['method'],
        'rollouts': [
            {'name': rollout.name, 'ticks': len(rollout.stamps), 'errors': _summary(entry)}
            for rollout, entry in zip(rollouts, errors, strict=True)
        ],
        'all': _summary(pool(errors)),
        'planning': _planning_figures(rollouts, planned),
        'warnings': list(bag.warnings),
        'duration_s': round(sum(_walked(rollout.stamps) for rollout in rollouts), 3),
        'predict_s': round(predicted - began, 3),
        'elapsed_s': round(time.perf_counter() - began, 3),
    }
    return Replay(figures, rollouts, errors, planned)


def _walked(stamps: FloatArray) -> float:
    """Return how long a rollout lasted, gaps in it left out [s]."""
    steps = np.diff(stamps)
    return float(steps[steps < LONGEST_STEP].sum())


def _summary(errors: ErrorsByHorizon) -> dict[str, Any]:
    return {str(horizon): entry.summary() for horizon, entry in errors.items()}


def _errors(rollouts: list[Rollout], assembly: Assembly, keep: bool) -> list[ErrorsByHorizon]:
    config, robot = assembly.config, assembly.robot
    # One sequence a rollout is too little work to share among threads.
    method = make_method(assembly.bundle, replace(config.engine, threads=1), config.method)
    with _bar('adapting and predicting', rollouts) as bar:
        return [open_loop_errors(rollout, method, robot.dt, robot.layout, bar.update, keep) for rollout in rollouts]


def _plan(
    rollouts: list[Rollout], assembly: Assembly, options: ReplayOptions, kept: frozenset[str]
) -> list[dict[int, TickResult]]:
    """Plan at the states of each rollout that has a path; returns the results by number of the state.

    Live parameters are those of each tick, but for the ones in `kept`.
    """
    planned: list[dict[int, TickResult]] = []
    revisions = next((rollout.revisions for rollout in rollouts if rollout.revisions), {})
    retuner = Retuner(assembly, revisions, kept)
    with _bar('planning', rollouts) as bar:
        for rollout in rollouts:
            path = _laid(options.trajectory, rollout.states[0]) if options.trajectory else rollout.path
            found: dict[int, TickResult] = {}
            if path is not None:
                assembly.loop.restart(path)
                step = _live_tick if rollout.records else _log_tick
                found = _steps(rollout, step, assembly, retuner, bar.update)
            planned.append(found)
    return planned


def _bar(title: str, rollouts: list[Rollout]) -> tqdm[Any]:
    ticks = sum(len(rollout.stamps) for rollout in rollouts)
    return tqdm(total=ticks, desc=title, unit=' ticks', disable=None, leave=False)


def _laid(trajectory: str, state: FloatArray) -> ReferencePath:
    view = StateView(state)
    return make_path(trajectory).placed(float(view.position[0]), float(view.position[1]), float(view.yaw))


Step = Callable[[ControlLoop, Rollout, int, FloatArray], 'TickResult | None']


def _steps(
    rollout: Rollout, step: Step, assembly: Assembly, retuner: Retuner, on_tick: Callable[[], object]
) -> dict[int, TickResult]:
    results = {}
    for k in range(len(rollout.stamps)):
        record = rollout.record(k)
        if record is not None:
            retuner.tune(record)
        result = step(assembly.loop, rollout, k, assembly.robot.action_low)
        if result is not None:
            results[k] = result
        on_tick()
    return results


def _live_tick(loop: ControlLoop, rollout: Rollout, k: int, _: FloatArray) -> TickResult | None:
    """Plan as the live tick of this state did: with its number, its randomness and the actions it knew of."""
    record = rollout.record(k)
    if record is None:
        return None
    sent = record.sent if np.isfinite(record.sent).all() else None
    return loop.step(int(record.tick), record.state_stamp, rollout.states[k], sent, record.executing)


def _log_tick(loop: ControlLoop, rollout: Rollout, k: int, slowest: FloatArray) -> TickResult | None:
    """Plan at a state of an imported log but the last; where an action is not known the slowest gait stands for it."""
    if k == len(rollout.stamps) - 1:
        return None
    before = rollout.actions[k - 1] if k and np.isfinite(rollout.actions[k - 1]).all() else None
    executing = rollout.actions[k] if np.isfinite(rollout.actions[k]).all() else slowest
    return loop.step(k, float(rollout.stamps[k]), rollout.states[k], before, executing)


def _planning_figures(rollouts: list[Rollout], planned: list[dict[int, TickResult]]) -> dict[str, Any] | None:
    """Return ticks, cost_per_step on the re-estimated poses, work_ms, action_difference_rev_s from what was sent next.

    And `recorded`, null for imported logs: the live run's cost_per_step and work_ms, same_actions (ticks whose next
    action is the recorded one bit for bit), action_difference_rev_s from the recorded ones, and the mean error of
    predicting the next transition before and after adaptation: pre_error and post_error, each recorded and replayed.
    """
    every = [
        (rollout, k, result)
        for rollout, results in zip(rollouts, planned, strict=True)
        for k, result in results.items()
    ]
    if not every:
        return None
    following = [(r.next_action, rollout.actions[k + 1]) for rollout, k, r in every if k + 1 < len(rollout.actions)]
    return {
        'ticks': len(every),
        'cost_per_step': _mean([result.tracking.step_cost for _, _, result in every]),
        'work_ms': _mean([result.work_ms for _, _, result in every], 3),
        'action_difference_rev_s': _rms_difference(following),
        'recorded': _against_record(every),
    }


def _against_record(every: list[tuple[Rollout, int, TickResult]]) -> dict[str, Any] | None:
    pairs = [(record, result) for rollout, k, result in every if (record := rollout.record(k)) is not None]
    if not pairs:
        return None
    actions = [(result.next_action, record.plan_actions[1]) for record, result in pairs]
    return {
        'ticks': len(pairs),
        'cost_per_step': _mean([record.step_cost for record, _ in pairs]),
        'work_ms': _mean([record.work_ms for record, _ in pairs], 3),
        'same_actions': sum(bool(np.array_equal(again, recorded)) for again, recorded in actions),
        'action_difference_rev_s': _rms_difference(actions),
        'pre_error': {
            'recorded': _mean([record.pre_error for record, _ in pairs]),
            'replayed': _mean([result.pre_error for _, result in pairs]),
        },
        'post_error': {
            'recorded': _mean([record.post_error for record, _ in pairs]),
            'replayed': _mean([result.post_error for _, result in pairs]),
        },
    }


def _mean(values: list[float], digits: int = 6) -> float | None:
    finite = [value for value in values if np.isfinite(value)]
    return round(float(np.mean(finite)), digits) if finite else None


def _rms_difference(pairs: list[tuple[FloatArray, FloatArray]]) -> float | None:
    """Return the root mean square difference of pairs of actions [rev/s]; unknown ones are left out."""
    squares = [np.mean((one - other) ** 2) for one, other in pairs if np.isfinite(other).all()]
    return round(float(np.sqrt(np.mean(squares))) / RADIANS_PER_REVOLUTION, 6) if squares else None
