"""Lay a tick record out as one flat array of float64, and read it back: the data of the topic `tick`.

Layout: a header of six numbers (version, nx, nu, T1, H, count of all numbers), then the fields of `TickRecord` in the
order of their declaration, arrays row by row. Absent values are NaN, and so is what an older version did not record.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.robot.layout import FloatArray

VERSION = 5
HEADER = 6


def encode_tick(record: TickRecord) -> FloatArray:
    """Return the record as a flat array."""
    t1, horizon = len(record.window_mask), len(record.plan_actions)
    parts = [np.ravel(np.asarray(getattr(record, field.name), dtype=float)) for field in dataclasses.fields(record)]
    body = np.concatenate(parts)
    header = [VERSION, len(record.state), len(record.executing), t1, horizon, HEADER + len(body)]
    return np.concatenate([np.array(header, dtype=float), body])


def decode_tick(data: FloatArray) -> TickRecord:
    """Read a flat array back.

    Raises:
        ValueError: a newer version, or a length that does not fit the header.
    """
    data = np.asarray(data, dtype=float)
    if (
        len(data) < HEADER
        or not 1 <= data[0] <= VERSION
        or data[5] != len(data)
        or not np.isfinite(data[:HEADER]).all()
    ):
        raise ValueError(f'not a tick record of version 1 to {VERSION}')
    nx, nu, t1, h = (int(value) for value in data[1:5])
    sizes = {'nx': nx, 'nu': nu, 'T1': t1, 'H': h, 'H1': h + 1}
    values: dict[str, Any] = {}
    place = HEADER
    for field in dataclasses.fields(TickRecord):
        if field.metadata.get('since', 1) > data[0]:
            continue
        shape = tuple(sizes[letter] for letter in field.metadata.get('shape', ()))
        count = int(np.prod(shape)) if shape else 1
        if place + count > len(data):
            raise ValueError('tick record is shorter than its header says')
        values[field.name] = data[place : place + count].reshape(shape) if shape else float(data[place])
        place += count
    if place != len(data):
        raise ValueError('tick record is longer than its header says')
    return TickRecord(**values)
