"""Read a model bundle: a folder with model.yaml, theta.npz and ONNX graphs, checked before anything is run.

Nothing in a bundle may execute or reach outside it: arrays are read without pickle, graphs that keep data in other
files are refused, and every file must have the hash that model.yaml names.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from pydantic import BaseModel, Field, ValidationError

from millirobot_adapt.core.config_errors import one_line
from millirobot_adapt.core.dynamics.engine import make_session
from millirobot_adapt.core.dynamics.graph_check import GraphTrial, check_graph
from millirobot_adapt.core.dynamics.targets import normalised_error
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.core.share import find
from millirobot_adapt.core.yaml_file import read_yaml

SCHEMA = 1
"""Version of model.yaml."""
MANIFEST = 'model.yaml'
REQUIRED_FILES = ('theta.npz', 'rollout.onnx')

# A tensor kept in another file carries the entry 'location' in its external_data: in the protobuf, tag, length, text.
_EXTERNAL_DATA = b'\x0a\x08location'


Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False, strict=True)]


class Names(BaseModel, frozen=True):
    """What the columns of an array are called, and their units."""

    names: tuple[str, ...]
    units: tuple[str, ...]


class Targets(Names, frozen=True):
    """What the network predicts."""

    scale: tuple[Positive, ...]
    """Standard deviation of each target over the training data."""


class Manifest(BaseModel, frozen=True):
    """What model.yaml must say; whatever else it says, such as where the data came from, is kept as it is."""

    robot: str
    method: str
    """The method it was trained for."""
    dt: Positive
    """Control period [s]."""
    window: Annotated[int, Field(ge=1, strict=True)]
    """T1."""
    state: Names
    action: Names
    targets: Targets
    files: dict[str, str]
    """File -> SHA-256."""


@dataclass(frozen=True)
class Bundle:
    """A model that fits the robot, with its files in memory."""

    path: Path
    method: str
    """The method it was trained for."""
    window: int
    """T1."""
    theta: Mapping[str, NDArray[np.float32]]
    """theta*, named arrays in the order the graphs name them."""
    target_scale: FloatArray
    """Standard deviation of the targets (core/dynamics/targets.py) over the training data, shape (targets,)."""
    manifest: Mapping[str, Any]
    """model.yaml as read: also the origin of the data and of the training."""
    layout: StateLayout
    """Where the numbers of a state stand: the robot's."""
    digest: str
    """SHA-256 of model.yaml, and through its hashes of the whole bundle."""
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def origin(self) -> str:
        """Where its training data came from: 'mock', 'real', or 'unknown' where the manifest does not say."""
        data = self.manifest.get('data')
        return str(data.get('origin', 'unknown')) if isinstance(data, dict) else 'unknown'

    def session(self, name: str, trials: Sequence[GraphTrial]) -> InferenceSession:
        """Load an ONNX graph of the bundle, with its named dimensions set to those of theta, and run the trials.

        Raises:
            UserError: the bundle has no such graph; it cannot be loaded; it does not take and give what the trials say
                (`graph_check.py`).
        """
        if name not in self.files:
            raise UserError(
                f'{self.path}: has no {name}, which the chosen method or engine needs; take a model that was trained '
                'for that method and exported by this version (millirobot export-model)'
            )
        try:
            session = make_session(self.files[name], self._dimensions)
        except Exception as error:  # onnxruntime raises a dozen kinds, whose only common base is this
            reason = ' '.join(str(error).split())
            raise UserError(f'{self.path / name}: is not a graph that onnxruntime can load: {reason}') from None
        try:
            check_graph(session, trials)
        except UserError as error:
            raise UserError(f'{self.path / name}: {error}; export the model again') from None
        return session

    @property
    def _dimensions(self) -> dict[str, int]:
        """Sizes of the graphs' named dimensions: the width of each hidden layer, and T1."""
        biases = [array for name, array in self.theta.items() if name.startswith('b')]
        widths = {f'width{layer}': len(bias) for layer, bias in enumerate(biases[:-1], start=1)}
        return {**widths, 'T1': self.window}

    def prediction_error(self, predicted: FloatArray, actual: FloatArray, state: FloatArray) -> float:
        """Return the normalised error of one predicted next state (nx,), given the state (nx,) before it."""
        return float(normalised_error(self.layout, predicted, actual, state, self.target_scale))


def load_bundle(name_or_path: str, robot: RobotConfig) -> Bundle:
    """Load a bundle by its shipped name or by its folder, and check that it fits the robot.

    Raises:
        UserError: a file is missing, damaged or not what its hash says; the model does not fit the robot.
    """
    path = find('models', name_or_path)
    if not (path / MANIFEST).is_file():
        raise UserError(f'{path}: is not a model bundle, it has no {MANIFEST}')
    content = read_yaml(path / MANIFEST)
    where = str(path / MANIFEST)
    manifest = _manifest(content, where)
    _check_fit(manifest, robot, where)
    files = _read_files(path, manifest.files)
    return Bundle(
        path=path,
        method=manifest.method,
        window=manifest.window,
        theta=_read_theta(files['theta.npz'], path / 'theta.npz'),
        target_scale=np.array(manifest.targets.scale),
        manifest=content,
        layout=robot.layout,
        digest=hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest(),
        files=files,
    )


def _manifest(content: Mapping[str, Any], where: str) -> Manifest:
    if content.get('schema') != SCHEMA:
        raise UserError(f'{where}: schema {content.get("schema")!r} is not {SCHEMA}; export the model again')
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise UserError(f'{where}: {one_line(error)}; export the model again') from None


def _check_fit(manifest: Manifest, robot: RobotConfig, where: str) -> None:
    """Compare what the model was trained on with the robot, field by field."""
    layout = robot.layout
    expected = {
        'state': (manifest.state, layout.state_names, layout.state_units),
        'action': (manifest.action, layout.action_names, layout.action_units),
        'targets': (manifest.targets, layout.target_names, layout.target_units),
    }
    for group, (given, names, units) in expected.items():
        for key, found, wanted in (('names', given.names, names), ('units', given.units, units)):
            if found != wanted:
                raise UserError(
                    f'{where}: {group} {key} do not fit the robot: {_difference(found, wanted)}; '
                    'choose or train a model for this robot'
                )
    scales, wanted_scales = len(manifest.targets.scale), len(layout.target_names)
    if scales != wanted_scales:
        raise UserError(
            f'{where}: targets: scale has {scales} values instead of {wanted_scales}; export the model again'
        )
    if manifest.robot != robot.name:
        raise UserError(f'{where}: was trained for robot {manifest.robot!r}, not {robot.name!r}')
    if not np.isclose(manifest.dt, robot.dt, rtol=1e-6):
        raise UserError(f'{where}: dt = {manifest.dt!r} s, but the robot is controlled every {robot.dt} s')


def _difference(given: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    """Say where two lists of names differ first."""
    if len(given) != len(wanted):
        return f'{len(given)} instead of {len(wanted)}'
    place = next(index for index, name in enumerate(wanted) if given[index] != name)
    return f'number {place} is {given[place]!r} instead of {wanted[place]!r}'


def _read_files(path: Path, hashes: Mapping[str, Any]) -> dict[str, bytes]:
    """Read every file the manifest names; what is hashed is what is used."""
    for name in REQUIRED_FILES:
        if name not in hashes:
            raise UserError(f'{path / MANIFEST}: files: {name} is missing; export the model again')
    return {name: _read_file(path, name, digest) for name, digest in hashes.items()}


def _read_file(path: Path, name: str, digest: Any) -> bytes:
    file = path / name
    if not file.resolve().is_relative_to(path.resolve()):
        raise UserError(f'{path / MANIFEST}: files: {name} is outside the bundle')
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f'{file}: cannot be read ({error.strerror}); the bundle is incomplete') from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise UserError(f'{file}: does not have the SHA-256 that {MANIFEST} names; the bundle is damaged or was edited')
    if name.endswith('.onnx') and _EXTERNAL_DATA in content:
        raise UserError(f'{file}: keeps data outside itself, which is refused; export it with all data inside')
    return content


def _read_theta(content: bytes, path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            theta = {name: np.asarray(arrays[name], dtype=np.float32) for name in arrays.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f'{path}: cannot be read as arrays: {error}') from None
    if not all(np.isfinite(array).all() for array in theta.values()):
        raise UserError(f'{path}: holds values that are not finite; train the model again')
    return theta
