"""Keep in a bundle what training needs to go on from it: the arrays that the runtime has no use for."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from millirobot_adapt.core.dynamics.bundle import MANIFEST, load_bundle
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.learning.methods import METHODS
from millirobot_adapt.learning.methods.training_interface import Model
from millirobot_adapt.learning.network import INPUT_CLIP, Normalisation
from millirobot_adapt.learning.training_run import ARRAYS, load_training_run

FILE = 'learner.npz'
"""The arrays of a model (`Model.arrays`) that theta.npz does not hold, and its normalisation."""
_NORMALISATION = tuple(field.name for field in dataclasses.fields(Normalisation))


def learner_parts(model: Model, theta: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Divide what training needs into arrays to keep, and names of those that are in theta.npz already."""
    kept: dict[str, np.ndarray] = {}
    shared: dict[str, str] = {}
    for name, tensor in model.arrays().items():
        array = tensor.detach().numpy()
        same = next((other for other, known in theta.items() if np.array_equal(known, array)), None)
        if same is None:
            kept[name] = array
        else:
            shared[name] = same
    for name, value in dataclasses.asdict(model.normalisation).items():
        kept[name] = torch.as_tensor(value).detach().numpy()
    return kept, shared


def npz(arrays: Mapping[str, Any]) -> bytes:
    """Serialise named arrays; numpy writes the same bytes for the same arrays (fixed time stamps)."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@dataclasses.dataclass(frozen=True)
class Start:
    """A model that training begins with."""

    model: Model
    record: Mapping[str, Any]
    """What its training run or its bundle says of it."""
    digest: str
    """SHA-256 of the file that its hashes hang on: model.yaml of a bundle, the arrays of a run."""


def load_start(folder: Path, robot: RobotConfig) -> Start:
    """Read a training run or a bundle to go on from; its tensors can be trained.

    Raises:
        UserError: it is neither, does not fit the robot, or is a bundle without `FILE`.
    """
    if (folder / MANIFEST).is_file():
        start = _from_bundle(folder, robot)
    else:
        run = load_training_run(folder)
        start = Start(run.model, run.record, hashlib.sha256((folder / ARRAYS).read_bytes()).hexdigest())
        if run.record['robot'] != robot.name:
            raise UserError(f'{folder}: was trained for robot {run.record["robot"]!r}, the data are of {robot.name!r}')
    if not start.model.trained():
        raise UserError(
            f'{folder}: method {start.record["method"]} is fitted, and not trained by gradient descent; '
            'train it without --from on all data'
        )
    for tensor in start.model.trained():
        tensor.requires_grad_()
    return start


def _from_bundle(folder: Path, robot: RobotConfig) -> Start:
    bundle = load_bundle(str(folder), robot)
    if FILE not in bundle.files:
        raise UserError(f'{folder}: holds no {FILE}, like bundles of earlier versions; name the training run instead')
    with np.load(io.BytesIO(bundle.files[FILE]), allow_pickle=False) as file:
        arrays: dict[str, Tensor] = {name: torch.from_numpy(file[name]) for name in file.files}
    record = read_yaml(folder / MANIFEST)
    arrays |= {name: torch.from_numpy(bundle.theta[same].copy()) for name, same in record.get('learner', {}).items()}
    given: dict[str, Any] = {name: arrays.pop(name) for name in _NORMALISATION if name in arrays}
    normalisation = Normalisation(**{**given, 'clip': float(given.get('clip', INPUT_CLIP))})
    return Start(METHODS[bundle.method].restore(normalisation, arrays), record, bundle.digest)
