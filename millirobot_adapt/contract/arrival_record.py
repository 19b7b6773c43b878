"""The record of what arrived at the estimator: the poses and the reply it took since the record before, in order.

A state depends on the order in which poses and replies reached the estimator, and a bag only knows in which order they
reached the recorder. From these records, topic `estimator/record`, every state comes out again bit for bit.

Layout, one flat array of float64: a header of four numbers (version, number of the record, poses in it, replies in it:
0 or 1), then each pose (stamp, x y z, quaternion xyzw, arrival on the host's clock and on the steady clock, 1 if the
message named the frame `world`), then the reply (stamp, joint angles, their velocities, gyro, accelerometer, efforts,
battery, index, arrival on both clocks), in the units of core/robot/samples.py. NaN stands for an arrival that is not
known. Version 1 ended a pose after its quaternion and a reply after its battery. A robot with other than two joints has
version 3: there the reply begins with the number of joints and of efforts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.estimation.assembly import answer
from millirobot_adapt.core.estimation.estimator_interface import Estimate, Estimator
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.samples import Arrival, PoseSample, Telemetry

VERSION, OTHER_JOINTS = 2, 3
"""Of today's records: of robots with two joints, and of all others."""
HEADER = 4
POSE_SIZES = {1: 8, 2: 11, 3: 11}
"""Numbers in a pose, by version."""
BESIDE_JOINTS = {1: 8, 2: 11, 3: 13}
"""Numbers in a reply beside angle, velocity and effort of each joint, by version."""
MOST_POSES = 500
"""A record is written after this many poses even if no reply comes (five seconds of motion capture)."""


@dataclass(frozen=True)
class ArrivalRecord:
    """Poses, and the telemetry reply that came after them."""

    number: int
    """Counts the records of one estimator from 0 on."""
    poses: tuple[PoseSample, ...]
    """In the order of their arrival."""
    telemetry: Telemetry | None
    """The reply that was answered; None where only poses came for long."""
    version: int = VERSION
    """Of the layout it was read from."""

    def encode(self) -> FloatArray:
        """Return the flat array, in version 2 for robots with two joints."""
        replies = [] if self.telemetry is None else [self.telemetry]
        counts = [(len(reply.joint_velocity), len(reply.joint_effort)) for reply in replies]
        version = OTHER_JOINTS if any(count != (2, 2) for count in counts) else VERSION
        parts: list[object] = [version, self.number, len(self.poses), len(replies)]
        for pose in self.poses:
            parts += [pose.stamp, pose.position, pose.quaternion, _arrival(pose.arrival), pose.in_world]
        for reply in replies:
            parts += [*counts] if version == OTHER_JOINTS else []
            parts += [reply.stamp, reply.joint_angle, reply.joint_velocity, reply.angular_velocity]
            parts += [reply.acceleration, reply.joint_effort, reply.battery, reply.index, _arrival(reply.arrival)]
        return np.hstack([np.asarray(part, dtype=float) for part in parts])

    @classmethod
    def decode(cls, data: FloatArray) -> ArrivalRecord:
        """Read a flat array back, of this version or an older one.

        Raises:
            ValueError: another version, or a length that does not fit the header.
        """
        data = np.asarray(data, dtype=float)
        if len(data) < HEADER or data[0] not in POSE_SIZES or not np.isfinite(data[:HEADER]).all():
            raise ValueError(f'not an arrival record of version {OTHER_JOINTS} or older')
        version, number, poses, replies = (int(value) for value in data[:HEADER])
        pose_size = POSE_SIZES[version]
        end = HEADER + pose_size * max(poses, 0)
        if poses < 0 or replies not in (0, 1) or len(data) < end or (replies == 0 and len(data) != end):
            raise ValueError('arrival record has another length than its header says')
        rows = data[HEADER:end].reshape(poses, pose_size)
        return cls(number, tuple(map(_pose, rows)), _reply(data[end:], version) if replies else None, version)


def _pose(row: FloatArray) -> PoseSample:
    arrival, in_world = (None, True) if len(row) < POSE_SIZES[2] else (_read_arrival(row[8:10]), bool(row[10]))
    return PoseSample(float(row[0]), row[1:4], row[4:8], arrival, in_world)


def _reply(row: FloatArray, version: int) -> Telemetry:
    """Read what a record holds of a reply.

    Raises:
        ValueError: it has another length than it should have.
    """
    joints, efforts = row[:2] if version == OTHER_JOINTS and len(row) >= 2 else (2.0, 2.0)
    sizes = np.array([1, joints, joints, 3, 3, efforts, 1])
    begin = 2 if version == OTHER_JOINTS else 0
    if not (sizes >= 0).all() or len(row) != BESIDE_JOINTS[version] + 2 * joints + efforts:
        raise ValueError('arrival record has another length than its header says')
    parts = np.split(row[begin:], np.cumsum(sizes.astype(int)))
    stamp, angle, velocity, gyro, acceleration, effort, battery, rest = parts
    index, arrival = (0, None) if version == 1 else (int(rest[0]), _read_arrival(rest[1:]))
    return Telemetry(float(stamp[0]), angle, velocity, gyro, acceleration, effort, float(battery[0]), index, arrival)


def _arrival(arrival: Arrival | None) -> tuple[float, float]:
    return (math.nan, math.nan) if arrival is None else (arrival.host, arrival.steady)


def _read_arrival(pair: FloatArray) -> Arrival | None:
    return Arrival(float(pair[0]), float(pair[1])) if np.isfinite(pair).all() else None


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


def feed(estimator: Estimator, record: ArrivalRecord) -> tuple[Estimate | None, StateSample | None]:
    """Give a record to an estimator as its node did; returns what it answers to the reply, None where there is none."""
    for pose in record.poses:
        estimator.on_pose(pose)
    return (None, None) if record.telemetry is None else answer(estimator, record.telemetry)
