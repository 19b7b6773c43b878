"""What the link counts, for the diagnostics and the summary of a run."""

from __future__ import annotations

from collections import deque

import numpy as np

from firmware_bridge.channel import Channel
from firmware_bridge.replies import ReplyChecker

_KEPT = 1000
"""Round trips kept for the percentiles."""


class LinkCounters:
    """Counts since the start of the process."""

    def __init__(self, channel: Channel, checker: ReplyChecker) -> None:
        self._channel = channel
        self._checker = checker
        self._round_trips: deque[float] = deque(maxlen=_KEPT)
        self.sent = 0
        """Setpoints written, the bridge's own zeros included."""
        self.replies = 0
        """Setpoints answered in time by a reply that counts."""
        self.rejected = 0
        """Packets of our robot that did not count: late, damaged, out of order, implausible."""
        self.start_ups = 0
        """Times the robot was started up; more than one after a lost link."""

    def count_reply(self, round_trip: float) -> None:
        """Count one reply with its round trip [s]."""
        self.replies += 1
        self._round_trips.append(round_trip)

    @property
    def lost(self) -> int:
        """Setpoints without a reply that counts."""
        return self.sent - self.replies

    def as_dict(self) -> dict[str, int | float]:
        """Return all counts and the percentiles of the last round trips [ms] (nan before the first)."""
        trips = np.array(self._round_trips) * 1e3 if self._round_trips else np.array([np.nan])
        p50, p99 = np.percentile(trips, (50, 99))
        return {
            'sent': self.sent,
            'replies': self.replies,
            'lost': self.lost,
            'rejected': self.rejected,
            'damaged': self._channel.damaged,
            'stale': self._checker.stale,
            'bad_frames': self._channel.parser.bad_frames,
            'start_ups': self.start_ups,
            'clock_drift_ppm': round(1e6 * (self._checker.clock.drift or 0.0), 1),
            'rtt_p50_ms': round(float(p50), 3),
            'rtt_p99_ms': round(float(p99), 3),
        }
