"""Take the lag that the gyro finds off the stamps of motion capture, a little at a time."""

from __future__ import annotations

from millirobot_adapt.core.estimation.health import SUSPICIOUS_LAG

CLOCK_STEP = 0.0005
"""The correction of the stamps changes by no more from pose to pose, so that time stays in order [s]."""


class LagCorrection:
    """What is taken off the stamps besides the offset of the clock that their arrivals show."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """Taken off the stamps [s]."""

    def restart(self) -> None:
        """Take nothing off: what the gyro said is forgotten."""
        self.seconds = 0.0

    def follow(self, lag: float, offset: float) -> None:
        """Move towards the lag that the gyro shows [s], once that is suspicious.

        A lag that is none is left alone: its own uncertainty, a millisecond, would make the estimate worse.

        Args:
            lag: By how much the stamps are late [s].
            offset: What is taken off them already, by their arrivals [s].
        """
        if self.seconds == 0.0 and offset == 0.0 and abs(lag) <= SUSPICIOUS_LAG:
            return
        self.seconds += min(max(lag - self.seconds, -CLOCK_STEP), CLOCK_STEP)
