"""Read a model bundle: a folder with model.yaml, theta.npz and ONNX graphs, checked before anything is run.

Nothing in a bundle may execute or reach outside it: arrays are read without pickle, graphs that keep data in other
files are refused, and every file must have the hash that model.yaml names.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from millirobot_adapt.core.dynamics.engine import make_session
from millirobot_adapt.core.dynamics.targets import TARGET_NAMES, TARGET_UNITS, normalised_error
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import ACTION_NAMES, ACTION_UNITS, STATE_NAMES, STATE_UNITS, FloatArray
from millirobot_adapt.core.share import find
from millirobot_adapt.core.yaml_file import read_yaml

SCHEMA = 1
"""Version of model.yaml."""
MANIFEST = 'model.yaml'
REQUIRED_FILES = ('theta.npz', 'rollout.onnx')

# A tensor kept in another file carries the entry 'location' in its external_data: in the protobuf, tag, length, text.
_EXTERNAL_DATA = b'\x0a\x08location'


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
    """Standard deviation of the eight targets (core/dynamics/targets.py) over the training data, shape (8,)."""
    manifest: Mapping[str, Any]
    """model.yaml as read: also the origin of the data and of the training."""
    digest: str
    """SHA-256 of model.yaml, and through its hashes of the whole bundle."""
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def origin(self) -> str:
        """Where its training data came from: 'mock', 'real', or 'unknown' where the manifest does not say."""
        data = self.manifest.get('data')
        return str(data.get('origin', 'unknown')) if isinstance(data, dict) else 'unknown'

    def session(self, name: str, inputs: set[str], provider: str = 'cpu') -> InferenceSession:
        """Load an ONNX graph of the bundle that takes `inputs`, with its named dimensions set to those of theta.

        Raises:
            UserError: the bundle has no such graph; it cannot be loaded; it has other inputs; no such provider.
        """
        if name not in self.files:
            raise UserError(
                f'{self.path}: has no {name}, which the chosen method or engine needs; take a model that was trained '
                'for that method and exported by this version (millirobot export-model)'
            )
        try:
            session = make_session(self.files[name], provider, self._dimensions)
        except UserError:
            raise
        except Exception as error:  # onnxruntime raises a dozen kinds, whose only common base is this
            reason = ' '.join(str(error).split())
            raise UserError(f'{self.path / name}: is not a graph that onnxruntime can load: {reason}') from None
        given = {value.name for value in session.get_inputs()}
        if given != inputs:
            strange = ', '.join(sorted(given ^ inputs))
            raise UserError(f'{self.path / name}: its inputs do not fit theta.npz ({strange}); export the model again')
        return session

    @property
    def _dimensions(self) -> dict[str, int]:
        """Sizes of the graphs' named dimensions: the width of each hidden layer, and T1."""
        biases = [array for name, array in self.theta.items() if name.startswith('b')]
        widths = {f'width{layer}': len(bias) for layer, bias in enumerate(biases[:-1], start=1)}
        return {**widths, 'T1': self.window}

    def prediction_error(self, predicted: FloatArray, actual: FloatArray, state: FloatArray) -> float:
        """Return the normalised error of one predicted next state (24,), given the state (24,) before it."""
        return float(normalised_error(predicted, actual, state, self.target_scale))


def load_bundle(name_or_path: str, robot: RobotConfig) -> Bundle:
    """Load a bundle by its shipped name or by its folder, and check that it fits the robot.

    Raises:
        UserError: a file is missing, damaged or not what its hash says; the model does not fit the robot.
    """
    path = find('models', name_or_path)
    if not (path / MANIFEST).is_file():
        raise UserError(f'{path}: is not a model bundle, it has no {MANIFEST}')
    manifest = read_yaml(path / MANIFEST)
    where = str(path / MANIFEST)
    _check_fit(manifest, robot, where)
    files = _read_files(path, _mapping(manifest, 'files', where))
    scale = _array(_mapping(manifest, 'targets', where).get('scale'), len(TARGET_NAMES), f'{where}: targets: scale')
    return Bundle(
        path=path,
        method=_typed(manifest, 'method', str, where),
        window=_positive(manifest, 'window', where),
        theta=_read_theta(files['theta.npz'], path / 'theta.npz'),
        target_scale=scale,
        manifest=manifest,
        digest=hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest(),
        files=files,
    )


def _check_fit(manifest: Mapping[str, Any], robot: RobotConfig, where: str) -> None:
    """Compare what the model was trained on with the robot, field by field."""
    if manifest.get('schema') != SCHEMA:
        raise UserError(f'{where}: schema {manifest.get("schema")!r} is not {SCHEMA}; export the model again')
    expected = {
        'state': {'names': STATE_NAMES, 'units': STATE_UNITS},
        'action': {'names': ACTION_NAMES, 'units': ACTION_UNITS},
        'targets': {'names': TARGET_NAMES, 'units': TARGET_UNITS},
    }
    for group, lists in expected.items():
        for key, wanted in lists.items():
            given = _mapping(manifest, group, where).get(key)
            if not isinstance(given, list) or tuple(given) != wanted:
                raise UserError(
                    f'{where}: {group} {key} do not fit the robot: {_difference(given, wanted)}; '
                    'choose or train a model for this robot'
                )
    if manifest.get('robot') != robot.name:
        raise UserError(f'{where}: was trained for robot {manifest.get("robot")!r}, not {robot.name!r}')
    dt = manifest.get('dt')
    if not isinstance(dt, float) or not np.isclose(dt, robot.dt, rtol=1e-6):
        raise UserError(f'{where}: dt = {dt!r} s, but the robot is controlled every {robot.dt} s')


def _difference(given: Any, wanted: tuple[str, ...]) -> str:
    """Say where two lists of names differ first."""
    if not isinstance(given, list):
        return f'a list of {len(wanted)} is missing'
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


def _mapping(manifest: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = manifest.get(key)
    if not isinstance(value, dict):
        raise UserError(f'{where}: {key} is missing or not a mapping; export the model again')
    return value


def _typed(manifest: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
    value = manifest.get(key)
    if type(value) is not kind:
        raise UserError(f'{where}: {key} must be of type {kind.__name__}, not {value!r}')
    return value


def _positive(manifest: Mapping[str, Any], key: str, where: str) -> int:
    value: int = _typed(manifest, key, int, where)
    if value < 1:
        raise UserError(f'{where}: {key} = {value} must be at least 1')
    return value


def _array(value: Any, length: int, where: str) -> FloatArray:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != (length,) or not (np.isfinite(array) & (array > 0)).all():
        raise UserError(f'{where}: must be {length} positive numbers, not {value!r}')
    return array
