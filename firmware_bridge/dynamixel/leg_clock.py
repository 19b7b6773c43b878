"""The leg clock: which way and how fast each of six legs turns, so that they keep the phases of a tripod gait.

The action is a stride rate a side. A clock of each side advances at that rate. Its legs follow it at fixed offsets,
each with a velocity of its own: the clock's, plus a gain times the leg's phase error. Without this loop legs that only
keep a velocity drift apart. Angles are those of a leg: 0 straight down, positive walking forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.robot.dynamixel import LEGS_A_SIDE, DynamixelConfig
from millirobot_adapt.core.robot.state import FloatArray

SIDES = 2
OFFSETS: FloatArray = math.tau * np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.5]])
"""Phase of each leg before its side's clock [rad]: left and right; front, middle, rear. Shape (2, 3)."""
_BLEND = 0.2
"""Share of `buehler_below` over which the Buehler clock fades into a uniform rotation."""


@dataclass(frozen=True)
class Stance:
    """The Buehler clock: a leg sweeps slowly over the ground and swings quickly round.

    Saranli, Buehler and Koditschek, "RHex: a simple and highly mobile hexapod robot", IJRR 2001.
    """

    sweep: float
    """Angle of the slow part, centred on straight down [rad]."""
    duty: float
    """Share of the stride that it takes."""

    def leg(self, phase: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return leg angle [rad] and its derivative by the phase, at clock phases [rad], each of any shape.

        A phase of 0 is the middle of the sweep; the leg angle keeps the phase's whole turns.
        """
        within = wrapped(phase)
        slow = self.sweep / (math.tau * self.duty)
        fast = (math.tau - self.sweep) / (math.tau * (1.0 - self.duty))
        edge = math.pi * self.duty
        beyond = np.clip(np.abs(within) - edge, 0.0, None)
        angle = np.sign(within) * (slow * np.minimum(np.abs(within), edge) + fast * beyond)
        return angle + (phase - within), np.where(beyond > 0.0, fast, slow)


class LegClock:
    """Phases of the two sides, and the velocities of the six legs that follow them. Pairs are left, right."""

    def __init__(self, config: DynamixelConfig, fastest: float) -> None:
        """`fastest` is the largest velocity that may be commanded [rad/s]."""
        self._config = config
        self._fastest = fastest
        self._stance = Stance(config.sweep, config.duty)
        self._rate = np.zeros(SIDES)
        self._phase = np.zeros(SIDES)
        self._now = 0.0
        self.error: FloatArray = np.full((SIDES, LEGS_A_SIDE), np.nan)
        """Phase error of each leg at the last cycle [rad], shape (2, 3): positive when it lags; nan: not known."""

    def goals(self, rate: FloatArray, angle: FloatArray, sampled: float, now: float) -> FloatArray:
        """Return the velocity of each leg [rad/s], shape (2, 3).

        Args:
            rate: Stride rate of each side [rad/s], shape (2,); 0 stands.
            angle: Measured angle of each leg [rad], shape (2, 3); nan where none was read.
            sampled: When they were measured [s, steady clock].
            now: When the velocities will act [s, steady clock].
        """
        self._phase = self._phase + self._rate * (now - self._now)
        self._now = now
        begins = (rate != 0.0) & (self._rate == 0.0)
        self._phase = np.where(begins, self._nearest_phase(angle), self._phase)
        self._rate = np.array(rate, dtype=float)
        wanted, _ = self._leg(self._phase - self._rate * (now - sampled), rate)
        self.error = np.where(rate[:, None] != 0.0, wrapped(wanted - angle), np.nan)
        limit = self._config.correction
        correction = np.clip(self._config.gain * np.nan_to_num(self.error), -limit, limit)
        _, slope = self._leg(self._phase, rate)
        goals = np.clip(rate[:, None] * slope + correction, -self._fastest, self._fastest)
        return np.where(rate[:, None] != 0.0, goals, 0.0)

    def _leg(self, phase: FloatArray, rate: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return angle [rad] and slope of each leg, shape (2, 3), at the phases of the sides, shape (2,)."""
        clock = phase[:, None] + OFFSETS
        angle, slope = self._stance.leg(clock)
        top = self._config.buehler_below
        revolutions = np.abs(rate[:, None]) / math.tau
        share = np.clip((top - revolutions) / max(_BLEND * top, 1e-9), 0.0, 1.0)
        return share * angle + (1.0 - share) * clock, share * slope + (1.0 - share)

    def _nearest_phase(self, angle: FloatArray) -> FloatArray:
        """Return the phase of each side to which its legs have the least way [rad], shape (2,)."""
        return np.nan_to_num(mean_phase(angle))


def mean_phase(angle: FloatArray) -> FloatArray:
    """Return the mean phase of each side [rad, -pi to pi], shape (2,), of leg angles, shape (2, 3).

    The mean is that of directions; nan angles do not count, and a side without any other has the phase nan.
    """
    there = np.isfinite(angle)
    turned = np.where(there, angle, 0.0) - OFFSETS
    sin, cos = (there * np.sin(turned)).sum(axis=1), (there * np.cos(turned)).sum(axis=1)
    return np.where(there.any(axis=1), np.arctan2(sin, cos), np.nan)


def wrapped(angle: FloatArray) -> FloatArray:
    """Return angles [rad] in -pi to pi."""
    return np.asarray(angle - math.tau * np.round(angle / math.tau))
