"""How an estimator is doing: what a person or a diagnostics page wants to know of it."""

from __future__ import annotations

from dataclasses import dataclass

SUSPICIOUS_LAG = 0.010
"""A lag between motion capture and gyro beyond it is warned about [s]."""
SUSPICIOUS_BIAS = 0.35
"""A gyro bias beyond it is warned about: no MPU-6000 has it (20 deg/s) [rad/s]."""


@dataclass(frozen=True)
class EstimatorHealth:
    """One look at an estimator; what it does not know is None."""

    counts: dict[str, int]
    """What was accepted and left out, by reason."""
    innovation: float | None = None
    """Root mean square of the normalised innovations of late; 1 where noise is as configured."""
    coasting: bool = False
    """Whether the legs tell of the motion now, for want of poses."""
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

    def warnings(self) -> list[str]:
        """Return what a person should look at, each with its mend."""
        found = []
        if self.clock_offset is not None and abs(self.clock_offset) > SUSPICIOUS_LAG:
            found.append(
                f'poses are stamped {1e3 * self.clock_offset:+.0f} ms later than the gyro feels the motion '
                f'({1e3 * self.clock_correction:+.0f} ms are taken off): '
                f'synchronise the clocks, or add {self.clock_offset:.3f} to the parameter clock_offset'
            )
        if self.gyro_bias is not None and max(map(abs, self.gyro_bias)) > SUSPICIOUS_BIAS:
            largest = max(self.gyro_bias, key=abs)
            found.append(f'the gyro seems biased by {largest:+.2f} rad/s: let the robot rest, check the body axes')
        return found
