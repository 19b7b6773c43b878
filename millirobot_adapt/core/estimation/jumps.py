"""Tell a jump from motion, and a glitch from a robot that was moved by hand or is seen again.

A pose jumps when the body cannot have come there. Jumps that agree with each other, with gyro and legs are believed
after a while. Several bodies may be on the topic, so several sequences of jumps are followed side by side.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.gyro_watch import COARSEST, FINEST, LAGS
from millirobot_adapt.core.estimation.motion import TURN, Motion, MotionModel
from millirobot_adapt.core.estimation.pose_input import BodyPose
from millirobot_adapt.core.estimation.quaternion import Vector

LARGEST_ANGULAR_SPEED = 40.0
"""Jumps that agree do not turn faster [rad/s]."""
CLOSEST = 0.01
"""Stamps may be wrong by so much that the body seems to have had less time [s]."""
SEQUENCES = 4
"""This many sequences of jumps are followed at a time."""
LENGTH = 200
"""Poses that are kept of each."""
SPEED_MARGIN = 0.5
"""A sequence that moves faster than the legs walk by more is not the robot on its legs [m/s]."""
SPEED_TIME = 1.0
"""The speed of a sequence is its mean over this time: a robot that was carried is believed again once it is put down,
and a hand that pauses for a moment is not believed [s]."""
LONGEST_PAUSE = 0.3
"""Poses further apart do not belong to one sequence: in that time the body could have come nearly anywhere [s]."""
LARGEST_LEFT_OVER = 0.75
"""A sequence that leaves more of the gyro's turning over is not the robot's body, see (13)."""
LEAST_TURNING = 0.5
"""Root mean square of the gyro below which nothing is told [rad/s]."""


class JumpWatch:
    """Judge poses against the prediction, and follow those that jumped."""

    def __init__(self, config: EstimatorConfig, model: MotionModel) -> None:
        self._config = config
        self._model = model
        self._margin = config.gate * config.position_noise
        self._sequences: list[deque[BodyPose]] = []
        self._gyro: deque[tuple[float, Vector]] = deque(maxlen=20)

    def clear(self) -> None:
        """Forget the jumps so far: a pose has been accepted."""
        self._sequences.clear()

    def on_gyro(self, stamp: float, angular_velocity: Vector) -> None:
        """Take a reading [rad/s; body] to hold sequences against."""
        self._gyro.append((stamp, angular_velocity))

    def judge(self, before: BodyPose, motion: Motion, pose: BodyPose, dense: bool) -> tuple[bool, bool, float]:
        """Return whether a pose fits, whether its position alone does, and e' S^-1 e, e and S of (6).

        A pose that fits is chi-square distributed with 6 degrees of freedom (Bar-Shalom, section 5.4), if the model is
        right; contacts make the tails heavier. The gyro has its say through the motion. What no covariance knows is
        asked besides: whether the body can have gone so fast, and turned so far. However uncertain the prediction has
        become, a pose further from it than `largest_error` is not taken.

        Args:
            before: The accepted pose before it.
            motion: The filtered motion before it.
            pose: The pose in question.
            dense: Poses come so often that a body turns half as far at most, even while some are missing.
        """
        error, variance = self._model.innovation(self._model.predict(motion, pose.stamp), pose)
        squares = error * error / variance
        distance = float(squares.sum())
        limit = self._config.gate**2
        here = float(squares[:3].sum()) <= limit and math.hypot(*error[:3].tolist()) <= self._config.largest_error
        turned = math.hypot(*error[TURN].tolist())
        fits = here and distance <= limit and turned <= self._config.largest_turn * (0.5 if dense else 1.0)
        return fits and self._near(before, pose, self._config.lost_after), here, distance

    def confirmed_by(self, pose: BodyPose, walking_speed: float, lag: float | None) -> list[BodyPose]:
        """Take a pose that jumped; return the sequence that it ends, or nothing if that cannot be believed (yet).

        Args:
            pose: The pose.
            walking_speed: How fast the legs say that the body moves [m/s].
            lag: By how much stamps are late against the gyro [s]; None while not known.
        """
        sequence = next((each for each in self._sequences if self._near(each[-1], pose, LONGEST_PAUSE)), None)
        if sequence is None:
            sequence = deque(maxlen=LENGTH)
            self._sequences = [*self._sequences[1 - SEQUENCES :], sequence]
        sequence.append(pose)
        spanned = pose.stamp - sequence[0].stamp
        if len(sequence) < self._config.restart_after or spanned < self._config.restart_time:
            return []
        first = next(each for each in sequence if each.stamp >= pose.stamp - max(SPEED_TIME, self._config.restart_time))
        speed = math.dist(pose.position, first.position) / max(pose.stamp - first.stamp, CLOSEST)
        walks = speed <= walking_speed + SPEED_MARGIN and self._turns_as_the_gyro_says(list(sequence), lag)
        return list(sequence) if walks else []

    def _turns_as_the_gyro_says(self, poses: list[BodyPose], lag: float | None) -> bool:
        """Compare the turning of a sequence with the gyro; where that is impossible, nothing is said against it."""
        times, rates = _turning(poses)
        if np.isfinite(rates[:, 0]).sum() < 2:
            return True
        lags = LAGS if lag is None else LAGS[np.abs(LAGS - lag) <= 0.015]
        inside = [(t, rate) for t, rate in self._gyro if times[0] <= t + lags[0] and t + lags[-1] <= times[-1]]
        if len(inside) < 2:
            lags = np.zeros(1) if lag is None else np.array([lag])
            inside = [(t, rate) for t, rate in self._gyro if times[0] <= t + lags[0] <= times[-1]]
        gyro = np.array([rate for _, rate in inside]).reshape(-1, 3)
        stamps = np.array([t for t, _ in inside])[:, None] + lags
        seen = np.stack([np.interp(stamps, times, rates[:, axis]) for axis in range(3)], axis=2)
        known = np.isfinite(seen).all(axis=(1, 2))
        gyro, seen = gyro[known], seen[known]
        if not len(gyro) or np.sqrt(np.mean(np.sum(gyro**2, axis=1))) < LEAST_TURNING:
            return True
        left = np.sum((gyro[:, None] - seen) ** 2, axis=(0, 2)).min() / np.sum(gyro**2)
        return bool(left <= LARGEST_LEFT_OVER)

    def _near(self, earlier: BodyPose, later: BodyPose, longest: float) -> bool:
        """Return whether the body can have moved from one pose to the other, at most `longest` [s] later."""
        dt = later.stamp - earlier.stamp
        x, y, z = quat.log(quat.multiply(later.quaternion, quat.inverse(earlier.quaternion)))
        distance = math.dist(later.position, earlier.position)
        had = max(dt, CLOSEST)
        return (
            0.0 <= dt <= longest
            and distance <= self._config.largest_speed * had + self._margin
            and math.hypot(x, y, z) <= LARGEST_ANGULAR_SPEED * had + self._config.rotation_noise * self._config.gate
        )


def _turning(poses: list[BodyPose]) -> tuple[np.ndarray, np.ndarray]:
    """Return times, shape (N,), and angular velocities [rad/s; body], shape (N, 3), between the poses.

    Between poses that are too far apart to show a stride the angular velocity is NaN.
    """
    times, rates, before = [], [], poses[0]
    for pose in poses[1:]:
        dt = pose.stamp - before.stamp
        if dt < FINEST:
            continue
        turn = quat.log(quat.multiply(quat.inverse(before.quaternion), pose.quaternion))
        times.append(0.5 * (pose.stamp + before.stamp))
        rates.append([each / dt if dt <= COARSEST else math.nan for each in turn])
        before = pose
    return np.array(times), np.array(rates).reshape(-1, 3)
