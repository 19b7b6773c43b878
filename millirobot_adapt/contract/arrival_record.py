"""The record of one arrival at the estimator: the poses and the telemetry it took since the record before, in order.

Odometry depends on the order in which poses and replies reached the estimator, and a bag only knows in which order they
reached the recorder. From these records, topic `estimator/record`, every odometry comes again bit for bit.

Layout, one flat array of float64: a header of four numbers (version, number of the record, poses in it, replies in it:
0 or 1), then each pose (stamp, x y z, quaternion xyzw), then the reply (stamp, leg angles, leg velocities, gyro,
accelerometer, back-EMF, battery), in the units of core/robot/samples.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.estimation.interface import Estimate, Estimator
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry
from millirobot_adapt.core.robot.state import FloatArray

VERSION = 1
HEADER, POSE, REPLY = 4, 8, 14
"""Numbers in a header, a pose and a reply."""
MOST_POSES = 500
"""A record is written after so many poses even if no reply comes (five seconds of motion capture)."""


@dataclass(frozen=True)
class ArrivalRecord:
    """Poses, and the telemetry reply that came after them."""

    number: int
    """Counts the records of one estimator from 0 on."""
    poses: tuple[PoseSample, ...]
    """In the order of their arrival."""
    telemetry: Telemetry | None
    """The reply that was answered; None where only poses came for long."""

    def encode(self) -> FloatArray:
        """Return the flat array."""
        replies = [] if self.telemetry is None else [self.telemetry]
        parts: list[object] = [VERSION, self.number, len(self.poses), len(replies)]
        for pose in self.poses:
            parts += [pose.stamp, pose.position, pose.quaternion]
        for reply in replies:
            parts += [reply.stamp, reply.leg_angle, reply.leg_velocity, reply.angular_velocity]
            parts += [reply.acceleration, reply.back_emf, reply.battery]
        return np.hstack([np.asarray(part, dtype=float) for part in parts])

    @classmethod
    def decode(cls, data: FloatArray) -> ArrivalRecord:
        """Read a flat array back.

        Raises:
            ValueError: another version, or a length that does not fit the header.
        """
        data = np.asarray(data, dtype=float)
        if len(data) < HEADER or data[0] != VERSION or not np.isfinite(data[:HEADER]).all():
            raise ValueError(f'not an arrival record of version {VERSION}')
        number, poses, replies = (int(value) for value in data[1:HEADER])
        if poses < 0 or replies not in (0, 1) or len(data) != HEADER + POSE * poses + REPLY * replies:
            raise ValueError('arrival record has another length than its header says')
        end = HEADER + POSE * poses
        rows = data[HEADER:end].reshape(poses, POSE)
        return cls(
            number,
            tuple(PoseSample(float(row[0]), row[1:4], row[4:8]) for row in rows),
            _reply(data[end:]) if replies else None,
        )


def _reply(values: FloatArray) -> Telemetry:
    return Telemetry(
        stamp=float(values[0]),
        leg_angle=values[1:3],
        leg_velocity=values[3:5],
        angular_velocity=values[5:8],
        acceleration=values[8:11],
        back_emf=values[11:13],
        battery=float(values[13]),
    )


class ArrivalLog:
    """Collect what arrives at an estimator into records."""

    def __init__(self) -> None:
        self._poses: list[PoseSample] = []
        self._number = 0

    def pose(self, sample: PoseSample) -> ArrivalRecord | None:
        """Note a pose; returns a record when very many poses have come without a reply."""
        self._poses.append(sample)
        return self._record(None) if len(self._poses) >= MOST_POSES else None

    def reply(self, sample: Telemetry) -> ArrivalRecord:
        """Note a telemetry reply; returns the record that it completes."""
        return self._record(sample)

    def _record(self, telemetry: Telemetry | None) -> ArrivalRecord:
        record = ArrivalRecord(self._number, tuple(self._poses), telemetry)
        self._number += 1
        self._poses = []
        return record


def feed(estimator: Estimator, record: ArrivalRecord) -> Estimate | None:
    """Give a record to an estimator as its node did; returns the answer to the reply, None where there is none."""
    for pose in record.poses:
        estimator.on_pose(pose)
    if record.telemetry is None:
        return None
    estimator.on_telemetry(record.telemetry)
    return estimator.estimate(record.telemetry.stamp)
