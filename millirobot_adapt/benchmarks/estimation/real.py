"""`millirobot bench estimation --logs`: the estimators on the lab's real logs."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.benchmarks.estimation.estimation_bench import BASELINE, FILTER, METHODS
from millirobot_adapt.benchmarks.estimation.logs import LogEvent, LogFigures, run_rollout
from millirobot_adapt.benchmarks.estimation.prediction import compare_predictions, judged_transitions, prediction_errors
from millirobot_adapt.core.control.history import is_valid_step
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.recording.lab.lab_log import OPEN_LOOP, LabRollout, read_lab_log

AT_POSES, AT_REPLIES = 'filter', 'filter_at_replies'
"""The filter's state for the time of the raw pose from which a displacement is counted, and for the reply's."""
SEEDS = 3
"""Networks trained for each estimator: how one comes out is chance."""


def bench_logs(folder: Path, estimator: EstimatorConfig, robot: RobotConfig) -> dict[str, Any]:
    """Run every rollout of a folder of logs through both estimators, and compare the models they make.

    Raises:
        UserError: the folder holds no log.
    """
    files = sorted(folder.glob('*.npz'))
    if not files:
        raise UserError(f'{folder}: holds no log (*.npz); name the folder with the files of the lab')
    logs = {file.stem: read_lab_log(file) for file in files}
    report: dict[str, Any] = {'logs': {}}
    walked: list[LabRollout] = []
    states: dict[str, list[FloatArray]] = {name: [] for name in (AT_POSES, AT_REPLIES, BASELINE)}
    for name, rollouts in logs.items():
        figures = {method: LogFigures() for method in METHODS}
        for rollout in tqdm(rollouts, desc=name, unit='rollout', disable=None, leave=False):
            found = {}
            for method in METHODS:
                made = make_estimator(dataclasses.replace(estimator, method=method), robot)
                found[method] = run_rollout(rollout, made, robot, figures[method])
            if rollout.mode != OPEN_LOOP:
                states[AT_REPLIES].append(found[FILTER][0])
                states[AT_POSES].append(found[FILTER][1])
                states[BASELINE].append(found[BASELINE][0])
        walked += [rollout for rollout in rollouts if rollout.mode != OPEN_LOOP]
        report['logs'][name] = _figures(figures[FILTER])
    report['prediction'] = _prediction(walked, {name: np.array(values) for name, values in states.items()}, robot)
    report['failures'] = _failures(report['logs'])
    return report


def _figures(figures: LogFigures) -> dict[str, Any]:
    return {
        'rollouts': figures.rollouts,
        'ticks': figures.ticks,
        'estimates': figures.estimates,
        'seen': figures.seen,
        'missing': figures.missing,
        'not_finite': figures.not_finite,
        'ordinary': dict(figures.ordinary),
        'events': [_event(event) for event in figures.events],
    }


def _event(event: LogEvent) -> dict[str, Any]:
    return {**dataclasses.asdict(event), 'impossible': event.impossible, 'caught': event.caught}


def _failures(logs: dict[str, Any]) -> list[str]:
    """Return what must not happen.

    That is an estimate that is not finite, none while the robot is well seen, and a jump no body could have made that
    was followed in silence.
    """
    failures = [f'{name}: {log["not_finite"]} states not finite' for name, log in logs.items() if log['not_finite']]
    failures += [f'{name}: no estimate at {log["missing"]} replies' for name, log in logs.items() if log['missing']]
    missed = [event for log in logs.values() for event in log['events'] if event['impossible'] and not event['caught']]
    return failures + [f'{event["where"]}: believed {event["step"]:.2f} m' for event in missed]


def _prediction(rollouts: list[LabRollout], states: dict[str, FloatArray], robot: RobotConfig) -> dict[str, Any] | None:
    """Compare the models of both estimators; None where PyTorch is not installed."""
    if importlib.util.find_spec('torch') is None:
        return None
    from millirobot_adapt.learning.held_out import HeldOutConfig, predict_held_out
    from millirobot_adapt.learning.rollout_file import CollectedRollouts

    stamps = np.array([rollout.stamps for rollout in rollouts])
    known = np.all(np.isfinite(list(states.values())), axis=(0, 3))
    valid = judged_transitions(rollouts, is_valid_step(np.diff(stamps), robot.dt) & known[:, 1:] & known[:, :-1])
    config = HeldOutConfig()
    with tqdm(total=len(states) * SEEDS * config.folds, desc='training', disable=None, leave=False) as bar:

        def predict(values: FloatArray, actions: FloatArray, stamps: FloatArray, valid: np.ndarray) -> np.ndarray:
            data = CollectedRollouts(
                np.nan_to_num(values).astype(np.float32), actions.astype(np.float32), stamps, valid, {'origin': 'real'}
            )
            seeds = (dataclasses.replace(config, seed=seed) for seed in range(SEEDS))
            return np.array([predict_held_out(data, seed, robot.dt, bar.update) for seed in seeds])

        errors = {
            name: prediction_errors(rollouts, values, valid, config.horizon, robot, predict)
            for name, values in states.items()
        }
    return {
        name: dataclasses.asdict(compare_predictions(errors[name], errors[BASELINE])) for name in (AT_POSES, AT_REPLIES)
    }
