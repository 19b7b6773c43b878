"""Keep actions inside the range of the actuators and within their rate of change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.robot.state import FloatArray


@dataclass(frozen=True)
class Bounds:
    """What actions may be [rad/s], shape (nu,) each."""

    low: FloatArray
    high: FloatArray
    slew: FloatArray
    """Largest change from one action to the next; starting from an executing action outside the range is exempt."""

    @property
    def middle(self) -> FloatArray:
        """The middle of the range."""
        return np.asarray((self.low + self.high) / 2)

    @property
    def range(self) -> FloatArray:
        """Width of the range."""
        return np.asarray(self.high - self.low)

    def keep(self, actions: FloatArray) -> FloatArray:
        """Return sequences (H, ..., nu) with each action moved into what the one before allows; row 0 stays."""
        kept = actions.copy()
        before = np.clip(actions[0], self.low, self.high)
        for row in range(1, len(kept)):
            low, high = np.maximum(self.low, before - self.slew), np.minimum(self.high, before + self.slew)
            before = np.clip(actions[row], low, high, out=kept[row])
        return kept
