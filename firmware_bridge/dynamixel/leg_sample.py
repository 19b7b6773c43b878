"""What six legs measured at one moment, the phases of the two sides, and the telemetry made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from firmware_bridge.dynamixel.leg_clock import SIDES, mean_phase, wrapped
from firmware_bridge.dynamixel.registers import VOLTAGE_UNIT
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray


@dataclass(frozen=True)
class LegSample:
    """What the legs were like at one moment; arrays are left and right by front, middle, rear, shape (2, 3).

    nan stands where a servo is out or did not answer.
    """

    sampled: float
    """[s, steady clock]"""
    angle: FloatArray
    """0 straight down, positive walking forward; it counts turns while the servo does not restart [rad]."""
    velocity: FloatArray
    """[rad/s]"""
    current: FloatArray
    """[A]"""
    voltage: int
    """Lowest supply voltage of a servo [0.1 V]."""
    phase: FloatArray
    """Of each side, with whole turns [rad], shape (2,); see `SidePhases`."""
    commanded: float = math.nan
    """When the goals that follow from it were sent [s, steady clock]."""


class SidePhases:
    """Follow the phase of each side: the mean direction of its legs, each less its offset in the gait.

    Whole turns come from the steps of the single legs, so that neither a long pause nor a leg that is out shifts them.
    """

    def __init__(self) -> None:
        self._angle: FloatArray | None = None
        self.phase: FloatArray = np.zeros(SIDES)
        """[rad], shape (2,)"""

    def follow(self, angle: FloatArray) -> FloatArray:
        """Take the angles of all legs [rad], shape (2, 3), nan where not known; return the phases, shape (2,)."""
        mean = mean_phase(angle)
        if self._angle is None:
            self._angle = angle.copy()
        step = _mean_of_known(angle - self._angle)
        self._angle = np.where(np.isfinite(angle), angle, self._angle)
        predicted = self.phase + np.nan_to_num(step)
        self.phase = predicted + np.nan_to_num(wrapped(mean - predicted))
        return self.phase.copy()

    def forget(self) -> None:
        """Begin again with the next angles, in the turn where the phases are now: servos may have been restarted."""
        self._angle = None


class ServoTelemetry:
    """Convert samples, in the order of their times, to telemetry of two sides.

    The velocity of a side is the step of its phase since the sample before; of the first it is 0. There is no gyro.
    """

    def __init__(self) -> None:
        self._before: LegSample | None = None
        self._index = 0

    def restart(self) -> None:
        """Start again after the servos were set up again."""
        self._before = None

    def decode(self, sample: LegSample, stamp: float) -> Telemetry:
        """Convert one sample taken at `stamp` [s, host clock]."""
        before, self._before = self._before, sample
        self._index += 1
        rate = np.zeros(SIDES)
        if before is not None and sample.sampled > before.sampled:
            rate = (sample.phase - before.phase) / (sample.sampled - before.sampled)
        return Telemetry(
            stamp=stamp,
            joint_angle=sample.phase.copy(),
            joint_velocity=rate,
            angular_velocity=np.zeros(3),
            acceleration=np.zeros(3),
            joint_effort=np.nan_to_num(_mean_of_known(sample.current)),
            battery=sample.voltage * VOLTAGE_UNIT,
            index=self._index,
        )


def _mean_of_known(values: FloatArray) -> FloatArray:
    """Return the mean of each row without its nan; nan for a row of nothing else."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
