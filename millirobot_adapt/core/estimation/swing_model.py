"""How one axis of a walking body moves: a mean rate that drifts, and on top of it the swing of the strides.

A legged body shakes within each stride, and each contact shakes it again: its velocity is unpredictable after a few
hundredths of a second, while its mean over some strides hardly changes. On each axis

    (1)  d(value)/dt = mean + swing
         d(mean)/dt  = w_mean                      a random walk
         d(swing)/dt = -swing / tau + w_swing      an Ornstein-Uhlenbeck process

with white noise w. So a body that is not seen for a while goes on at its mean rate, and its uncertainty grows with the
root of time instead of with its power 3/2. The equations below are the exact integrals of (1) (Sarkka and Solin,
'Applied Stochastic Differential Equations', chapter 6: discretisation of linear equations).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from millirobot_adapt.core.robot.state import FloatArray


class SwingTransition(NamedTuple):
    """From one time to another: x(t + dt) = F x(t) + noise of covariance Q; x = (value, mean, swing)."""

    F: FloatArray
    """The same on every axis, shape (3, 3)."""
    Q: FloatArray
    """Of each axis, shape (axes, 3, 3)."""


class SwingModel:
    """The process (1) on several axes."""

    def __init__(self, tau: float, mean_noise: FloatArray, swing_noise: FloatArray) -> None:
        """Describe how the axes move.

        Args:
            tau: How long a swing lasts [s].
            mean_noise: Root of the spectral density of w_mean, shape (axes, 1, 1).
            swing_noise: Root of the spectral density of w_swing, shape (axes, 1, 1).
        """
        self._tau = tau
        self._mean_density = mean_noise**2
        self._swing_density = swing_noise**2
        # The filter, its gate and its smoother ask for the same steps.
        self.transition = lru_cache(maxsize=256)(self._transition)

    def _transition(self, dt: float) -> SwingTransition:
        """Return the transition over dt [s].

        (2)  F = [1  dt  tau (1 - e)]        e = exp(-|dt| / tau)
                 [0   1       0     ]
                 [0   0       e     ]

        (3)  Q = q_mean^2  [dt^3/3  dt^2/2  0]  +  q_swing^2 [tau^2 (dt - 2 tau (1 - e) + tau (1 - e^2) / 2)  0  c]
                           [dt^2/2    dt    0]               [                       0                       0  0]
                           [  0       0     0]               [                       c                       0  v]

             c = tau^2 (1 - e)^2 / 2,  v = tau (1 - e^2) / 2

        Backwards, dt < 0, an Ornstein-Uhlenbeck process looks as it does forwards: swing decays and Q is that of |dt|.
        """
        ahead, tau = abs(dt), self._tau
        sign = 1.0 if dt >= 0.0 else -1.0
        gone = -math.expm1(-ahead / tau)
        e = 1.0 - gone
        c = sign * 0.5 * (tau * gone) ** 2
        v = 0.5 * tau * gone * (1.0 + e)
        # The series takes over where the closed form would be a small difference of large numbers.
        x = ahead / tau
        value = tau**3 * (x - 2.0 * gone + 0.5 * gone * (1.0 + e)) if x > 1e-3 else ahead**3 / 3.0
        F = np.array([[1.0, dt, sign * tau * gone], [0.0, 1.0, 0.0], [0.0, 0.0, e]])
        swing = np.array([[value, 0.0, c], [0.0, 0.0, 0.0], [c, 0.0, v]])
        half = 0.5 * sign * ahead * ahead
        mean = np.array([[ahead**3 / 3.0, half, 0.0], [half, ahead, 0.0], [0.0, 0.0, 0.0]])
        return SwingTransition(F, self._mean_density * mean + self._swing_density * swing)
