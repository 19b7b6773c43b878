"""How an estimator is doing: what a person or a diagnostics page wants to know of it."""

from __future__ import annotations

from dataclasses import dataclass

from millirobot_adapt.core.estimation.quality import PoseFault

SUSPICIOUS_LAG = 0.010
"""A lag between motion capture and gyro beyond it is warned about [s]."""
SUSPICIOUS_BIAS = 0.35
"""A gyro bias beyond it is warned about: no MPU-6000 has it (20 deg/s) [rad/s]."""
SUSPICIOUS_LATENCY = 0.05
"""Poses that are usually older at their arrival are warned about [s]."""
SUSPICIOUS_SHARE = 0.15
"""A larger share of poses that jumped is warned about."""
INCOMPARABLE = (PoseFault.FRAME, PoseFault.AXES)
"""Under these a comparison of poses with the gyro says nothing of the clock or of the gyro's bias."""


@dataclass(frozen=True)
class EstimatorHealth:
    """One look at an estimator; what it does not know is None."""

    counts: dict[str, int]
    """What was accepted and left out, by reason."""
    innovation: float | None = None
    """Root mean square of the normalised innovations of late; 1 where noise is as configured."""
    coasting: bool = False
    """Whether the legs carry the motion on now, as poses are missing."""
    clock_offset: float | None = None
    """By how much motion capture's stamps are late, its clock and its latency together [s]; None: not clear."""
    clock_correlation: float = 0.0
    """How well gyro and motion capture agree at that offset, up to 1."""
    clock_correction: float = 0.0
    """How much of it the estimator takes off by itself [s]."""
    gyro_bias: tuple[float, float, float] | None = None
    """[rad/s; body]."""
    gyro_bias_sd: tuple[float, float, float] | None = None
    """Its standard deviation [rad/s]."""
    fault: PoseFault = PoseFault.NONE
    """Why poses are not used."""
    latency: float = 0.0
    """How old poses usually are at their arrival [s]."""
    jumped_share: float = 0.0
    """Share of the poses of the last second that jumped."""
    stamped_on_arrival: bool = False
    """Stamps come in bursts, as those of arrival do."""
    refused_offset: float | None = None
    """An offset of the clock that is too large to be taken off [s]."""
    ambiguous_offset: bool = False
    """Offsets a stride apart fit equally well, so none is taken off."""

    def warnings(self) -> list[str]:
        """Return what a person should look at, each with its fix."""
        found = []
        if self.fault is not PoseFault.NONE:
            found.append(f'{self.fault.words} ({self.fault.fix})')
        compares = self.fault not in INCOMPARABLE
        if compares:
            found += self._clock_warnings()
        if self.latency > SUSPICIOUS_LATENCY:
            found.append(
                f'poses arrive {1e3 * self.latency:.0f} ms old: they are used, but control is late by as much; '
                'shorten the way from motion capture to this computer'
            )
        if self.stamped_on_arrival:
            found.append(
                'stamps of poses come in bursts, as those of arrival do: let the driver use the time of exposure'
            )
        if self.jumped_share > SUSPICIOUS_SHARE and self.fault is not PoseFault.JUMPED:
            found.append(f'{100 * self.jumped_share:.0f} % of the poses jump: is another body on the topic?')
        if compares and self.gyro_bias is not None and max(map(abs, self.gyro_bias)) > SUSPICIOUS_BIAS:
            largest = max(self.gyro_bias, key=abs)
            found.append(f'the gyro seems biased by {largest:+.2f} rad/s: let the robot rest, check the body axes')
        return found

    def _clock_warnings(self) -> list[str]:
        if self.refused_offset is not None:
            return [
                f'the clock of motion capture is off by {self.refused_offset:+.3f} s, too much to be taken off: '
                f'synchronise the clocks, or add {self.refused_offset:.3f} to the parameter clock_offset'
            ]
        if self.clock_offset is not None and abs(self.clock_offset) > SUSPICIOUS_LAG:
            return [
                f'poses are stamped {1e3 * self.clock_offset:+.0f} ms later than the gyro feels the motion '
                f'({1e3 * self.clock_correction:+.0f} ms are taken off): '
                f'synchronise the clocks, or add {self.clock_offset:.3f} to the parameter clock_offset'
            ]
        if self.ambiguous_offset:
            return [
                'the clock of motion capture may be off by a whole stride, which a steady gait does not show: '
                'walk unevenly, or synchronise the clocks'
            ]
        return []
