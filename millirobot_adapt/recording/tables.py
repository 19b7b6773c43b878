"""Lay the messages of a bag out as tables of plain columns, named with their units."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from millirobot_adapt.contract.messages import joint_values, quaternion, seconds, vector
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout

Row = dict[str, Any]
"""Values by column name; a column that a row lacks is NaN or empty there."""


def rows_of(kind: str, message: Any, received: float) -> list[Row]:
    """Return the rows of one message of type `kind`, received at `received` [s since the epoch]; none if not laid out.

    Raises:
        ValueError, IndexError: the content of the message makes no sense.
    """
    read = _READERS.get(kind)
    return [] if read is None else [{'received_s': received} | row for row in read(message)]


def quality_row(sample: StateSample) -> Row:
    """Return index and stamp of a state, and how far its pose can be trusted."""
    quality = sample.quality
    return {
        'index': float(sample.index),
        'stamp_s': sample.stamp,
        'pose_age_s': quality.pose_age,
        'position_sd_m': quality.position_sd,
        'heading_sd_rad': quality.heading_sd,
        'coasting': float(quality.coasting),
        'fault': quality.fault.name.lower(),
    }


def tick_row(record: TickRecord, layout: StateLayout) -> Row:
    """Return the numbers of one tick: its single values, the state, what was executing, sent, and decided as next."""
    row: Row = {}
    for field in dataclasses.fields(record):
        if 'shape' not in field.metadata:
            row[_TICK_UNITS.get(field.name, field.name)] = getattr(record, field.name)
    row |= state_row(record.state, layout)
    following = record.plan_actions[1] if len(record.plan_actions) > 1 else np.full(layout.nu, np.nan)
    for name, action in (('executing', record.executing), ('sent_before', record.sent), ('next', following)):
        row |= action_row(name, action, layout)
    return row


def action_row(name: str, action: FloatArray, layout: StateLayout) -> Row:
    """Return the numbers of an action, shape (nu,), in columns that begin with `name` and end with the unit."""
    columns = [each + _unit(unit) for each, unit in zip(layout.action_names, layout.action_units, strict=True)]
    return {f'{name}_{column}': float(value) for column, value in zip(columns, action, strict=True)}


def command_row(message: Any, layout: StateLayout) -> Row:
    """Return the stamp and the numbers of a JointState that holds an action, in columns that end with the unit.

    Raises:
        ValueError: it does not hold all actions of the robot.
    """
    action = joint_values(message, layout.action_names)
    columns = (name + _unit(unit) for name, unit in zip(layout.action_names, layout.action_units, strict=True))
    return _stamped(message) | {column: float(value) for column, value in zip(columns, action, strict=True)}


def state_row(state: FloatArray, layout: StateLayout) -> Row:
    """Return the numbers of a state, shape (nx,)."""
    return {name: float(value) for name, value in zip(state_columns(layout), state, strict=True)}


def spread_row(covariance: FloatArray, layout: StateLayout) -> Row:
    """Return the standard deviations of the numbers of a state, from its covariance, shape (nx, nx)."""
    spread = np.sqrt(np.diag(covariance))
    return {f'sd_{name}': float(value) for name, value in zip(state_columns(layout), spread, strict=True)}


def state_columns(layout: StateLayout) -> tuple[str, ...]:
    """Return the columns of a state, with their units."""
    return tuple(name + _unit(unit) for name, unit in zip(layout.state_names, layout.state_units, strict=True))


def columns_of(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """Turn rows into columns of equal length: float64, int64 or text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    for name in names:
        found = [row[name] for row in rows if name in row]
        missing: Any = '' if isinstance(found[0], str) else np.nan
        values = found if len(found) == len(rows) else [row.get(name, missing) for row in rows]
        columns[name] = np.array(values)
    return columns


def _unit(unit: str) -> str:
    """Spell a unit as it ends a column name: m/s -> _m_s."""
    return '' if unit == '1' else '_' + unit.lower().replace('/', '_').replace('^', '')


_TICK_UNITS = {
    'stamp': 'stamp_s',
    'state_stamp': 'state_stamp_s',
    'cross_track': 'cross_track_m',
    'progress': 'progress_m',
    'arc_length': 'arc_length_m',
    'credit': 'credit_m',
    'left_out': 'left_out_m',
}
_LEVELS = ('ok', 'warn', 'error', 'stale')


def _stamped(message: Any) -> Row:
    return {'stamp_s': seconds(message.header.stamp)}


def _xyz(prefix: str, values: Any, unit: str) -> Row:
    return {f'{prefix}{axis}_{unit}': float(value) for axis, value in zip('xyz', vector(values), strict=True)}


def _pose_row(pose: Any) -> Row:
    orientation = quaternion(pose.orientation)
    angles = roll_pitch_yaw(orientation)
    row = _xyz('', pose.position, 'm')
    row |= {f'q{axis}': float(value) for axis, value in zip('xyzw', orientation, strict=True)}
    return row | {f'{name}_rad': float(angle) for name, angle in zip(('roll', 'pitch', 'yaw'), angles, strict=True)}


def _pose_stamped(message: Any) -> Iterable[Row]:
    yield _stamped(message) | _pose_row(message.pose)


def _joint_state(message: Any) -> Iterable[Row]:
    row = _stamped(message)
    for values, ending in ((message.velocity, 'rad_s'), (message.position, 'rad'), (message.effort, 'effort')):
        if len(values):
            row |= {f'{name}_{ending}': float(value) for name, value in zip(message.name, values, strict=True)}
    yield row


def _imu(message: Any) -> Iterable[Row]:
    gyro = _xyz('w', message.angular_velocity, 'rad_s')
    yield _stamped(message) | gyro | _xyz('a', message.linear_acceleration, 'm_s2')


def _battery(message: Any) -> Iterable[Row]:
    yield _stamped(message) | {'voltage_v': float(message.voltage)}


def _odometry(message: Any) -> Iterable[Row]:
    twist = message.twist.twist
    body = _xyz('body_v', twist.linear, 'm_s') | _xyz('w', twist.angular, 'rad_s')
    yield _stamped(message) | _pose_row(message.pose.pose) | body


def _path(message: Any) -> Iterable[Row]:
    for index, pose in enumerate(message.poses):
        yield _stamped(message) | {'point': index} | _xyz('', pose.pose.position, 'm')


def _status(message: Any) -> Iterable[Row]:
    level = message.level if isinstance(message.level, int) else int.from_bytes(message.level, 'little')
    values = json.dumps({pair.key: pair.value for pair in message.values})
    yield {'level': _LEVELS[level], 'name': message.name, 'message': message.message, 'values': values}


def _statuses(message: Any) -> Iterable[Row]:
    for status in message.status:
        yield from (_stamped(message) | row for row in _status(status))


def _text(message: Any) -> Iterable[Row]:
    yield {'text': message.data}


_READERS: Mapping[str, Callable[[Any], Iterable[Row]]] = {
    'geometry_msgs/msg/PoseStamped': _pose_stamped,
    'sensor_msgs/msg/JointState': _joint_state,
    'sensor_msgs/msg/Imu': _imu,
    'sensor_msgs/msg/BatteryState': _battery,
    'nav_msgs/msg/Odometry': _odometry,
    'nav_msgs/msg/Path': _path,
    'diagnostic_msgs/msg/DiagnosticStatus': _status,
    'diagnostic_msgs/msg/DiagnosticArray': _statuses,
    'std_msgs/msg/String': _text,
}
