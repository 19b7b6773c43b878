"""The folder a training run leaves: the trained arrays, where they come from, and the learning curves as a figure."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from matplotlib.figure import Figure

from millirobot_adapt.core.config import read_yaml
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.network import Normalisation
from millirobot_adapt.learning.train import Curves, Model

ARRAYS, RECORD, FIGURE = 'model.npz', 'training.yaml', 'curves.png'
_NORMALISATION = tuple(field.name for field in dataclasses.fields(Normalisation))


@dataclasses.dataclass(frozen=True)
class TrainedRun:
    """A trained model with its normalisation and its origin."""

    model: Model
    normalisation: Normalisation
    record: dict[str, Any]
    """method, window, robot, data (where it comes from), training (parameters, seed, results)."""

    def save(self, folder: Path, curves: Curves) -> None:
        """Write the run into `folder` (made if missing)."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {name: getattr(self.normalisation, name).numpy() for name in _NORMALISATION}
        for kind, tensors in (('theta', self.model.theta), ('log_psi', self.model.log_psi)):
            arrays |= {f'{kind}{index}': tensor.detach().numpy() for index, tensor in enumerate(tensors)}
        np.savez(folder / ARRAYS, **arrays)
        (folder / RECORD).write_text(yaml.safe_dump(self.record, sort_keys=False), encoding='utf-8')
        draw_curves(curves).savefig(folder / FIGURE, dpi=120)


def load_run(folder: Path) -> TrainedRun:
    """Read a run that `save` wrote.

    Raises:
        UserError: the folder holds no finished run.
    """
    if not (folder / ARRAYS).is_file():
        raise UserError(f'{folder}: holds no finished training run; make one with `millirobot train --out {folder}`')
    with np.load(folder / ARRAYS, allow_pickle=False) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files}

    def numbered(kind: str) -> list[torch.Tensor]:
        count = sum(name.startswith(kind) for name in arrays)
        return [arrays[f'{kind}{index}'] for index in range(count)]

    model = Model(numbered('theta'), numbered('log_psi'))
    normalisation = Normalisation(**{name: arrays[name] for name in _NORMALISATION})
    return TrainedRun(model, normalisation, read_yaml(folder / RECORD))


def draw_curves(curves: Curves) -> Figure:
    """Draw loss and open-loop errors over training."""
    figure = Figure(figsize=(9, 3), layout='constrained')
    loss, position, heading = figure.subplots(1, 3)
    loss.plot(curves.step, curves.training_loss, label='training')
    loss.plot(curves.step, curves.validation_loss, label='validation, open loop')
    loss.legend()
    position.plot(curves.step, curves.position)
    heading.plot(curves.step, curves.heading)
    titles = ('loss', 'position error at the horizon [m]', 'heading error at the horizon [rad]')
    for axes, title in zip((loss, position, heading), titles, strict=True):
        axes.set(title=title, xlabel='gradient steps')
        axes.grid(alpha=0.3)
    return figure
