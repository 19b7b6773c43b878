"""`millirobot evaluate-log`: train the methods on some logs and let each predict others, and the same ones changed.

Read in this order: log_rollouts.py (logs become rollouts, parts are held out), log_shifts.py (logs are changed),
log_errors.py (a method predicts), then here: what is trained on what and predicts what; log_summary.py sums up.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm import tqdm

from millirobot_adapt.core.config import Config, param, section
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.dynamics.method_interface import Method
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning import session
from millirobot_adapt.learning.log_errors import ConstantVelocity, LogErrors, log_errors
from millirobot_adapt.learning.log_rollouts import Log, check_apart, hold_out_of_each, join_logs
from millirobot_adapt.learning.log_shifts import Shift, side_gain, yaw_offset
from millirobot_adapt.learning.methods import METHODS
from millirobot_adapt.learning.segments import make_data_set, split_rollouts
from millirobot_adapt.learning.sources import check_alike
from millirobot_adapt.learning.train_config import AugmentConfig, TrainConfig

BASELINE, STILL, OWN = 'mb', 'constant_velocity', 'mb_own'
"""What the others are compared with; the predictor without a model; mb trained on other sessions of the log itself."""
SEEN = 'training logs'
"""Name of the test on the held-out sessions of the training logs."""
LEFT_OUT = 'each session left out'
"""Name of the test of every session by what was trained on all others."""
AS_RECORDED = 'as recorded'
FEWEST_SESSIONS = 3


class LogTrainConfig(Config):
    """How the networks are trained; chosen with one terrain left out, see docs/adaptation.md."""

    hidden: tuple[int, ...] = param((128, 128), 'Units of each hidden layer.', low=1, high=4096)
    window: int = param(23, "T1: past transitions used to adapt (the lab's value).", low=1, high=500)
    horizon: int = param(5, 'T2: future transitions the loss looks at.', low=1, high=100)
    steps: int = param(900, 'Gradient steps at most.', low=1)
    check_every: int = param(25, 'Gradient steps between two looks at the validation part.', low=1)
    patience: int = param(12, 'Looks without a better result before training ends.', low=1)
    augment: AugmentConfig = section(AugmentConfig, 'Disturbances in meta-training.')

    def training(self, method: str, seed: int) -> TrainConfig:
        """Return the parameters of one training."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return TrainConfig(method=method, seed=seed, **own)


class LogStudyConfig(Config):
    """What is trained and predicted."""

    methods: tuple[str, ...] = param(tuple(METHODS), 'Methods; mb is always there.')
    seeds: int = param(1, 'Networks trained of each method: how one comes out is chance.', low=1, high=100)
    seed: int = param(0, 'The first of their seeds, and the seed of the hold-out.', low=0)
    horizons: tuple[int, ...] = param((5, 10, 20), 'H: steps that are predicted open loop.', low=1, high=200)
    aside: float = param(0.2, 'Part of the rollouts of the training logs that is held out.', low=0.01, high=0.9)
    every: int = param(3, 'Ticks from one prediction to the next.', low=1, high=100)
    yaw: float = param(15.0, 'Error of the measured heading in the first shift.', unit='deg', low=0.0, high=180.0)
    gain: float = param(0.7, "One side's gain in the second shift.", low=0.1, high=10.0)
    train: LogTrainConfig = section(LogTrainConfig, 'How networks are trained.')

    def __post_init__(self) -> None:
        for method in self.methods:
            self.train.training(method, self.seed)  # so that an unknown method is reported before any work


@dataclass(frozen=True)
class Result:
    """What one method, trained once, predicted of one log."""

    test: str
    """Name of the log, or SEEN."""
    shift: str
    method: str
    seed: int
    errors: LogErrors


@dataclass(frozen=True)
class Test:
    """A log to predict."""

    name: str
    log: Log
    own: bool
    """Whether mb is also trained on the log itself, to show what a model that knows the terrain would reach.

    It takes two sessions: mb trained on some predicts the others.
    """


def run_study(
    training: Sequence[Log], tests: Sequence[Log], config: LogStudyConfig, robot: RobotConfig, out: Path | None = None
) -> tuple[list[Result], dict[str, Log]]:
    """Train each method on the training logs, except a held-out part, and let it predict that part and the tests.

    Args:
        training: Logs to learn from.
        tests: Logs of which nothing is learned.
        config: What is done.
        robot: The robot of the logs.
        out: Folder in which the training runs are left; None: nothing stays.

    Returns:
        What was found, and the logs that were predicted, by the name of their test.

    Raises:
        UserError: a log is both; the logs hold too little. Both are found before anything is trained.
    """
    check_apart(training, tests)
    learned, held_out = hold_out_of_each(training, config.aside, config.seed)
    check_alike([held_out.name, *(log.name for log in tests)], [held_out.rollouts, *(log.rollouts for log in tests)])
    _check_trainable(learned, config)
    judged = [Test(SEEN, held_out, own=False), *(Test(log.name, log, own=_knows_itself(log, config)) for log in tests)]
    names = tuple(dict.fromkeys((BASELINE, *config.methods)))
    walks = sum(len(test.log) for test in judged) * len(_shifts(config)) * (len(names) * config.seeds + 1)
    place: AbstractContextManager[str | Path] = nullcontext(out) if out else TemporaryDirectory()
    results: list[Result] = []
    with place as folder, tqdm(total=walks, desc='predicting', unit='rollout', disable=None, position=1) as bar:
        results += _predict(ConstantVelocity(robot.dt), STILL, 0, judged, config, bar)
        for name in names:
            for seed in range(config.seed, config.seed + config.seeds):
                method = train_on(learned, config.train.training(name, seed), Path(folder) / f'{name}_{seed}', robot)
                results += _predict(method, name, seed, judged, config, bar)
        for test in judged:
            if test.own:
                results.append(_predict_own(test, config, Path(folder), robot))
    return results, {test.name: test.log for test in judged}


def leave_one_out(
    logs: Sequence[Log], config: LogStudyConfig, out: Path | None = None
) -> tuple[list[Result], dict[str, Log]]:
    """Predict every session by each method trained on all the others.

    Args:
        logs: Runs and logs of one robot.
        config: What is done.
        out: Folder in which the training runs are left; None: nothing stays.

    Returns:
        What was found, and the log that was predicted, by the name of its test.

    Raises:
        UserError: there are fewer than three sessions (a part of the others is needed for validation); the logs are of
            different robots or hold too little.
    """
    log = join_logs(logs)
    sessions = sorted(set(log.sessions))
    if len(sessions) < FEWEST_SESSIONS:
        raise UserError(
            f'{log.name}: {len(sessions)} sessions, but at least {FEWEST_SESSIONS} runs are needed to leave each out '
            'in turn; name more runs'
        )
    folds = [np.array([session == left_out for session in log.sessions]) for left_out in sessions]
    for fold in folds:
        _check_trainable(log.part(np.flatnonzero(~fold)), config)
    names = tuple(dict.fromkeys((BASELINE, *config.methods)))
    walks = len(log) * len(_shifts(config)) * (len(names) * config.seeds + 1)
    place: AbstractContextManager[str | Path] = nullcontext(out) if out else TemporaryDirectory()
    test = Test(LEFT_OUT, log, own=False)
    with place as folder, tqdm(total=walks, desc='predicting', unit='rollout', disable=None, position=1) as bar:
        results = list(_predict(ConstantVelocity(log.robot.dt), STILL, 0, [test], config, bar))
        for name in names:
            for seed in range(config.seed, config.seed + config.seeds):
                parts: dict[str, list[LogErrors]] = {}
                for number, fold in enumerate(folds):
                    run = Path(folder) / f'{name}_{seed}_without_{number}'
                    training = config.train.training(name, seed)
                    method = train_on(log.part(np.flatnonzero(~fold)), training, run, log.robot)
                    left_out = Test(LEFT_OUT, log.part(np.flatnonzero(fold)), own=False)
                    for result in _predict(method, name, seed, [left_out], config, bar):
                        parts.setdefault(result.shift, []).append(result.errors)
                results += [
                    Result(LEFT_OUT, shift, name, seed, _in_place(found, folds)) for shift, found in parts.items()
                ]
    return results, {LEFT_OUT: log}


def check_trainable(log: Log, length: int, seeds: Iterable[int]) -> None:
    """Find out whether every training on a log will find segments of `length` transitions, before the first begins.

    Raises:
        UserError: one will not; names the log.
    """
    for seed in seeds:
        try:
            make_data_set(log.rollouts, length, split_rollouts(len(log), generator(seed)))
        except UserError as error:
            raise UserError(f'{log.name}: {error}') from None


def _check_trainable(log: Log, config: LogStudyConfig) -> None:
    seeds = range(config.seed, config.seed + config.seeds)
    check_trainable(log, config.train.window + config.train.horizon, seeds)


def _knows_itself(log: Log, config: LogStudyConfig) -> bool:
    """Tell whether mb can be trained on either half of a log of two sessions or more; say why not."""
    if len(set(log.sessions)) < 2:
        return False
    own, halves = dataclasses.replace(config, seeds=1), _halves(log, config)
    try:
        for half in (0, 1):
            _check_trainable(log.part(np.flatnonzero(halves == half)), own)
    except UserError as error:
        logging.getLogger(__name__).warning('%s is left out: half of a log is too short to learn from: %s', OWN, error)
        return False
    return True


def _halves(log: Log, config: LogStudyConfig) -> np.ndarray:
    """Divide a log by whole sessions: the half, 0 or 1, of each rollout, shape (N,)."""
    second = set(generator(config.seed).permutation(sorted(set(log.sessions)))[::2])
    return np.array([int(session in second) for session in log.sessions])


def _in_place(found: Sequence[LogErrors], folds: Sequence[np.ndarray]) -> LogErrors:
    """Put the errors of the folds, masks (N,) over the rollouts, where their rollouts stand."""
    shape = (2, len(folds[0]), found[0].position.shape[-1])
    position, heading = np.full(shape, np.nan), np.full(shape, np.nan)
    for fold, errors in zip(folds, found, strict=True):
        position[:, fold], heading[:, fold] = errors.position, errors.heading
    return LogErrors(position, heading, sum(errors.predictions for errors in found))


def _shifts(config: LogStudyConfig) -> dict[str, Shift]:
    """Return what is done to each log, by name."""
    return {
        AS_RECORDED: lambda rollouts: rollouts,
        f'yaw offset {config.yaw:g} deg': yaw_offset(np.radians(config.yaw)),
        f"one side's gain {config.gain:g}": side_gain(config.gain),
    }


def train_on(log: Log, config: TrainConfig, run: Path, robot: RobotConfig) -> Method:
    """Train, export, and load the bundle as the controller would."""
    session.train(log.rollouts, run, config, say=lambda line: None)
    bundle = run / 'bundle'
    session.export(run, bundle, robot)
    return make_method(load_bundle(str(bundle), robot), EngineConfig(threads=1))


def _predict(
    method: Method, name: str, seed: int, tests: Sequence[Test], config: LogStudyConfig, bar: tqdm
) -> Iterator[Result]:
    """Predict every test under every shift."""
    for test in tests:
        for shift, change in _shifts(config).items():
            rollouts = change(test.log.rollouts)
            errors = log_errors(method, rollouts, config.train.window, config.horizons, config.every, bar.update)
            yield Result(test.name, shift, name, seed, errors)


def _predict_own(test: Test, config: LogStudyConfig, folder: Path, robot: RobotConfig) -> Result:
    """Predict each half of a log by mb trained on the other half."""
    halves = _halves(test.log, config)
    shape = (2, len(halves), len(config.horizons))
    position, heading, predictions = np.full(shape, np.nan), np.full(shape, np.nan), 0
    for half in (0, 1):
        rows, others = np.flatnonzero(halves == half), np.flatnonzero(halves != half)
        run = folder / f'{OWN}_{test.name}_{half}'
        method = train_on(test.log.part(others), config.train.training(BASELINE, config.seed), run, robot)
        errors = log_errors(
            method, test.log.part(rows).rollouts, config.train.window, config.horizons, config.every
        )  # fmt: skip
        position[:, rows], heading[:, rows] = errors.position, errors.heading
        predictions += errors.predictions
    return Result(test.name, AS_RECORDED, OWN, config.seed, LogErrors(position, heading, predictions))
