"""Read the lab's VelociRoACH logs (one npz a terrain) rollout by rollout, in SI units."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray

MODES = {1: 'slow PID', 2: 'fast PID', 3: 'open-loop PWM'}
OPEN_LOOP = 3
FASTEST_LEG = 25.0
"""A faster encoder step is no motion but a robot that has restarted [rev/s]."""

_RECORD_KEYS = {
    't_robot': (), 't_mocap': (), 'mocap_valid': (), 'pos': (3,), 'quat': (4,), 'cmd': (2,), 'enc': (2,), 'gyro': (3,),
    'bemf': (2,), 'vbat': (),
}  # fmt: skip
_ROLLOUT_KEYS = ('roll_start', 'roll_len', 'roll_mode', 'roll_session')

Arrays = dict[str, NDArray[Any]]


def _warn(text: str) -> None:
    print(f'warning: {text}', file=sys.stderr)


@dataclass(frozen=True)
class LabRollout:
    """One rollout as it was recorded: raw values, N records."""

    number: int
    """Its index in the file."""
    mode: int
    """Key of `MODES`."""
    session: str
    """Terrain, date and time."""
    records: Arrays
    """The record keys of the file, each of shape (N, ...)."""

    @property
    def stamps(self) -> FloatArray:
        """Host times of the telemetry replies [s since the epoch], shape (N,)."""
        return np.asarray(self.records['t_robot'], dtype=np.float64)


def read_lab_log(path: Path, warn: Callable[[str], None] = _warn) -> list[LabRollout]:
    """Read and check a log; rollouts come in the order of time (the file's order is not always that).

    Rollouts of an unknown mode are left out; `warn` gets a line that counts and names them.

    Raises:
        UserError: no such file, not an npz, a key missing, a wrong shape, a value not finite, time running back.
    """
    arrays = _load(path)
    size = len(arrays['t_robot'])
    rollouts: list[LabRollout] = []
    unknown: dict[int, list[int]] = {}
    for number, (start, length, mode, session) in enumerate(zip(*(arrays[key] for key in _ROLLOUT_KEYS), strict=True)):
        if not 0 <= start < start + length <= size:
            raise UserError(f'{path}: rollout {number} spans records {start}..{start + length}, the file has {size}')
        if int(mode) not in MODES:
            unknown.setdefault(int(mode), []).append(number)
            continue
        rows = slice(int(start), int(start) + int(length))
        rollout = LabRollout(number, int(mode), str(session), {key: arrays[key][rows] for key in _RECORD_KEYS})
        if np.any(np.diff(rollout.stamps) <= 0):
            raise UserError(f'{path}: t_robot does not rise within rollout {number}')
        rollouts.append(rollout)
    for mode, numbers in sorted(unknown.items()):
        named = ', '.join(map(str, numbers))
        warn(f'{path}: {len(numbers)} rollouts of the unknown mode {mode} left out ({named})')
    return sorted(rollouts, key=lambda rollout: rollout.stamps[0])


def telemetry_of(rollout: LabRollout, robot: RobotConfig) -> list[Telemetry | None]:
    """Convert a rollout's telemetry to SI, None where a record repeats the reply before it (the lab's stale packets).

    Leg velocity is the encoder step over the host's time step since the last fresh reply. An impossible step means
    that the robot has restarted: the leg angle goes on from where it was and that velocity is 0. The accelerometer
    was not logged; its values are 0.
    """
    records, stamps, scales = rollout.records, rollout.stamps, robot.imageproc.scales
    encoder = records['enc'].astype(np.float64) * (RADIANS_PER_REVOLUTION / scales.encoder_counts)
    replies: list[Telemetry | None] = []
    angle, velocity, last = encoder[0], np.zeros(2), 0
    for i in range(len(stamps)):
        if i > 0 and _same_reply(records, i):
            replies.append(None)
            continue
        if i > 0:
            step, dt = encoder[i] - encoder[last], stamps[i] - stamps[last]
            if np.all(np.abs(step) <= FASTEST_LEG * RADIANS_PER_REVOLUTION * dt):
                angle, velocity = angle + step, step / dt
            else:
                velocity = np.zeros(2)
            last = i
        replies.append(
            Telemetry(
                stamp=float(stamps[i]),
                joint_angle=angle,
                joint_velocity=velocity,
                angular_velocity=records['gyro'][i] * scales.gyro,
                acceleration=np.zeros(3),
                joint_effort=records['bemf'][i] * scales.back_emf * np.array(scales.back_emf_signs),
                battery=float(records['vbat'][i] * scales.battery),
            )
        )
    return replies


def _same_reply(records: Arrays, i: int) -> bool:
    return all(np.array_equal(records[key][i], records[key][i - 1]) for key in ('enc', 'gyro', 'bemf', 'vbat'))


def _load(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [key for key in (*_RECORD_KEYS, *_ROLLOUT_KEYS) if key not in file.files]
            if missing:
                raise UserError(f'{path}: is no VelociRoACH log: the keys {", ".join(missing)} are missing')
            arrays = {key: file[key] for key in (*_RECORD_KEYS, *_ROLLOUT_KEYS)}
    except FileNotFoundError:
        raise UserError(f'{path}: no such file') from None
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise UserError(f'{path}: cannot be read as an npz file: {" ".join(str(error).split())}') from None
    _check(path, arrays)
    return arrays


def _check(path: Path, arrays: Arrays) -> None:
    shapes = {key: (arrays['t_robot'].size, *width) for key, width in _RECORD_KEYS.items()}
    shapes |= dict.fromkeys(_ROLLOUT_KEYS, (arrays['roll_start'].size,))
    for key, shape in shapes.items():
        if arrays[key].shape != shape:
            raise UserError(f'{path}: {key} has the shape {arrays[key].shape}, it should be {shape}')
        kinds = 'US' if key == 'roll_session' else 'biuf'
        if arrays[key].dtype.kind not in kinds:
            raise UserError(f'{path}: {key} has the type {arrays[key].dtype}, which is not of its kind')
        if arrays[key].dtype.kind == 'f' and not np.all(np.isfinite(arrays[key])):
            raise UserError(f'{path}: {key} holds values that are not finite')
