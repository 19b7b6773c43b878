"""Decide since when poses can be trusted: the one truth about the pose that gate, controller and report read.

A pose that fits the motion is evidence of where the robot is only while nothing stands against motion capture as a
whole, and after a loss only when several have come. What stands in the way has a name (`PoseFault`).
"""

from __future__ import annotations

import math
from collections import deque

from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.quality import PoseFault

FAULTS = {
    'invalid': PoseFault.INVALID,
    'foreign': PoseFault.FRAME,
    'frozen': PoseFault.FROZEN,
    'ahead': PoseFault.CLOCK,
    'late': PoseFault.CLOCK,
    'jumped': PoseFault.JUMPED,
}
"""What a pose that was left out tells, by the reason."""
LOSS = 0.3
"""After this long without an accepted pose it is lost, and found again only by several [s]."""
FIRST_POSES, RETURNING_POSES = 5, 3
"""This many poses in a row must be accepted at the beginning (and over `restart_time`), and after a loss."""
WINDOW = 1.0
"""The share of jumps is taken over this time [s]."""
LARGEST_SHARE, FEWEST_JUMPS = 0.3, 15
"""With more jumps than this share among the poses, and this many of them, another body is on the topic."""
RECENT = 0.1
"""Beyond the usual age and period of poses, one may be missing for this long before a fault is named [s]."""


class PoseTrust:
    """Take what became of each pose; tell the age of the last trusted one and what stands in the way."""

    def __init__(self, config: EstimatorConfig) -> None:
        self._config = config
        self._trusted = -math.inf
        self._accepted = -math.inf
        self._needed = FIRST_POSES
        self._begun: float | None = None
        self._reason = PoseFault.NO_POSE
        self._heard = -math.inf
        self._lately: deque[tuple[float, bool]] = deque()
        self._jumps = 0

    @property
    def jumped_share(self) -> float:
        """Return the share of jumps among the poses of the last second."""
        return self._jumps / len(self._lately) if self._lately else 0.0

    def lost_for(self, now: float) -> float:
        """Return how long ago the last trusted pose was [s]; inf before the first."""
        return now - self._trusted

    @property
    def ever(self) -> bool:
        """Return whether a pose has been trusted."""
        return math.isfinite(self._trusted)

    def leave_out(self, reason: str, arrived: float) -> None:
        """Take a pose that was left out, and when it arrived [s]."""
        self._heard = arrived
        self._reason = FAULTS.get(reason, self._reason)
        if reason != 'repeated':
            self._note(arrived, reason == 'jumped')

    def accept(self, stamp: float, arrived: float, against: PoseFault) -> None:
        """Take a pose that fits.

        Args:
            stamp: Its stamp [s].
            arrived: When it arrived [s].
            against: What stands against motion capture as a whole.
        """
        self._heard = arrived
        self._note(arrived, jumped=False)
        since = min(stamp, arrived)
        if since > self._accepted + LOSS and self._needed == 0:
            self._needed = RETURNING_POSES
        self._accepted = max(self._accepted, since)
        if against is PoseFault.NONE and self._crowded():
            against = PoseFault.JUMPED
        if against is not PoseFault.NONE:
            self._reason = against
            return
        self._begun = since if self._begun is None else self._begun
        self._needed = max(0, self._needed - 1)
        if self._needed or since < self._begun + self._config.restart_time:
            self._reason = PoseFault.UNCERTAIN
            return
        self._trusted = max(self._trusted, since)

    def believe(self, stamp: float, arrived: float, against: PoseFault) -> None:
        """Take the end of a sequence of poses that agree with each other, with gyro and legs."""
        self._needed, self._begun = 0, -math.inf
        self._accepted = min(stamp, arrived)
        if self._accepted < self._trusted:
            self._trusted = -math.inf  # the clocks were set back
        self.accept(stamp, arrived, against)

    def distrust(self, fault: PoseFault) -> None:
        """Drop what was trusted so far: it was another body."""
        self._needed, self._begun = FIRST_POSES, None
        self._reason = fault

    def fault(self, now: float, usual_age: float, against: PoseFault) -> PoseFault:
        """Say at the time of a reply [s] why poses are not used; NONE while they are."""
        patience = usual_age + RECENT
        if self.lost_for(now) <= patience:
            return PoseFault.NONE
        if against is not PoseFault.NONE:
            return against
        return PoseFault.NO_POSE if now - self._heard > patience else self._reason

    def _crowded(self) -> bool:
        return self._jumps >= FEWEST_JUMPS and self.jumped_share > LARGEST_SHARE

    def _note(self, arrived: float, jumped: bool) -> None:
        self._lately.append((arrived, jumped))
        self._jumps += jumped
        while self._lately[0][0] < arrived - WINDOW:
            self._jumps -= self._lately.popleft()[1]
