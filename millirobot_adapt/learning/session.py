"""What the commands `train` and `export-model` do: from rollouts to a run folder, from there to a bundle."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from millirobot_adapt import __version__
from millirobot_adapt.analysis.figure_style import save_png, styled
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.learning.bundle_writer import write_bundle
from millirobot_adapt.learning.checkpoint import CheckpointWriter, TrainingOrigin
from millirobot_adapt.learning.checkpoint import resume as resume_from
from millirobot_adapt.learning.data_check import check_data
from millirobot_adapt.learning.learner_file import Start
from millirobot_adapt.learning.lineage import MANIFEST, lineage
from millirobot_adapt.learning.methods.training_interface import Model
from millirobot_adapt.learning.persistence import tell_persistence
from millirobot_adapt.learning.rollout_file import LAYOUT, CollectedRollouts
from millirobot_adapt.learning.segments import make_data_set, split_rollouts
from millirobot_adapt.learning.sources import join
from millirobot_adapt.learning.sweep import Trial, edges
from millirobot_adapt.learning.sweep_figure import SWEEP_FIGURE, draw_sweep
from millirobot_adapt.learning.train import Descent, OnLook, Trainer
from millirobot_adapt.learning.train_config import TrainConfig
from millirobot_adapt.learning.training_run import TrainedRun, load_training_run

Say = Callable[[str], None]
_SCORED = 500
"""About how many validation segments are scored at the end; each has parameters of its own in memory."""


@dataclass(frozen=True)
class Rounds:
    """Further rounds of training, on what was walked with the model meanwhile (Algorithm 9, lines 3 to 7)."""

    count: int
    walk: Callable[[Path, int], CollectedRollouts]
    """Return what was walked with a bundle before the round of that number, counted from 1."""
    key: str
    """What will be walked, in words or hashes that differ where it does."""

    def record(self, first: str) -> dict[str, Any]:
        """Return what a training run keeps of its rounds; `first` is the hash of the data that it began with."""
        return {'count': self.count, 'walked': self.key, 'first_data': first}


def recorded_rounds(rounds: Sequence[CollectedRollouts]) -> Rounds:
    """Return rounds whose walks are recorded already: each was walked with the model of the round before."""
    key = ', '.join(part.digest() for part in rounds)
    return Rounds(len(rounds), functools.partial(_recorded_walk, tuple(rounds)), key)


def _recorded_walk(rounds: Sequence[CollectedRollouts], bundle: Path, number: int) -> CollectedRollouts:
    return rounds[number - 1]


def train(
    rollouts: CollectedRollouts,
    out: Path,
    config: TrainConfig,
    say: Say = print,
    place: int = 0,
    rounds: Rounds | None = None,
    resume: bool = False,
    start: Start | None = None,
) -> TrainedRun:
    """Train on rollouts, leave a run folder, and say what came of it.

    Args:
        rollouts: What to learn from.
        out: Run folder; made if missing.
        config: How to train.
        say: Takes each line for the user.
        place: Line of the terminal for the progress bar.
        rounds: Further rounds; None: none.
        resume: Go on with the interrupted training whose checkpoint is in `out`.
        start: Model to begin with; None: a new one.

    Raises:
        UserError: the rollouts hold too little or would mislead, the training diverges, the folder cannot be written
            to, or there is nothing to resume.
    """
    for line in check_data(rollouts):
        say(line)
    make_folder(out)
    torch.set_num_threads(config.threads)
    for line in tell_persistence(rollouts):
        say(line)
    split, length = split_rollouts(len(rollouts.states), generator(config.seed)), config.window + config.horizon
    data_set, dt = make_data_set(rollouts, length, split), float(rollouts.metadata['dt'])
    trainer = Trainer(config, data_set, dt, start.model if start else None)
    origin = TrainingOrigin.of(trainer, rollouts.digest(), start.digest if start else '')
    model = _resumable(trainer, out, origin, resume, say, place)
    began = {'rounds': rounds.record(rollouts.digest())} if rounds else {}
    for number in range(1, rounds.count + 1 if rounds else 1):
        assert rounds is not None
        run = TrainedRun(model, _record(trainer, model, rollouts, start))
        run.save(out, trainer.curves)
        bundle = out / f'round{number}'
        export(out, bundle, load_robot(rollouts.metadata['robot']))
        walked = rounds.walk(bundle, number)
        split = split.extended(len(walked.states), generator(config.seed, number))
        rollouts = join([rollouts, walked])
        say(f'round {number}: {int(rollouts.valid.sum())} transitions')
        trainer.take(make_data_set(rollouts, length, split))
        model = _run(trainer, f'{out.name}, round {number}', place)
    _say_choice(trainer.trials, say)
    record = _record(trainer, model, rollouts, start)
    record['training'] |= began
    for name, result in record['training']['validation'].items():
        say(
            f'validation {name} the inner update: one-step error {result["one_step"]:.3f} (normalised), '
            f'at H = {config.horizon} {1e3 * result["position"]:.1f} mm and {result["heading"]:.3f} rad'
        )
    run = TrainedRun(model, record)
    run.save(out, trainer.curves)
    if trainer.trials:
        with styled():
            save_png(draw_sweep(trainer.trials), out / SWEEP_FIGURE)
    return run


def _resumable(trainer: Trainer, out: Path, origin: TrainingOrigin, resume: bool, say: Say, place: int) -> Model:
    """Train behind a progress bar, and leave a checkpoint where that is cut short."""
    descent = resume_from(out, origin, trainer) if resume else None
    if descent is not None:
        say(f'going on at step {descent.step}')
    checkpoints = CheckpointWriter(out, origin)
    try:
        model = _run(trainer, out.name, place, descent, checkpoints.look)
    except KeyboardInterrupt:
        if checkpoints.write():
            say(f'{out}: not finished; go on with the same command and --resume')
        raise
    checkpoints.remove()
    return model


def _run(
    trainer: Trainer,
    name: str,
    place: int,
    descent: Descent | None = None,
    on_look: OnLook = lambda trainer, descent: None,
) -> Model:
    """Train behind a progress bar."""
    with tqdm(total=trainer.config.steps, desc=f'training {name}', unit='step', disable=None, position=place) as bar:

        def progress(step: int, line: str) -> None:
            bar.update(step - bar.n)
            bar.set_postfix_str(line)

        return trainer.run(progress, descent, on_look)


def _record(trainer: Trainer, model: Model, rollouts: CollectedRollouts, start: Start | None) -> dict[str, Any]:
    """Say what was trained, on what, and how well it does."""
    config = trainer.config
    results = {name: _score(trainer, model, adapted=name == 'after') for name in ('before', 'after')}
    training: dict[str, Any] = {'version': __version__, 'parameters': flatten(config), 'validation': results}
    if trainer.trials:
        training['sweep'] = [trial.row() for trial in trainer.trials]
    return {
        'method': config.method,
        'robot': rollouts.metadata['robot'],
        'window': config.window,
        'data': {**_without_layout(rollouts.metadata), 'sha256': rollouts.digest()},
        'training': training,
        'lineage': lineage(rollouts, start.record if start else None, start.digest if start else ''),
    }


def _without_layout(metadata: dict[str, Any]) -> dict[str, Any]:
    """Leave out of metadata what the manifest of a bundle says itself."""
    return {key: value for key, value in metadata.items() if key not in (LAYOUT, MANIFEST)}


def export(run_folder: Path, out: Path, robot: RobotConfig | None = None) -> None:
    """Turn a run folder into a model bundle.

    Args:
        run_folder: What `train` left.
        out: The bundle's folder; made if missing.
        robot: The robot of the data; None: the one that the data name.

    Raises:
        UserError: the folder holds no finished run, its data are of another robot or control period, or the bundle
            cannot be written.
    """
    run = load_training_run(run_folder)
    record: dict[str, Any] = run.record
    robot = robot or load_robot(record['robot'])
    dt = float(record['data']['dt'])
    if (robot.name, robot.dt) != (record['robot'], dt):
        raise UserError(
            f'{run_folder}: was trained on data of robot {record["robot"]!r} at {dt:g} s a control period, but the '
            f'robot file describes {robot.name!r} at {robot.dt:g} s; name that of the robot of the data with --robot'
        )
    make_folder(out)
    write_bundle(
        out,
        run.model,
        method=record['method'],
        robot=robot,
        window=record['window'],
        data=record['data'],
        training=record['training'],
        lineage=record.get('lineage'),
    )


def _score(trainer: Trainer, model: Model, *, adapted: bool) -> dict[str, float]:
    """Score a model on the undisturbed validation part: one-step error (normalised), pose errors at the horizon."""
    with torch.no_grad():
        every = max(1, len(trainer.data.validation) // _SCORED)
        found = trainer.score(model, trainer.data.validation.part(slice(0, None, every)), adapted=adapted)
    return {
        'one_step': round(float(found.one_step) ** 0.5, 4),
        'position': round(float(found.position), 5),
        'heading': round(float(found.heading), 4),
    }


def _say_choice(trials: Sequence[Trial], say: Say) -> None:
    """Print what was tried, the best first, and warn where the best value is the last that was tried."""
    if not trials:
        return
    say('settings tried on the validation part, half of it disturbed, the best first:')
    for trial in sorted(trials, key=lambda trial: trial.loss)[:5]:
        settings = ', '.join(f'{name} {value}' for name, value in trial.settings.items())
        say(f'  {settings}: loss {trial.loss:.4f}, {1e3 * trial.position:.1f} mm, {trial.heading:.3f} rad')
    for name in edges(trials):
        say(f'  the best {name} is the least or the largest that was tried: widen the list with --set')
