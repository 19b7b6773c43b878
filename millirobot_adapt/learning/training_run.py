"""The folder a training run leaves: the trained arrays, where they come from, and the learning curves as a figure."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from millirobot_adapt.analysis.figure_style import save_png, styled
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import write_together
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.learning.curves_figure import draw_curves
from millirobot_adapt.learning.methods import METHODS
from millirobot_adapt.learning.methods.training_interface import Model
from millirobot_adapt.learning.network import INPUT_CLIP, Normalisation
from millirobot_adapt.learning.train import Curves

ARRAYS, RECORD, FIGURE = 'model.npz', 'training.yaml', 'curves.png'
_NORMALISATION = tuple(field.name for field in dataclasses.fields(Normalisation))


@dataclasses.dataclass(frozen=True)
class TrainedRun:
    """A trained model and its origin."""

    model: Model
    record: dict[str, Any]
    """method, window, robot, data (where it comes from), training (parameters, seed, results)."""

    def save(self, folder: Path, curves: Curves) -> None:
        """Write the run into `folder` (made if missing).

        An earlier run there stays whole where the disk is full. The arrays come last: where they are, the run is whole,
        whenever the process was killed.

        Raises:
            OSError: the disk does not take it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        arrays = dataclasses.asdict(self.model.normalisation) | self.model.arrays()
        content = io.BytesIO()
        np.savez(content, **{name: torch.as_tensor(value).detach().numpy() for name, value in arrays.items()})
        record = yaml.safe_dump(self.record, sort_keys=False).encode('utf-8')
        write_together(folder, {RECORD: record, ARRAYS: content.getvalue()})
        with styled():
            save_png(draw_curves(curves), folder / FIGURE)


def load_training_run(folder: Path) -> TrainedRun:
    """Read a run that `save` wrote.

    Raises:
        UserError: the folder holds no finished run.
    """
    if not (folder / ARRAYS).is_file():
        raise UserError(f'{folder}: holds no finished training run; make one with `millirobot train --out {folder}`')
    with np.load(folder / ARRAYS, allow_pickle=False) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files}

    record = read_yaml(folder / RECORD)
    given: dict[str, Any] = {name: arrays.pop(name) for name in _NORMALISATION if name in arrays}
    normalisation = Normalisation(**{**given, 'clip': float(given.get('clip', INPUT_CLIP))})
    return TrainedRun(METHODS[record['method']].restore(normalisation, arrays), record)
