"""Do a bag again without ROS: estimate its states, adapt to them, predict and, where there is a path, plan.

With the parameters and the model of the run this gives what the run did (`check.py` proves it); with others, what they
would have done at each tick of what happened.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.analysis.replay.live_parameters import Retuner
from millirobot_adapt.analysis.replay.open_loop import ErrorsByHorizon, open_loop_errors, pool
from millirobot_adapt.analysis.replay.planning import PlanningFigures, RecordReader, Replanner
from millirobot_adapt.analysis.replay.rollouts import Rollout, read_rollouts
from millirobot_adapt.analysis.replay.tick_table import TickTable, tick_table, without_window
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.tick_result import TickResult
from millirobot_adapt.core.control.wiring import Assembly
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.layout import StateLayout
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.recording.reader import Bag, open_bag
from millirobot_adapt.recording.run_setup import Changes, recorded_setup
from millirobot_adapt.recording.swapped_models import find_swapped

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
    """Of each rollout, by the number of the state; kept for the table alone."""
    recorded: list[dict[int, TickRecord]]
    """Of each rollout, the ticks of the live run by the number of the state; kept for the table alone."""
    layout: StateLayout
    """Names and units of the actions."""

    @cached_property
    def table(self) -> TickTable:
        """The same tick by tick; `ReplayOptions.table` must have asked for it."""
        return tick_table(self.rollouts, self.errors, self.planned, self.recorded, self.layout)


def replay(options: ReplayOptions) -> Replay:
    """Replay a bag; the figures are what `millirobot replay --json` prints.

    Keys: version, bag, parameters (where they were found), model, method, rollouts (each: name, ticks, errors by H in
    ticks: predictions, position_m and heading_rad, each before and after adaptation), all (errors of all rollouts
    together), planning (null, or see `PlanningFigures`), warnings, duration_s (of walking), predict_s (time to read,
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
    planning, planned = PlanningFigures(assembly.robot.layout), [dict[int, TickResult]() for _ in rollouts]
    if options.plan:
        _plan(rollouts, Replanner(bag, assembly, _retuner(rollouts, assembly, bag, setup.kept), options.trajectory),
              planning, planned if options.table else None)  # fmt: skip
    records = RecordReader(bag)
    recorded = [
        {k: without_window(record) for k, record in records.of(rollout)} if options.table else {}
        for rollout in rollouts
    ]
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
        'planning': planning.figures(),
        'warnings': list(bag.warnings),
        'duration_s': round(sum(_walked(rollout.stamps) for rollout in rollouts), 3),
        'predict_s': round(predicted - began, 3),
        'elapsed_s': round(time.perf_counter() - began, 3),
    }
    return Replay(figures, rollouts, errors, planned, recorded, setup.robot.layout)


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


def _retuner(rollouts: list[Rollout], assembly: Assembly, bag: Bag, kept: frozenset[str]) -> Retuner:
    """Return what gives the loop the live parameters and the model of each tick, but for the ones in `kept`."""
    revisions = next((rollout.revisions for rollout in rollouts if rollout.revisions), {})
    return Retuner(assembly, revisions, partial(find_swapped, bag), kept)


def _plan(
    rollouts: list[Rollout], replanner: Replanner, figures: PlanningFigures, keep: list[dict[int, TickResult]] | None
) -> None:
    """Plan at the states of each rollout that has a path, and sum up; results go to `keep`, if given."""
    with _bar('planning', rollouts) as bar:
        for number, rollout in enumerate(rollouts):

            def take(
                k: int, result: TickResult, record: TickRecord | None, number: int = number, of: Rollout = rollout
            ) -> None:
                figures.add(of, k, result, record)
                if keep is not None:
                    keep[number][k] = result

            replanner.plan(rollout, take, bar.update)


def _bar(title: str, rollouts: list[Rollout]) -> tqdm[Any]:
    ticks = sum(len(rollout.stamps) for rollout in rollouts)
    return tqdm(total=ticks, desc=title, unit=' ticks', disable=None, leave=False)
