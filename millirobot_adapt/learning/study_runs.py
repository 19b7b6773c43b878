"""Train and judge the models of a study, in several processes; what an earlier call has done is not done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from millirobot_adapt import __version__
from millirobot_adapt.analysis.statistics import mean_interval
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.files import whole_file
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.learning.log_errors import LogErrors, log_errors
from millirobot_adapt.learning.log_study import train_on
from millirobot_adapt.learning.study_plan import Judgement, StudyModel, longest_past

ERRORS = 'errors.npz'
"""File in the folder of a model: what it was judged to be."""
KINDS = ('position', 'heading')
WHEN = ('before', 'after')
"""Before and after adaptation."""
Row = dict[str, Any]


@dataclass(frozen=True)
class JudgedModel:
    """What one model predicted of one log, for one point of one curve."""

    judgement: Judgement
    minutes: float
    """What the model was trained on [min]."""
    errors: LogErrors


def run_models(models: Sequence[StudyModel], out: Path, horizon: int, every: int, jobs: int) -> list[JudgedModel]:
    """Train and judge every model; folders in `out` keep models and errors, and are gone on from.

    Args:
        models: What to train.
        out: Folder of the study.
        horizon: H: steps that are predicted open loop.
        every: Ticks from one prediction to the next.
        jobs: Processes; -1: one a core.

    Raises:
        UserError: data mislead; a training diverges; a folder cannot be written.
    """
    least_past = longest_past(models)
    tasks = (joblib.delayed(_done)(model, out / model.name, horizon, every, least_past) for model in models)
    running = joblib.Parallel(n_jobs=jobs, return_as='generator')(tasks)
    with tqdm(running, total=len(models), desc='models', unit='model', disable=None, position=1) as bar:
        return [judged for made in bar for judged in made]


def _done(model: StudyModel, folder: Path, horizon: int, every: int, least_past: int) -> list[JudgedModel]:
    """Train one model and judge it, unless that was done."""
    key = _key(model, horizon, every, least_past)
    found = _read(folder / ERRORS, key)
    if found is None:
        method = train_on(model.training, model.config, folder, model.training.robot)
        found = [
            log_errors(method, each.log.rollouts, model.config.window, (horizon,), every, least_past=least_past)
            for each in model.judged
        ]
        _write(folder / ERRORS, key, found)
    rollouts = model.training.rollouts
    minutes = float(rollouts.valid.sum()) * float(rollouts.metadata['dt']) / 60.0
    return [JudgedModel(judgement, minutes, errors) for judgement, errors in zip(model.judged, found, strict=True)]


def _key(model: StudyModel, horizon: int, every: int, least_past: int) -> str:
    """Hash everything that the errors follow from."""
    content = {
        'version': __version__, 'parameters': flatten(model.config), 'data': model.training.rollouts.digest(),
        'judged': [each.log.rollouts.digest() for each in model.judged], 'horizon': horizon, 'every': every,
        'least_past': least_past,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _write(path: Path, key: str, found: Sequence[LogErrors]) -> None:
    arrays = {f'{kind}_{n}': getattr(errors, kind) for n, errors in enumerate(found) for kind in KINDS}
    with whole_file(path) as file:
        np.savez_compressed(
            file, key=np.array(key), predictions=np.array([errors.predictions for errors in found]), **arrays
        )


def _read(path: Path, key: str) -> list[LogErrors] | None:
    """Return what an earlier call has found; None: nothing, or something else."""
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as file:
        if str(file['key']) != key:
            return None
        counts = file['predictions']
        return [LogErrors(file[f'position_{n}'], file[f'heading_{n}'], int(counts[n])) for n in range(len(counts))]


def curve_rows(judged: Sequence[JudgedModel]) -> list[Row]:
    """Return a row for each point of each curve: mean errors over rollouts, with their 95 % intervals.

    The error of a rollout is the mean over the models that predicted it.
    """
    rows = []
    for (curve, at), found in _points(judged):
        row: Row = {'curve': curve, 'at': at, 'models': len(found)}
        row['minutes'] = round(float(np.mean([each.minutes for each in found])), 2)
        for kind in KINDS:
            of_rollouts = _of_rollouts(found, kind)
            row['rollouts'] = of_rollouts.shape[1]
            for when, values in zip(WHEN, of_rollouts, strict=True):
                interval = mean_interval(values)
                row[f'{kind}_{when}'] = float(values.mean()) if len(values) else float('nan')
                row[f'{kind}_{when}_interval'] = None if interval is None else list(interval)
        rows.append(row)
    return rows


def _points(judged: Sequence[JudgedModel]) -> Iterator[tuple[tuple[str, float], list[JudgedModel]]]:
    """Group by curve and place on it, in order."""
    curves = list(dict.fromkeys(each.judgement.curve for each in judged))
    places = {(each.judgement.curve, each.judgement.at) for each in judged}
    for place in sorted(places, key=lambda place: (curves.index(place[0]), place[1])):
        yield place, [each for each in judged if (each.judgement.curve, each.judgement.at) == place]


def _of_rollouts(found: Sequence[JudgedModel], kind: str) -> FloatArray:
    """Return the errors of every rollout before and after adaptation, shape (2, N): means over the models."""
    by_rollout: dict[tuple[str, float], list[FloatArray]] = {}
    for each in found:
        log = each.judgement.log
        errors = getattr(each.errors, kind)[..., 0]
        for row, session in enumerate(log.sessions):
            if not np.isnan(errors[:, row]).any():
                by_rollout.setdefault((session, float(log.rollouts.stamps[row, 0])), []).append(errors[:, row])
    if not by_rollout:
        return np.empty((2, 0))
    return np.stack([np.mean(each, axis=0) for each in by_rollout.values()], axis=1)


def curve_table(rows: Sequence[Row], horizon: int) -> str:
    """Lay the rows out in markdown, a table for each curve."""
    lines: list[str] = []
    for curve in dict.fromkeys(row['curve'] for row in rows):
        there = [row for row in rows if row['curve'] == curve]
        lines += [f'**{curve}** (open loop, H = {horizon})', '']
        lines += ['| at | trained on | position [mm], before -> after | heading [rad], before -> after | rollouts |']
        lines += ['|---|---|---|---|---|']
        for row in there:
            cells = (f'{row["at"]:g}', f'{row["minutes"]:.1f} min', *(_cell(row, kind) for kind in KINDS))
            lines.append(f'| {" | ".join(cells)} | {row["rollouts"]} |')
        lines.append('')
    return '\n'.join([*lines, 'In brackets: 95 % intervals over rollouts.'])


def _cell(row: Row, kind: str) -> str:
    scale, digits = (1e3, 1) if kind == 'position' else (1.0, 3)
    interval = row[f'{kind}_after_interval']
    bounds = '' if interval is None else f' [{scale * interval[0]:.{digits}f}, {scale * interval[1]:.{digits}f}]'
    return f'{scale * row[f"{kind}_before"]:.{digits}f} -> {scale * row[f"{kind}_after"]:.{digits}f}{bounds}'
