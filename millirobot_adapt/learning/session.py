"""What the commands `train` and `export-model` do: from rollouts to a run folder, from there to a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from millirobot_adapt import __version__
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.randomness import generator
from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.learning.export import write_bundle
from millirobot_adapt.learning.methods.interface import Model
from millirobot_adapt.learning.persistence import FUTURE, PAST, persistence
from millirobot_adapt.learning.rollouts import Rollouts
from millirobot_adapt.learning.run_folder import TrainedRun, load_run
from millirobot_adapt.learning.segments import cut, make_data_set
from millirobot_adapt.learning.train import Trainer
from millirobot_adapt.learning.train_config import TrainConfig

Say = Callable[[str], None]


def train(rollouts: Rollouts, out: Path, config: TrainConfig, say: Say = print, place: int = 0) -> TrainedRun:
    """Train on rollouts, leave a run folder, and say what came of it; the progress bar takes line `place`.

    Raises:
        UserError: the rollouts hold too little.
    """
    torch.set_num_threads(config.threads)
    say(_persistence_line(rollouts))
    data_set = make_data_set(rollouts, config.window + config.horizon, generator(config.seed))
    trainer = Trainer(config, data_set, float(rollouts.metadata['dt']))
    with tqdm(total=config.steps, desc=f'training {out.name}', unit='step', disable=None, position=place) as bar:

        def progress(step: int, line: str) -> None:
            bar.update(step - bar.n)
            bar.set_postfix_str(line)

        model = trainer.run(progress)
    results = {name: _score(trainer, model, adapted=name == 'after') for name in ('before', 'after')}
    for name, result in results.items():
        say(
            f'validation {name} the inner update: one-step error {result["one_step"]:.3f} (normalised), '
            f'at H = {config.horizon} {1e3 * result["position"]:.1f} mm and {result["heading"]:.3f} rad'
        )
    record = {
        'method': config.method,
        'robot': rollouts.metadata['robot'],
        'window': config.window,
        'data': {**rollouts.metadata, 'sha256': rollouts.digest()},
        'training': {'version': __version__, 'parameters': flatten(config), 'validation': results},
    }
    run = TrainedRun(model, record)
    run.save(out, trainer.curves)
    return run


def export(run_folder: Path, out: Path, robot: RobotConfig) -> None:
    """Turn a run folder into a model bundle.

    Raises:
        UserError: the folder holds no finished run.
    """
    run = load_run(run_folder)
    record: dict[str, Any] = run.record
    write_bundle(
        out,
        run.model,
        method=record['method'],
        robot=robot,
        window=record['window'],
        data=record['data'],
        training=record['training'],
    )


def _score(trainer: Trainer, model: Model, *, adapted: bool) -> dict[str, float]:
    """Score a model on the undisturbed validation part: one-step error (normalised), pose errors at the horizon."""
    with torch.no_grad():
        found = trainer.score(model, trainer.data.validation, adapted=adapted)
    return {
        'one_step': round(float(found.one_step) ** 0.5, 4),
        'position': round(float(found.position), 5),
        'heading': round(float(found.heading), 4),
    }


def _persistence_line(rollouts: Rollouts) -> str:
    segments = cut(rollouts, np.arange(len(rollouts.states)), PAST + FUTURE)
    if not len(segments):
        return f'persistence of the residuals: not known, no rollout has {PAST + FUTURE} unbroken transitions'
    scores = persistence(segments)
    shown = ', '.join(f'{name} {scores[name]:.2f}' for name in list(scores)[:3])
    return f'persistence of the residuals (1 = a bias that stays, 0 = noise, nothing to adapt to): {shown}'
