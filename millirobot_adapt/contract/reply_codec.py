"""Lay one reply of the robot out as one flat array of float64, and read it back: the data of the topic `reply`.

Layout: a header of two numbers (version, count of all numbers), then index, stamp [s], angles of the joints [rad],
their velocities [rad/s], gyro [rad/s], accelerometer [m/s^2], their effort [in the unit of the robot's file], battery
[V]. In version 1 there are two joints; in version 2 the stamp is followed by the number of joints and of efforts. The
same numbers also go out as `legs`, `imu/data_raw`, `battery` and `back_emf`, for people, RViz and bags: no process of
this package has to join them again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray

VERSION = 2
HEADER = 2
BESIDE_JOINTS = 9
"""Numbers that every reply has: index, stamp, gyro, accelerometer, battery."""
STAMP_PLACE = HEADER + 1
"""Where the stamp stands in the array."""


def encode_reply(sample: Telemetry) -> FloatArray:
    """Return the reply as a flat array; the stamp is rounded to a microsecond, as that of the other messages is."""
    joints, efforts = len(sample.joint_velocity), len(sample.joint_effort)
    version, counts = (1, []) if (joints, efforts) == (2, 2) else (2, [joints, efforts])
    size = HEADER + BESIDE_JOINTS + len(counts) + 2 * joints + efforts
    return np.hstack(
        [
            [version, size, sample.index, round(sample.stamp * 1e6) / 1e6], counts,
            sample.joint_angle, sample.joint_velocity, sample.angular_velocity, sample.acceleration,
            sample.joint_effort, sample.battery,
        ]
    )  # fmt: skip


def decode_reply(data: Sequence[float] | FloatArray) -> Telemetry:
    """Read a flat array back.

    Raises:
        ValueError: another version, a length that does not fit the header, or an index or stamp that is not finite.
    """
    data = np.asarray(data, dtype=float)
    if len(data) < HEADER + BESIDE_JOINTS or data[0] not in (1, VERSION) or data[1] != len(data):
        raise ValueError(f'not a reply of version 1 or {VERSION}')
    index, stamp = data[HEADER : HEADER + 2]
    if not np.isfinite([index, stamp]).all():
        raise ValueError('a reply without index or stamp')
    (joints, efforts), begin = ((2.0, 2.0), HEADER + 2) if data[0] == 1 else (data[HEADER + 2 : HEADER + 4], HEADER + 4)
    sizes = np.array([joints, joints, 3, 3, efforts, 1])
    if not (sizes >= 0).all() or begin + sizes.sum() != len(data):
        raise ValueError('not a reply: its length is not what its header says')
    angle, velocity, gyro, acceleration, effort, battery = np.split(data[begin:], np.cumsum(sizes[:-1].astype(int)))
    return Telemetry(
        stamp=float(stamp),
        joint_angle=angle,
        joint_velocity=velocity,
        angular_velocity=gyro,
        acceleration=acceleration,
        joint_effort=effort,
        battery=float(battery[0]),
        index=int(index),
    )
