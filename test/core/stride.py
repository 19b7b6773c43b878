"""A synthetic walk with the swing of the stride, seen by a motion capture with the lab's noise."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.robot.samples import PoseSample, Telemetry

FRAME = 0.01


@dataclass(frozen=True)
class Walk:
    """True motion on a fine grid of 1 ms, from t = 0."""

    position: np.ndarray
    rotation: Rotation
    start: float = 1000.0

    @property
    def seconds(self) -> float:
        return (len(self.position) - 1) * 1e-3

    def poses(self, times: np.ndarray) -> tuple[np.ndarray, Rotation]:
        index = np.rint((np.asarray(times) - self.start) * 1e3).astype(int)
        return self.position[index], self.rotation[index]

    def mean_twist(self, time: float, period: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
        """Return the velocity [world] and angular velocity [body] averaged over the period before `time`."""
        positions, rotations = self.poses(np.array([time - period, time]))
        turn = (rotations[1] * rotations[0].inv()).as_rotvec()
        return (positions[1] - positions[0]) / period, rotations[1].inv().apply(turn) / period

    def gyro(self, time: float) -> np.ndarray:
        """Return the angular velocity at `time` [body]."""
        return self.mean_twist(time, 1e-3)[1]


def walk(seed: int = 0, seconds: float = 20.0) -> Walk:
    """Make a walk: forward .1-.4 m/s, turning, and a stride whose rate wanders between 3 and 8 Hz."""
    rng = np.random.default_rng(seed)
    n = int(seconds * 1000) + 1
    slow = np.repeat(rng.uniform(0, 1, (4, n // 500 + 2)), 500, axis=1)[:, :n]
    kernel = np.ones(100) / 100
    forward, turning, rate_left, rate_right = (np.convolve(row, kernel, mode='same') for row in slow)
    phases = 2 * np.pi * np.cumsum(3 + 5 * np.array([rate_left, rate_right]), axis=1) * 1e-3
    swing = np.sin(phases) + 0.4 * np.sin(2 * phases + rng.uniform(0, 6, (2, 1)))
    yaw = np.cumsum(2 * (turning - 0.5)) * 1e-3 + 0.045 * (swing[0] - swing[1])
    body_velocity = np.stack([0.1 + 0.3 * forward + 0.06 * swing[0], 0.1 * swing[1]])
    velocity = np.stack(
        [np.cos(yaw) * body_velocity[0] - np.sin(yaw) * body_velocity[1],
         np.sin(yaw) * body_velocity[0] + np.cos(yaw) * body_velocity[1]]
    )  # fmt: skip
    position = np.stack([*np.cumsum(velocity, axis=1) * 1e-3, 0.05 + 0.006 * swing[0]], axis=1)
    rotation = Rotation.from_euler('ZYX', np.stack([yaw, 0.07 * swing[1], 0.1 * swing[0]], axis=1))
    return Walk(position, rotation)


def capture(truth: Walk, seed: int = 1, position_noise: float = 5e-4, rotation_noise: float = 5e-3) -> list[PoseSample]:
    """See the walk at 100 Hz, with white noise."""
    rng = np.random.default_rng(seed)
    times = truth.start + np.arange(0, truth.seconds, FRAME)
    positions, rotations = truth.poses(times)
    positions = positions + rng.normal(0, position_noise, positions.shape)
    rotations = Rotation.from_rotvec(rng.normal(0, rotation_noise, positions.shape)) * rotations
    return [PoseSample(t, p, q) for t, p, q in zip(times.tolist(), positions, rotations.as_quat(), strict=True)]


def telemetry(stamp: float, angular_velocity: np.ndarray, leg_velocity: np.ndarray | None = None) -> Telemetry:
    """Make a reply of which an estimator reads only stamp, gyro and leg velocity."""
    none = np.zeros(2)
    return Telemetry(
        stamp, none, none if leg_velocity is None else leg_velocity, angular_velocity, np.zeros(3), none, 4.0
    )
