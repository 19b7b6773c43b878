"""What a study of training trains, and on what each model is judged: how much data, how many floors, which windows.

These are the figures 32, 47 and 48 of Clavera's thesis as experiments on data of one's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.core.config import Config, param, section
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.learning.log_rollouts import Log, hold_out, hold_out_of_each, join_logs
from millirobot_adapt.learning.log_study import LogTrainConfig, check_trainable
from millirobot_adapt.learning.sources import check_alike
from millirobot_adapt.learning.train_config import TrainConfig

HELD_OUT, UNSEEN, SEEN = 'held-out sessions', 'a floor not trained on', 'the floors trained on'
"""Curves: what the models are judged by."""
PAST, FUTURE = 'T1', 'T2'
"""Curves of a study of windows."""


class StudyConfig(Config):
    """What is varied, and how each model is trained and judged."""

    method: str = param('grbal', 'Method to train.')
    seeds: int = param(1, 'Models of each kind: how one comes out is chance.', low=1, high=100)
    seed: int = param(0, 'The first of their seeds, and the seed of the hold-out.', low=0)
    horizon: int = param(10, 'H: steps that are predicted open loop.', low=1, high=200)
    aside: float = param(0.2, 'Part of the rollouts that is held out where no test runs are named.', low=0.01, high=0.9)
    every: int = param(3, 'Ticks from one prediction to the next.', low=1, high=100)
    parts: tuple[float, ...] = param((0.1, 0.2, 0.4, 0.7, 1.0), 'Parts of the data (study data).', low=0.001, high=1.0)
    pasts: tuple[int, ...] = param((4, 8, 16, 24, 32), 'T1 (study window).', low=1, high=500)
    futures: tuple[int, ...] = param((1, 5, 10, 15, 20), 'T2 (study window).', low=1, high=100)
    train: LogTrainConfig = section(LogTrainConfig, 'How the models are trained.')

    def __post_init__(self) -> None:
        self.training(self.seed)  # so that an unknown method is reported before any work
        for name in ('parts', 'pasts', 'futures'):
            if not getattr(self, name):
                raise UserError(f'{name}: names nothing')

    def training(self, seed: int, **changed: Any) -> TrainConfig:
        """Return the parameters of one training."""
        return dataclasses.replace(self.train, **changed).training(self.method, seed)

    @property
    def all_seeds(self) -> range:
        """The seeds of the models of each kind."""
        return range(self.seed, self.seed + self.seeds)


@dataclass(frozen=True)
class Judgement:
    """A model is judged by a log, for one point of one curve."""

    curve: str
    at: float
    log: Log


@dataclass(frozen=True)
class StudyModel:
    """One model to train, and what it is judged by."""

    name: str
    """Of its folder."""
    config: TrainConfig
    training: Log
    judged: tuple[Judgement, ...]


def plan_data(logs: Sequence[Log], tests: Sequence[Log], config: StudyConfig) -> list[StudyModel]:
    """Plan trainings on parts of the data; a smaller part of a seed lies within each larger one.

    Raises:
        UserError: too little data for the smallest part; the logs are of different robots, or one is both trained on
            and tested.
    """
    learned, held_out = _divided(logs, tests, config)
    models = []
    for seed in config.all_seeds:
        order = generator(config.seed, seed).permutation(len(learned))
        for part in sorted(set(config.parts)):
            rows = np.sort(order[: max(1, round(part * len(order)))])
            judged = Judgement(HELD_OUT, part, held_out)
            models.append(StudyModel(f'part_{part:g}_{seed}', config.training(seed), learned.part(rows), (judged,)))
    return _checked(models, 'a part of the data')


def plan_floors(floors: Sequence[Log], tests: Sequence[Log], config: StudyConfig) -> list[StudyModel]:
    """Plan trainings on one floor, two, and so on, with equal amounts of data: that of the smallest floor.

    Without test runs each floor in turn is left out, and the models trained on the others are judged by it. With them
    the models are judged by those; each floor in turn is the first to be trained on.

    Raises:
        UserError: fewer than two floors; too little data; the logs are of different robots, or one is both trained on
            and tested.
    """
    if len(floors) < 2:
        raise UserError(f'{floors[0].name}: is a single floor; name at least two, each with its runs')
    check_alike([log.name for log in (*floors, *tests)], [log.rollouts for log in (*floors, *tests)])
    divided = [hold_out(log, config.aside, generator(config.seed, n)) for n, log in enumerate(floors)]
    amount = min(len(learned) for learned, _ in divided)
    other = join_logs(tests) if tests else None
    models = []
    for first in range(len(floors)):
        order = [(first + step) % len(floors) for step in range(len(floors))]
        left_out = floors[order.pop()] if other is None else other
        for count in range(1, len(order) + 1):
            if count == len(floors) and first:
                continue  # all floors are all floors, whichever is the first
            chosen = order[:count]
            seen = join_logs([divided[floor][1] for floor in chosen])
            judged = (Judgement(UNSEEN, count, left_out), Judgement(SEEN, count, seen))
            for seed in config.all_seeds:
                training = join_logs([_some(divided[floor][0], amount // count, seed) for floor in chosen])
                name = f'floors_{count}_from_{floors[first].name}_{seed}'
                models.append(StudyModel(name, config.training(seed), training, judged))
    return _checked(models, 'a share of the smallest floor')


def plan_windows(logs: Sequence[Log], tests: Sequence[Log], config: StudyConfig) -> list[StudyModel]:
    """Plan trainings with other numbers of past and of future transitions, each with the other as it is.

    Raises:
        UserError: the data hold no stretch as long as a window; the logs are of different robots, or one is trained and
            tested.
    """
    learned, held_out = _divided(logs, tests, config)
    models = []
    for seed in config.all_seeds:
        for past in sorted(set(config.pasts)):
            judged = Judgement(PAST, past, held_out)
            training = config.training(seed, window=past)
            models.append(StudyModel(f'past_{past}_{seed}', training, learned, (judged,)))
        for future in sorted(set(config.futures)):
            judged = Judgement(FUTURE, future, held_out)
            training = config.training(seed, horizon=future)
            models.append(StudyModel(f'future_{future}_{seed}', training, learned, (judged,)))
    return _checked(models, 'the longest window')


def longest_past(models: Sequence[StudyModel]) -> int:
    """Return the largest T1: all models are judged from ticks that have so much behind them, the same for each."""
    return max(model.config.window for model in models)


def _divided(logs: Sequence[Log], tests: Sequence[Log], config: StudyConfig) -> tuple[Log, Log]:
    """Return what is learned from and what it is judged by.

    Raises:
        UserError: a run is both; the logs are of different robots; nothing can be held out.
    """
    if not tests:
        return hold_out_of_each(logs, config.aside, config.seed)
    join_logs([*logs, *tests])  # finds sessions that are in both
    return join_logs(logs), join_logs(tests)


def _some(log: Log, count: int, seed: int) -> Log:
    """Return some rollouts of a log, drawn at random."""
    return log.part(np.sort(generator(seed, count).permutation(len(log))[: max(1, count)]))


def _checked(models: list[StudyModel], what: str) -> list[StudyModel]:
    """Find out whether every training will find enough, before the first one begins.

    Raises:
        UserError: one will not.
    """
    for model in models:
        length = model.config.window + model.config.horizon
        try:
            check_trainable(model.training, length, [model.config.seed])
        except UserError as error:
            raise UserError(f'{what} is too little to learn from ({model.name}): {error}') from None
    return models
