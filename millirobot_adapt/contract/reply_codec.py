"""Lay one reply of the robot out as one flat array of float64, and read it back: the data of the topic `reply`.

Layout: a header of two numbers (version, count of all numbers), then index, stamp [s], leg angles [rad], leg velocities
[rad/s], gyro [rad/s], accelerometer [m/s^2], back-EMF [V], battery [V]. Sides are ordered left, right. The same numbers
also go out as `legs`, `imu/data_raw`, `battery` and `back_emf`, for people, RViz and bags: no process of this package
has to join them again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray

VERSION = 1
HEADER, FIELDS = 2, 15
STAMP_PLACE = HEADER + 1
"""Where the stamp stands in the array."""


def encode_reply(sample: Telemetry) -> FloatArray:
    """Return the reply as a flat array; the stamp is rounded to a microsecond, as that of the other messages is."""
    return np.hstack(
        [
            [VERSION, HEADER + FIELDS, sample.index, round(sample.stamp * 1e6) / 1e6],
            sample.leg_angle, sample.leg_velocity, sample.angular_velocity, sample.acceleration, sample.back_emf,
            sample.battery,
        ]
    )  # fmt: skip


def decode_reply(data: Sequence[float] | FloatArray) -> Telemetry:
    """Read a flat array back.

    Raises:
        ValueError: another version, a length that does not fit the header, or an index or stamp that is not finite.
    """
    data = np.asarray(data, dtype=float)
    if len(data) != HEADER + FIELDS or data[0] != VERSION or data[1] != len(data):
        raise ValueError(f'not a reply of version {VERSION}')
    values = data[HEADER:]
    if not np.isfinite(values[:2]).all():
        raise ValueError('a reply without index or stamp')
    return Telemetry(
        stamp=float(values[1]),
        leg_angle=values[2:4],
        leg_velocity=values[4:6],
        angular_velocity=values[6:9],
        acceleration=values[9:12],
        back_emf=values[12:14],
        battery=float(values[14]),
        index=int(values[0]),
    )
