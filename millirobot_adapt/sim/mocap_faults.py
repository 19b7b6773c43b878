"""What motion capture does on bad days, done to a recorded stream of poses: one fault or several at a time.

The stream is a list of arrivals, so that equal streams with different faults compare estimators on the same walk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.robot.samples import PoseSample


class PoseArrival(NamedTuple):
    """A pose and when it reaches the estimator."""

    time: float
    """[s, host clock]."""
    pose: PoseSample


class MocapFaults(Config):
    """Faults of motion capture; 0 means none of the kind."""

    start: float = param(0.0, 'Nothing is wrong before, counted from the first frame.', unit='s', low=0.0)
    every: float = param(5.0, 'A dropout or swap begins this often.', unit='s', low=0.1, high=1000.0)
    dropout: float = param(0.0, 'No frames for this long, again and again.', unit='s', low=0.0, high=100.0)
    repeat: float = param(0.0, 'Share of frames that repeat the frame before them, stamp and all.', low=0.0, high=1.0)
    jump_rate: float = param(0.0, 'Share of frames that jump aside.', low=0.0, high=1.0)
    jump_low: float = param(0.15, 'Shortest jump.', unit='m', low=0.0, high=10.0)
    jump_high: float = param(1.0, 'Longest jump.', unit='m', low=0.0, high=10.0)
    swap: float = param(0.0, 'Markers are taken for each other for this long, again and again.', unit='s', low=0.0)
    swap_turn: tuple[float, ...] = param(
        (0.0, 0.0, 2 * np.pi / 3), 'What a swap does to the attitude: roll, pitch, yaw in the body.', unit='rad'
    )
    sign_flip: float = param(0.0, 'Share of frames with the quaternion negated (the same attitude).', low=0.0, high=1.0)
    out_of_order: float = param(0.0, 'Share of frames that are held back.', low=0.0, high=1.0)
    held_back: float = param(0.025, 'How long a frame is held back.', unit='s', low=0.0, high=10.0)
    latency: float = param(0.0, 'Delay of every frame, instead of that of the stream.', unit='s', low=0.0, high=1.0)
    jitter: float = param(0.0, 'The latency varies evenly by this much to both sides.', unit='s', low=0.0, high=1.0)
    clock_offset: float = param(0.0, 'The clock of motion capture is ahead of the host.', unit='s', low=-10, high=10)

    def windows(self, begin: float, end: float) -> list[tuple[float, float]]:
        """Return (from, to) of each dropout or swap of a stream whose frames are stamped from `begin` to `end` [s]."""
        length = max(self.dropout, self.swap)
        first = begin + self.start
        if not length:
            return []
        count = int(max(0.0, end - first) / self.every)
        return [(first + i * self.every, first + i * self.every + length) for i in range(count)]


FAULTS: dict[str, MocapFaults] = {
    'none': MocapFaults(),
    'dropout 0.2 s': MocapFaults(start=2.0, every=4.0, dropout=0.2),
    'dropout 0.5 s': MocapFaults(start=2.0, every=4.0, dropout=0.5),
    'dropout 2 s': MocapFaults(start=2.0, every=6.0, dropout=2.0),
    'repeats': MocapFaults(repeat=0.02),
    'jumps': MocapFaults(jump_rate=0.001),
    'marker swap': MocapFaults(start=2.0, every=4.0, swap=0.2),
    'sign flips': MocapFaults(sign_flip=0.5),
    'out of order': MocapFaults(out_of_order=0.1),
    'latency': MocapFaults(latency=0.03, jitter=0.01),
    'clock offset': MocapFaults(clock_offset=0.05),
}
"""The faults an estimator is measured under, by name."""


def spoil_poses(stream: Sequence[PoseArrival], faults: MocapFaults, rng: np.random.Generator) -> list[PoseArrival]:
    """Return what arrives of a stream under the faults, in the order of arrival.

    Args:
        stream: Frames in the order of their stamps; it is not changed.
        faults: What goes wrong.
        rng: Draws the same numbers for every frame, whatever the faults.
    """
    if not stream:
        return []
    begin = stream[0].pose.stamp + faults.start
    windows = faults.windows(stream[0].pose.stamp, stream[-1].pose.stamp)
    spoiled: list[PoseArrival] = []
    previous: PoseSample | None = None
    for arrival in stream:
        shares, size, spread, direction = rng.random(4), rng.random(), rng.uniform(-1.0, 1.0), rng.standard_normal(3)
        if arrival.pose.stamp < begin:
            spoiled.append(arrival)
            continue
        inside = any(start <= arrival.pose.stamp < stop for start, stop in windows)
        if inside and faults.dropout:
            continue
        pose = _moved(arrival.pose, faults, shares, size, direction, swapped=inside)
        if shares[3] < faults.repeat and previous is not None:
            pose = previous
        previous = pose
        spoiled.append(PoseArrival(_arrival_time(arrival, faults, shares[2], spread), pose))
    return sorted(spoiled, key=lambda arrival: arrival.time)


def _moved(
    pose: PoseSample, faults: MocapFaults, shares: np.ndarray, size: float, direction: np.ndarray, swapped: bool
) -> PoseSample:
    """Return the pose as motion capture sends it."""
    position, quaternion = pose.position, pose.quaternion
    if shares[0] < faults.jump_rate:
        distance = faults.jump_low + size * (faults.jump_high - faults.jump_low)
        position = position + distance * direction / np.linalg.norm(direction)
    if swapped and faults.swap:
        quaternion = (Rotation.from_quat(quaternion) * Rotation.from_euler('ZYX', faults.swap_turn[::-1])).as_quat()
    if shares[1] < faults.sign_flip:
        quaternion = -quaternion
    return replace(pose, stamp=pose.stamp + faults.clock_offset, position=position, quaternion=quaternion)


def _arrival_time(arrival: PoseArrival, faults: MocapFaults, share: float, spread: float) -> float:
    """Return when the frame arrives [s]."""
    time = arrival.time
    if faults.latency or faults.jitter:
        time = arrival.pose.stamp + max(0.0, faults.latency + faults.jitter * spread)
    return time + faults.held_back if share < faults.out_of_order else time
