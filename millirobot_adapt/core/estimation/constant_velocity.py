"""The Kalman filter of one axis whose velocity is nearly constant: state (value, rate), white acceleration noise.

Noise is isotropic, so the three axes of a vector share one covariance and one gain. The same holds for a rotation when
its error is an angle in the *world* frame: the error then obeys d(error)/dt = rate error without the rotation of the
body in it. (The global angular error of Sola, arXiv 1711.02508, chapter 7.)

Sources: model and noise of (1), Bar-Shalom, Li, Kirubarajan, 'Estimation with Applications to Tracking and Navigation',
section 6.2.2; update (2), section 5.2.3 there; smoother (3), Sarkka, 'Bayesian Filtering and Smoothing', theorem 8.2.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Covariance(NamedTuple):
    """Covariance of (value, rate) on one axis."""

    value: float
    """Variance of the value, [m^2] or [rad^2]."""
    cross: float
    """Covariance of value and rate."""
    rate: float
    """Variance of the rate, [(m/s)^2] or [(rad/s)^2]."""


class Gain(NamedTuple):
    """A 2x2 matrix, row by row: value and rate of one instant from value and rate of another."""

    value_value: float
    value_rate: float
    rate_value: float
    rate_rate: float


UNCHANGED = Gain(1.0, 0.0, 0.0, 1.0)


def predict(P: Covariance, dt: float, noise: float) -> Covariance:
    """Return the covariance dt [s] later (before, when dt < 0).

    (1)  P(t + dt) = F P F' + Q,  F = [1 dt; 0 1],  Q = noise^2 [dt^3/3 dt^2/2; dt^2/2 dt]

    Args:
        P: Covariance now.
        dt: Time step [s]; backwards in time the uncertainty grows too.
        noise: Acceleration noise, root of its spectral density, [m/s^2/sqrt(Hz)] or [rad/s^2/sqrt(Hz)].
    """
    density = math.copysign(noise * noise, dt)
    return Covariance(
        P.value + 2.0 * dt * P.cross + dt * dt * P.rate + density * dt * dt * dt / 3.0,
        P.cross + dt * P.rate + density * dt * dt / 2.0,
        P.rate + density * dt,
    )


def update_value(P: Covariance, variance: float) -> tuple[Covariance, float, float]:
    """Return the covariance after measuring the value, and the gains of value and rate.

    (2)  K = P H' / (H P H' + variance),  P+ = (1 - K H) P,  H = [1 0]
    """
    value_gain = P.value / (P.value + variance)
    rate_gain = P.cross / (P.value + variance)
    updated = Covariance(
        (1.0 - value_gain) * P.value,
        (1.0 - value_gain) * P.cross,
        P.rate - rate_gain * P.cross,
    )
    return updated, value_gain, rate_gain


def update_rate(P: Covariance, variance: float) -> tuple[Covariance, float, float]:
    """Return the covariance after measuring the rate, and the gains of value and rate: (2) with H = [0 1]."""
    value_gain = P.cross / (P.rate + variance)
    rate_gain = P.rate / (P.rate + variance)
    updated = Covariance(
        P.value - value_gain * P.cross,
        (1.0 - rate_gain) * P.cross,
        (1.0 - rate_gain) * P.rate,
    )
    return updated, value_gain, rate_gain


def smoother_gain(P: Covariance, dt: float, predicted: Covariance) -> Gain:
    """Return the gain that carries a correction of the prediction dt [s] later back to now.

    (3)  G = P F' P(t + dt)^-1
    """
    value_row = P.value + dt * P.cross, P.cross
    rate_row = P.cross + dt * P.rate, P.rate
    determinant = predicted.value * predicted.rate - predicted.cross * predicted.cross
    a, b, c = predicted.rate / determinant, -predicted.cross / determinant, predicted.value / determinant
    return Gain(
        value_row[0] * a + value_row[1] * b,
        value_row[0] * b + value_row[1] * c,
        rate_row[0] * a + rate_row[1] * b,
        rate_row[0] * b + rate_row[1] * c,
    )


def smooth(P: Covariance, gain: Gain, predicted: Covariance, later: Covariance) -> Covariance:
    """Return the covariance now, given everything known `later`.

    (4)  P_s = P + G (P_s(t + dt) - P(t + dt)) G'
    """
    g, h, j, k = gain
    value, cross, rate = later.value - predicted.value, later.cross - predicted.cross, later.rate - predicted.rate
    return Covariance(
        P.value + g * g * value + 2.0 * g * h * cross + h * h * rate,
        P.cross + g * j * value + (g * k + h * j) * cross + h * k * rate,
        P.rate + j * j * value + 2.0 * j * k * cross + k * k * rate,
    )


def chain(first: Gain, second: Gain) -> Gain:
    """Return the matrix product first second."""
    a, b, c, d = first
    e, f, g, h = second
    return Gain(a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)
