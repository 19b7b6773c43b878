"""`millirobot bench estimation`: how good the estimate is on the mock, and what faults of motion capture do to it.

Read in this order: streams.py (record the mock once), trace.py (run an estimator over it), scores.py and
mocap_fault_rows.py (judge it), estimation_summary.py (a row of numbers), then here: which runs are made. The filter
and the lab's finite differences see the same streams.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import joblib
from tqdm import tqdm

from millirobot_adapt.benchmarks.estimation.estimation_summary import Judged, consistency, judge, summary
from millirobot_adapt.benchmarks.estimation.mocap_fault_rows import events_of, fault_row
from millirobot_adapt.benchmarks.estimation.streams import Stream, record
from millirobot_adapt.benchmarks.estimation.trace import trace_estimator
from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.mocap_faults import FAULTS, spoil_poses
from millirobot_adapt.sim.terrain import TERRAINS

FILTER, BASELINE = METHODS = ('filter', 'finite_difference')
"""The estimator that is judged, and the baseline."""
FAULT_KEY = 1
"""Key of the faults' random generator."""

Row = dict[str, Any]


class BenchConfig(Config):
    """How much is run."""

    terrains: tuple[str, ...] = param(tuple(TERRAINS), 'Floors.')
    runs: int = param(20, 'Short runs on each floor, without faults.', low=1, high=1000)
    run_seconds: float = param(8.0, 'Length of a short run.', unit='s', low=2.0, high=600.0)
    fault_seconds: float = param(120.0, 'Length of the run on each floor that meets each fault.', unit='s', low=10.0)
    seed: int = param(0, 'Seed of the first run.', low=0)
    jobs: int = param(-1, 'Processes; -1: one for each core.', low=-1, high=64)


def bench(config: BenchConfig, estimator: EstimatorConfig, robot: RobotConfig) -> dict[str, Any]:
    """Run the bench.

    Returns:
        `rows`: errors by floor and fault ('none' is the short runs without); `nees`: the consistency over those;
        `failures`: what must never happen and did, one line each.
    """
    short = [(terrain, config.seed + run) for terrain in config.terrains for run in range(config.runs)]
    tasks = [joblib.delayed(_short_run)(config, estimator, robot, terrain, seed) for terrain, seed in short]
    judged = list(_progress(tasks, config.jobs, 'runs without faults'))
    tasks = [joblib.delayed(_fault_rows)(config, estimator, robot, terrain) for terrain in config.terrains]
    faulty = list(_progress(tasks, config.jobs, 'floors with faults'))
    rows: list[Row] = []
    for place, terrain in enumerate(config.terrains):
        runs = judged[place * config.runs : (place + 1) * config.runs]
        rows += [{'terrain': terrain, 'fault': 'none', **_row(runs)}, *faulty[place]]
    return {'rows': rows, 'nees': consistency([run[FILTER] for run in judged]), 'failures': failures(rows)}


def failures(rows: Sequence[Row]) -> list[str]:
    """Return what must never happen and did: estimates that are not finite, jumps that nothing reports."""
    return [
        f'{row["terrain"]}, {row["fault"]}: {row[name]} {text}'
        for row in rows
        for name, text in (('non_finite', 'estimates that are not finite'), ('silent_jumps', 'silent jumps'))
        if row[name]
    ]


def _row(runs: Sequence[dict[str, Judged]]) -> Row:
    """Sum up the filter's runs, and beside them the baseline's."""
    found, baseline = (summary([run[method] for run in runs]) for method in METHODS)
    ratios = {f'{name}_ratio': found[name] / baseline[name] for name in ('velocity_rmse', 'yaw_rate_rmse')}
    return {**found, **ratios, 'recover_s': None, 'baseline': {**baseline, 'recover_s': None}}


def _short_run(
    config: BenchConfig, estimator: EstimatorConfig, robot: RobotConfig, terrain: str, seed: int
) -> dict[str, Judged]:
    stream = record(robot, Condition(terrain=terrain), config.run_seconds, seed)
    return {method: _judged(stream, estimator, method, robot) for method in METHODS}


def _fault_rows(config: BenchConfig, estimator: EstimatorConfig, robot: RobotConfig, terrain: str) -> list[Row]:
    """Walk once and meet every fault on that same walk."""
    stream = record(robot, Condition(terrain=terrain), config.fault_seconds, config.seed)
    undisturbed = {method: _judged(stream, estimator, method, robot) for method in METHODS}
    rows = []
    for name, faults in FAULTS.items():
        poses = spoil_poses(stream.poses, faults, generator(config.seed, FAULT_KEY))
        events = events_of(faults, stream, poses, robot.dt)
        if events is None:
            continue
        spoiled = dataclasses.replace(stream, poses=poses)
        judged = {method: _judged(spoiled, estimator, method, robot) for method in METHODS}
        row = _row([judged])
        row.update(fault_row(judged[FILTER].errors, undisturbed[FILTER].errors, events))
        row['baseline'].update(fault_row(judged[BASELINE].errors, undisturbed[BASELINE].errors, events))
        row['clock_offset_ms'] = _milliseconds(judged[FILTER].trace.health.clock_offset)
        row['warnings'] = judged[FILTER].trace.health.warnings()
        rows.append({'terrain': terrain, 'fault': name, **row})
    return rows


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else 1e3 * seconds


def _judged(stream: Stream, estimator: EstimatorConfig, method: str, robot: RobotConfig) -> Judged:
    made = make_estimator(dataclasses.replace(estimator, method=method), robot)
    return judge(trace_estimator(made, stream.poses, stream.telemetry), stream.truth, robot.dt)


def _progress(tasks: list[Any], jobs: int, what: str) -> Iterator[Any]:
    """Run tasks in processes, with a progress bar where somebody watches; results come in the order of the tasks."""
    made = joblib.Parallel(n_jobs=jobs, return_as='generator')(tasks)
    return iter(tqdm(made, total=len(tasks), desc=what, disable=None, leave=False))
