"""Lay a state and its quality out as one flat array of float64, and read it back: the data of the topic `state`.

Layout: a header of three numbers (version, nx, count of all numbers), then index and stamp [s], the quality (age of the
last accepted pose [s], standard deviations of position [m] and heading [rad], coasting 0 or 1, code of `PoseFault`),
then the nx numbers of the state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from millirobot_adapt.core.estimation.quality import PoseFault, StateQuality, StateSample
from millirobot_adapt.core.robot.state import FloatArray

VERSION = 1
HEADER, FIELDS = 3, 7


def encode_state(sample: StateSample) -> FloatArray:
    """Return the sample as a flat array."""
    quality = sample.quality
    fields = [
        sample.index, sample.stamp, quality.pose_age, quality.position_sd, quality.heading_sd, quality.coasting,
        quality.fault,
    ]  # fmt: skip
    nx = len(sample.state)
    header = [VERSION, nx, HEADER + FIELDS + nx]
    return np.concatenate([np.array([*header, *fields], dtype=float), np.asarray(sample.state, dtype=float)])


def decode_state(data: Sequence[float] | FloatArray) -> StateSample:
    """Read a flat array back.

    Raises:
        ValueError: another version, a length that does not fit the header, or a fault that is not known.
    """
    data = np.asarray(data, dtype=float)
    fits = len(data) >= HEADER and data[2] == len(data) and data[1] == len(data) - HEADER - FIELDS
    if not fits or data[0] != VERSION:
        raise ValueError(f'not a state of version {VERSION}')
    index, stamp, pose_age, position_sd, heading_sd, coasting, fault = data[HEADER : HEADER + FIELDS]
    if not np.isfinite([index, stamp, fault]).all():
        raise ValueError('a state without number, stamp or fault')
    quality = StateQuality(
        float(pose_age), float(position_sd), float(heading_sd), coasting != 0.0, PoseFault(int(fault))
    )
    return StateSample(int(index), float(stamp), data[HEADER + FIELDS :], quality)
