"""The file of collected rollouts: what `collect` writes and `train` reads."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.control.history import is_valid_step
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import whole_file
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout, read_layout

LAYOUT = 'layout'
"""Key of the layout in the metadata."""
REQUIRED = ('robot', 'dt', 'origin')
"""What the metadata must say."""


@dataclass(frozen=True)
class CollectedRollouts:
    """N rollouts of L control periods each; transition i leads from states[i] by actions[i] to states[i + 1]."""

    states: NDArray[np.float32]
    """As the estimator gave them live, shape (N, L + 1, nx)."""
    actions: NDArray[np.float32]
    """Actions really sent, shape (N, L, nu)."""
    stamps: NDArray[np.float64]
    """Time of each state [s], shape (N, L + 1)."""
    valid: NDArray[np.bool_]
    """False where a transition must not be learned from (gap in time, not finite), shape (N, L)."""
    metadata: dict[str, Any]
    """Origin, seed, versions, conditions, layout."""

    @property
    def layout(self) -> StateLayout:
        """Where the numbers of states and actions stand; files of earlier versions are of VelociRoACH.

        Raises:
            ValueError: the metadata hold no layout that makes sense.
        """
        return read_layout(self.metadata[LAYOUT]) if LAYOUT in self.metadata else RobotConfig().layout

    def save(self, path: Path) -> None:
        """Write one compressed npz; a file under that name is a whole one at any moment."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            np.savez_compressed(
                file, states=self.states, actions=self.actions, stamps=self.stamps, valid=self.valid,
                metadata=np.array(json.dumps(self.metadata)),
            )  # fmt: skip

    def digest(self) -> str:
        """Hash the content (not the file, whose compression may differ): SHA-256."""
        arrays = (self.states, self.actions, self.stamps, self.valid)
        return hashlib.sha256(b''.join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def load_rollouts(path: Path) -> CollectedRollouts:
    """Read a file that `save` wrote.

    Raises:
        UserError: no such file, or not a file of rollouts.
    """
    try:
        with _archive(path) as file:
            rollouts = CollectedRollouts(
                states=file['states'],
                actions=file['actions'],
                stamps=file['stamps'],
                valid=file['valid'],
                metadata=json.loads(str(file['metadata'])),
            )
    except FileNotFoundError:
        raise UserError(f'{path}: no such file; make one with `millirobot collect --out {path}`') from None
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f'{path}: is not a file of rollouts ({error}); make one with `millirobot collect`') from None
    missing = [key for key in REQUIRED if not isinstance(rollouts.metadata, dict) or key not in rollouts.metadata]
    if missing:
        raise UserError(f'{path}: does not say its {missing[0]}; collect the data again with this version')
    count, length = rollouts.valid.shape if rollouts.valid.ndim == 2 else (0, 0)
    try:
        nx, nu = rollouts.layout.nx, rollouts.layout.nu
    except ValueError as error:
        raise UserError(f'{path}: {error}; collect the data again with this version') from None
    shapes = {'states': (count, length + 1, nx), 'actions': (count, length, nu), 'stamps': (count, length + 1)}
    for name, shape in shapes.items():
        if getattr(rollouts, name).shape != shape:
            raise UserError(f'{path}: the shapes of {name} and valid do not belong together')
    _check_values(path, rollouts)
    return rollouts


def holds_rollouts(path: Path) -> bool:
    """Tell whether an npz file is one of rollouts; logs of the lab are npz files, too."""
    try:
        with _archive(path) as file:
            return 'valid' in file and 'metadata' in file
    except (OSError, EOFError, ValueError, zipfile.BadZipFile):
        return False


def _archive(path: Path) -> Any:
    """Open an npz file.

    Raises:
        ValueError: it is none, whatever its name.
    """
    file = np.load(path, allow_pickle=False)
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise ValueError('a single array and no npz')
    return file


def _check_values(path: Path, rollouts: CollectedRollouts) -> None:
    """Check that what is marked valid can be learned from.

    Raises:
        UserError: values are no numbers; `valid` is not of booleans; a valid transition holds a value that is not
            finite.
    """
    kinds = {'states': 'f', 'actions': 'f', 'stamps': 'f', 'valid': 'b'}
    for name, kind in kinds.items():
        dtype = getattr(rollouts, name).dtype
        if dtype.kind != kind:
            wanted = 'true or false' if kind == 'b' else 'floating-point numbers'
            raise UserError(f'{path}: {name} holds {dtype} where {wanted} are needed; collect the data again')
    states = np.asarray(np.isfinite(rollouts.states).all(-1))
    finite = states[:, :-1] & states[:, 1:] & np.isfinite(rollouts.actions).all(-1)
    wrong = np.argwhere(rollouts.valid & ~finite)
    if len(wrong):
        rollout, transition = wrong[0]
        more = f' ({len(wrong)} such transitions)' if len(wrong) > 1 else ''
        raise UserError(
            f'{path}: transition {transition} of rollout {rollout} is marked valid but is not finite{more}; '
            'mark it as not valid, or collect the data again'
        )


def mark_valid(states: NDArray[np.floating], stamps: NDArray[np.float64], dt: float) -> NDArray[np.bool_]:
    """Mark the transitions (N, L) whose states (N, L + 1, nx) are finite and about a control period apart."""
    finite = np.isfinite(states).all(-1)
    in_time: NDArray[np.bool_] = is_valid_step(np.diff(stamps, axis=-1), dt)
    return in_time & finite[..., 1:] & finite[..., :-1]


def concatenate(parts: Sequence[CollectedRollouts], metadata: dict[str, Any]) -> CollectedRollouts:
    """Put rollouts one after the other; shorter ones are filled up with transitions that are not valid."""
    length = max(part.valid.shape[1] for part in parts)
    return CollectedRollouts(
        np.concatenate([_lengthened(part.states, length + 1, np.nan) for part in parts]),
        np.concatenate([_lengthened(part.actions, length, np.nan) for part in parts]),
        np.concatenate([_lengthened(part.stamps, length + 1, np.nan) for part in parts]),
        np.concatenate([_lengthened(part.valid, length, False) for part in parts]),
        metadata,
    )


def _lengthened(array: NDArray[Any], length: int, filling: float) -> NDArray[Any]:
    """Make the rollouts of an array (N, L, ...) `length` long."""
    more = [(0, 0)] * array.ndim
    more[1] = (0, length - array.shape[1])
    return np.pad(array, more, constant_values=filling)


Walk = tuple[FloatArray, FloatArray, FloatArray]
"""Stamps (N,) [s], states (N, nx), and the actions (N, nu) sent from each state to the next, NaN where unknown."""


def cut_walks(walks: Sequence[Walk], length: int, robot: RobotConfig, metadata: dict[str, Any]) -> CollectedRollouts:
    """Cut walks into rollouts of `length` transitions; the last one of a walk is filled up with NaN.

    What is filled up is not valid, nor is a transition while the robot is told to stand.
    """
    cuts = [(walk, begin) for walk in walks for begin in range(0, len(walk[0]) - 1, length)]
    layout = robot.layout
    states = np.full((len(cuts), length + 1, layout.nx), np.nan, dtype=np.float32)
    actions = np.full((len(cuts), length, layout.nu), np.nan, dtype=np.float32)
    stamps = np.full((len(cuts), length + 1), np.nan)
    for row, ((times, seen, sent), begin) in enumerate(cuts):
        count = min(length, len(times) - 1 - begin)
        stamps[row, : count + 1] = times[begin : begin + count + 1]
        states[row, : count + 1] = seen[begin : begin + count + 1]
        actions[row, :count] = sent[begin : begin + count]
    walking = np.isfinite(actions).all(-1) & (actions != layout.neutral.astype(np.float32)).any(-1)
    return CollectedRollouts(
        states, actions, stamps, mark_valid(states, stamps, robot.dt) & walking, {**metadata, LAYOUT: layout.record()}
    )
