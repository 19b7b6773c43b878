"""Keep where a training stands, so that it goes on bit for bit after Ctrl-C or a crash."""

from __future__ import annotations

import dataclasses
import json
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from millirobot_adapt import __version__
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import whole_file
from millirobot_adapt.learning.train import Curves, Descent, Trainer

CHECKPOINT = 'checkpoint.npz'
"""Name of the file in the run folder; it goes when the training has ended."""
PERIOD = 60.0
"""A crash costs at most so much training, and the time to the next look [s]."""


@dataclass(frozen=True)
class TrainingOrigin:
    """What a training must have in common with the one that a checkpoint is of."""

    parameters: dict[str, Any]
    data: str
    """Hash of the rollouts."""
    version: str = __version__
    start: str = ''
    """Hash of the model that it began with; empty: a new one."""

    @classmethod
    def of(cls, trainer: Trainer, data: str, start: str = '') -> TrainingOrigin:
        """Describe a training on the rollouts of a hash, from the model of another."""
        return cls(json.loads(json.dumps(flatten(trainer.config))), data, start=start)


class CheckpointWriter:
    """Write the newest look at most once in `PERIOD`, and when asked."""

    def __init__(self, folder: Path, origin: TrainingOrigin) -> None:
        """Write into a run folder that is there."""
        self._file, self._origin = folder / CHECKPOINT, origin
        self._written = time.monotonic()
        self._newest: dict[str, Any] | None = None

    def look(self, trainer: Trainer, descent: Descent) -> None:
        """Take a look's state; it is written if the last one was long ago."""
        self._newest = _arrays(trainer, descent)
        if time.monotonic() - self._written > PERIOD:
            self.write()

    def write(self) -> bool:
        """Write the newest look; returns False where there was none.

        Raises:
            OSError: the disk does not take it.
        """
        if self._newest is None:
            return False
        with whole_file(self._file) as file:
            np.savez(file, origin=np.array(json.dumps(dataclasses.asdict(self._origin))), **self._newest)
        self._written = time.monotonic()
        return True

    def remove(self) -> None:
        """Remove the file: the training has ended."""
        self._file.unlink(missing_ok=True)


def resume(folder: Path, origin: TrainingOrigin, trainer: Trainer) -> Descent:
    """Bring a new trainer to where the checkpoint in a run folder was.

    Raises:
        UserError: there is no checkpoint, it cannot be read, or it is of another training.
    """
    file = folder / CHECKPOINT
    if not file.is_file():
        raise UserError(f'{folder}: holds no interrupted training; leave --resume out to train from the beginning')
    try:
        with np.load(file, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        told = TrainingOrigin(**json.loads(str(arrays.pop('origin'))))
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f'{file}: cannot be read ({error}); train from the beginning') from None
    _check_same(folder, told, origin)
    return _restored(trainer, arrays)


def _check_same(folder: Path, told: TrainingOrigin, origin: TrainingOrigin) -> None:
    """Check that a checkpoint is of the same training.

    Raises:
        UserError: it is not; names the first difference.
    """
    differing = [
        f'{name} was {told.parameters.get(name)!r} and is {value!r}'
        for name, value in origin.parameters.items()
        if told.parameters.get(name) != value
    ]
    if told.data != origin.data:
        differing.insert(0, 'the data are other ones')
    if told.start != origin.start:
        differing.insert(0, 'it began with another model')
    if told.version != origin.version:
        differing.append(f'it is of version {told.version}, this is {origin.version}')
    if differing:
        raise UserError(
            f'{folder}: the interrupted training was another one ({differing[0]}); resume it with what it began with'
        )


def _arrays(trainer: Trainer, descent: Descent) -> dict[str, Any]:
    """Return all that going on needs."""
    arrays: dict[str, Any] = {
        'place': np.array([descent.step, descent.best_loss, descent.waited]),
        'generator': trainer.generator.get_state().numpy().copy(),
        'curves': np.array(json.dumps(dataclasses.asdict(trainer.curves))),
    }
    moments = descent.optimiser.state
    models = (trainer.model.trained(), descent.followed.trained(), descent.best.trained())
    for index, (now, followed, best) in enumerate(zip(*models, strict=True)):
        arrays |= {f'now{index}': _copied(now), f'followed{index}': _copied(followed), f'best{index}': _copied(best)}
        arrays |= {f'{name}{index}': _copied(value) for name, value in moments[now].items()}
    return arrays


def _restored(trainer: Trainer, arrays: dict[str, Any]) -> Descent:
    """Set a trainer to what `_arrays` gave."""
    step, best_loss, waited = (float(value) for value in arrays['place'])
    descent = trainer.begin()
    trainer.generator.set_state(torch.from_numpy(arrays['generator']))
    trainer.curves = Curves(**json.loads(str(arrays['curves'])))
    models = {'now': trainer.model, 'followed': descent.followed, 'best': descent.best}
    for name, model in models.items():
        for index, value in enumerate(model.trained()):
            value.data.copy_(torch.from_numpy(arrays[f'{name}{index}']))
    for index, now in enumerate(trainer.model.trained()):
        descent.optimiser.state[now] = {
            name: torch.from_numpy(arrays[f'{name}{index}']) for name in ('step', 'exp_avg', 'exp_avg_sq')
        }
    return dataclasses.replace(descent, step=int(step), best_loss=best_loss, waited=int(waited))


def _copied(value: Tensor) -> np.ndarray:
    return value.detach().numpy().copy()
