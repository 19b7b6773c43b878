"""Compare the gyro with the turning that motion capture sees: the gyro's bias, and what is left of the clocks' offset.

The stamps given here are already consistent with the arrival of the poses (mocap_clock.py), so what is left between
stamps and gyro lies between zero and the longest latency. The lag of the largest cross-correlation tells it. A steady
gait repeats itself: where a lag a stride away fits nearly as well, none is told. The gyro samples once in a control
period, too rarely for a spectrum, but each sample has a dense stretch of poses to be held against.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.motion import BodyRate
from millirobot_adapt.core.estimation.pose_input import BodyPose
from millirobot_adapt.core.estimation.quaternion import Vector
from millirobot_adapt.core.robot.state import FloatArray

LAG_STEP = 0.005
"""Lags are tried this far apart [s]; a parabola finds the top between them."""
LAGS = np.arange(-37, 38) * LAG_STEP
"""Stamps of motion capture minus times of the gyro [s]: as far as the longest latency, both ways."""
FINEST, COARSEST = 0.008, 0.045
"""The turning is taken from poses at least this far apart, where rotation noise hides it, and at most this far, where
they do not show a stride [s]."""
MEMORY = 600.0
"""Samples over which the correlation is formed: a minute at ten a second."""
ENOUGH = 60.0
"""This many samples are needed for a correlation."""
CLEAR = 0.5
"""A weaker correlation tells no lag: the robot hardly turned, or the gyro's axes are not the body's."""
RIVAL = 0.97
"""Another top that reaches this share of the highest makes the lag ambiguous."""
BIAS_SPREAD = 0.35
"""Standard deviation of the bias before anything is known of it (MPU-6000: 20 deg/s) [rad/s]."""
LONGEST = 0.5
"""Turning is remembered for this long [s]."""


class Compared(NamedTuple):
    """One gyro reading and the turning that motion capture shows around it."""

    gyro: FloatArray
    """[rad/s; body], shape (3,)."""
    seen: FloatArray
    """At each of `LAGS` [rad/s; body], shape (lags, 3)."""


class GyroWatch:
    """Take every accepted pose and every gyro reading; tell bias and lag."""

    def __init__(self) -> None:
        self.possible = slice(None)
        """The places in `LAGS` that the arrival of the poses leaves possible."""
        self._previous: BodyPose | None = None
        self._turning: deque[tuple[float, Vector]] = deque()
        self._waiting: deque[tuple[float, Vector]] = deque(maxlen=32)
        self._forget()

    def _forget(self) -> None:
        self._samples = 0.0
        self._sum_gyro = np.zeros(3)
        self._sum_gyro_squares = np.zeros(3)
        self._sum_seen = np.zeros((len(LAGS), 3))
        self._sum_seen_squares = np.zeros((len(LAGS), 3))
        self._sum_products = np.zeros((len(LAGS), 3))
        self.lag: float | None = None
        """By how much the stamps of motion capture are late [s]; None while that is not clear."""
        self.ambiguous = False
        """Whether lags a stride apart fit equally well."""
        self.correlation = 0.0
        """Of gyro and motion capture at that lag, up to 1."""
        self.bias = np.zeros(3)
        """Of the gyro [rad/s; body], shape (3,)."""
        self.bias_variance = np.full(3, BIAS_SPREAD**2)
        """Of the bias [(rad/s)^2], shape (3,)."""

    def bound(self, lowest: float, highest: float) -> None:
        """Set between which lags [s] the true one must be."""
        low, high = np.searchsorted(LAGS, [lowest, highest])
        self.possible = slice(max(0, int(low)), max(int(low) + 3, int(high)))

    def restart(self) -> None:
        """Forget everything: the stamps are those of another offset now."""
        self.clear()
        self._forget()

    def clear(self) -> None:
        """Forget the poses: what comes does not go on from them."""
        self._previous = None
        self._turning.clear()
        self._waiting.clear()

    def on_pose(self, pose: BodyPose) -> list[Compared]:
        """Take an accepted pose; returns the readings that can be compared by now.

        A pose that is older than the one before it is left out.
        """
        previous = self._previous
        dt = 0.0 if previous is None else pose.stamp - previous.stamp
        if previous is None or dt > COARSEST:
            self._turning.clear()
            self._previous = pose
            return []
        if dt < FINEST:
            return []
        self._previous = pose
        x, y, z = quat.log(quat.multiply(quat.inverse(previous.quaternion), pose.quaternion))
        self._turning.append((0.5 * (pose.stamp + previous.stamp), (x / dt, y / dt, z / dt)))
        while self._turning[0][0] < pose.stamp - LONGEST:
            self._turning.popleft()
        compared = []
        while self._waiting and self._waiting[0][0] + LAGS[-1] <= self._turning[-1][0]:
            found = self._compare(*self._waiting.popleft())
            if found is not None:
                compared.append(found)
        return compared

    def on_gyro(self, stamp: float, angular_velocity: Vector) -> None:
        """Take a reading [rad/s; body]; it is compared once the poses around it are there."""
        self._waiting.append((stamp, angular_velocity))

    def corrected(self, stamp: float, angular_velocity: Vector, variance: float) -> BodyRate:
        """Return the reading without bias; its variance has that of the bias added.

        Bias and motion are estimated apart (Friedland, 'Treatment of bias in recursive filtering', 1969): their
        correlation is left out, as the motion is known from the poses far better than the bias.
        """
        x, y, z = np.subtract(angular_velocity, self.bias).tolist()
        return BodyRate(stamp, (x, y, z), variance + float(self.bias_variance.max()))

    def _compare(self, stamp: float, angular_velocity: Vector) -> Compared | None:
        """Hold a reading against the turning around it, at every lag."""
        times = np.array([time for time, _ in self._turning])
        if times[0] > stamp + LAGS[0]:
            return None
        seen = np.array([rate for _, rate in self._turning])
        at_lags = np.column_stack([np.interp(stamp + LAGS, times, seen[:, axis]) for axis in range(3)])
        gyro = np.array(angular_velocity)
        keep = 1.0 - 1.0 / MEMORY
        self._samples = keep * self._samples + 1.0
        self._sum_gyro = keep * self._sum_gyro + gyro
        self._sum_gyro_squares = keep * self._sum_gyro_squares + gyro**2
        self._sum_seen = keep * self._sum_seen + at_lags
        self._sum_seen_squares = keep * self._sum_seen_squares + at_lags**2
        self._sum_products = keep * self._sum_products + at_lags * gyro
        if self._samples >= ENOUGH:
            self._judge()
        return Compared(gyro, at_lags)

    def _judge(self) -> None:
        """Find the lag and, at that lag, the bias.

        (11)  lag = argmax of  sum over axes of cov(gyro(t), seen(t + lag)) / sqrt(var(gyro) var(seen))

        (12)  bias = mean(gyro - seen) V0 / (V0 + V),  its variance V V0 / (V0 + V),  V = var(gyro - seen) / samples,
              V0 the variance before: the mean of a normal variable given its samples
        """
        n = self._samples
        covariance = self._sum_products / n - self._sum_seen * self._sum_gyro / n**2
        gyro = self._sum_gyro_squares / n - (self._sum_gyro / n) ** 2
        seen = self._sum_seen_squares / n - (self._sum_seen / n) ** 2
        correlation = covariance.sum(axis=1) / np.sqrt(np.maximum(gyro.sum() * seen.sum(axis=1), 1e-12))
        possible = correlation[self.possible]
        best = int(np.argmax(possible)) + (self.possible.start or 0)
        self.correlation = float(correlation[best])
        self.ambiguous = self.correlation >= CLEAR and _has_rival(possible)
        if self.correlation < CLEAR or self.ambiguous or not 0 < best < len(LAGS) - 1:
            self.lag = None
            return
        left, right = float(correlation[best - 1]), float(correlation[best + 1])
        self.lag = float(LAGS[best]) + 0.5 * LAG_STEP * (left - right) / (left - 2.0 * self.correlation + right)
        before = BIAS_SPREAD**2
        after = np.maximum(gyro + seen[best] - 2.0 * covariance[best], 0.0) / n
        self.bias = (self._sum_gyro - self._sum_seen[best]) / n * before / (before + after)
        self.bias_variance = after * before / (before + after)


def _has_rival(correlation: FloatArray) -> bool:
    """Tell whether there is another top, apart from the highest, that is nearly as high."""
    best = int(np.argmax(correlation))
    inner = correlation[1:-1]
    tops = np.flatnonzero((inner >= correlation[:-2]) & (inner > correlation[2:])) + 1
    return bool(np.any((np.abs(tops - best) > 2) & (correlation[tops] >= RIVAL * correlation[best])))
