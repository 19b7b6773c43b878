"""What the leg rates say about the body's motion, learned while motion capture sees it.

    (10)  forward, leftward velocity, yaw rate = W' (mean rate, right - left rate, 1)

W is learned by recursive least squares with exponential forgetting (Ljung, 'System Identification', chapter 11, on
recursive estimation), so that it follows the floor and a broken leg. Nothing is learned while the robot is not seen.
"""

from __future__ import annotations

import math

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.motion import Motion, Walk
from millirobot_adapt.core.robot.state import FloatArray

PERIOD = 0.1
"""Forgetting is per reply; replies come about this often [s]."""
START_VARIANCE = np.diag([2.5e-3, 2.5e-3, 1.0])
"""Variance of the first coefficients, in units of the residual variance: about as large as they are themselves."""
LARGEST_VARIANCE = 10.0
"""What is forgotten may not grow without bound where the legs never show it: trace of the same."""
SHORTEST_STEP, LONGEST_STEP = 0.03, 0.3
"""Between replies closer or further apart nothing is learned [s]."""
SPEED_SPREAD, TURN_SPREAD = 0.1, 1.0
"""Residuals before any is known: velocity [m/s] and yaw rate [rad/s]; the lab's robot had 0.1 and 1.4 to 2."""
KNOWN_AFTER = 10
"""The first residuals count as if this many had been seen."""


class LegOdometry:
    """Learn the motion per leg rate, and tell the motion from the leg rates."""

    def __init__(self, config: EstimatorConfig) -> None:
        self._forget = 1.0 - PERIOD / config.leg_memory
        self._weights = np.array([[config.leg_speed, 0.0, 0.0], [0.0, 0.0, config.leg_turn], [0.0, 0.0, 0.0]])
        self._covariance = START_VARIANCE.copy()
        self._squares = np.array([SPEED_SPREAD, SPEED_SPREAD, TURN_SPREAD]) ** 2 * KNOWN_AFTER
        self._seen = float(KNOWN_AFTER)

    def learn(self, leg_velocity: FloatArray, motion: FloatArray) -> None:
        """Take one period.

        Args:
            leg_velocity: Mean leg velocity left, right [rad/s], shape (2,).
            motion: Mean forward, leftward velocity [m/s] and yaw rate [rad/s], shape (3,).
        """
        x = _features(leg_velocity)
        Px = self._covariance @ x
        residual = motion - x @ self._weights
        spread = 1.0 + float(x @ Px)
        self._weights = self._weights + np.outer(Px / spread, residual)
        covariance = (self._covariance - np.outer(Px, Px) / spread) / self._forget
        self._covariance = covariance if np.trace(covariance) < LARGEST_VARIANCE else self._covariance
        self._squares = self._forget * self._squares + residual**2 / spread
        self._seen = self._forget * self._seen + 1.0

    def learn_from(self, leg_velocity: FloatArray, before: Motion, now: Motion) -> None:
        """Take one period between two replies; one that is too short or too long, or has no forward, is left out."""
        dt = now.stamp - before.stamp
        if not SHORTEST_STEP <= dt <= LONGEST_STEP:
            return
        dx, dy, _, _, _, turn = (before.difference(now) / dt).tolist()
        ahead = np.add(quat.rotate(before.quaternion, (1.0, 0.0, 0.0)), quat.rotate(now.quaternion, (1.0, 0.0, 0.0)))
        length = math.hypot(ahead[0], ahead[1])
        if length < 1.0:
            return  # on its nose, or turned about: there is no forward
        cosine, sine = ahead[0] / length, ahead[1] / length
        self.learn(leg_velocity, np.array([cosine * dx + sine * dy, cosine * dy - sine * dx, turn]))

    def walk(self, stamp: float, leg_velocity: FloatArray) -> Walk:
        """Return the mean motion that the leg rates [rad/s], shape (2,), make expected, with its variance."""
        x = _features(leg_velocity)
        forward, leftward, yaw_rate = (x @ self._weights).tolist()
        spread = 1.0 + float(x @ self._covariance @ x)
        variance = (self._squares / self._seen * spread).tolist()
        return Walk(stamp, (forward, leftward), yaw_rate, max(variance[:2]), variance[2])


def _features(leg_velocity: FloatArray) -> FloatArray:
    left, right = float(leg_velocity[0]), float(leg_velocity[1])
    return np.array([0.5 * (left + right), right - left, 1.0])
