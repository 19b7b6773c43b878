"""What has reached the controller: the newest state, and what the bridge really sent of late.

Stamps say to which tick a message belongs, and the steady clock says which ones can: the host's clock may be set at any
time, and then an earlier message may bear a stamp of the present tick.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.estimation.quality import PoseFault, StateQuality, StateSample
from millirobot_adapt.core.robot.state import FloatArray

STAMP_TOLERANCE = 0.002
"""A reply's stamp is computed from wire times; it may seem this much older than the tick that asked for it [s]."""


@dataclass(frozen=True)
class Tick:
    """One tick as the ticker began it."""

    number: int
    stamp: float
    """Host time of its start [s]."""
    steady: float
    """The same on the steady clock [s]."""
    setpoint: FloatArray
    period: float
    """Since the start of the tick before [s]."""
    misses: int
    run: int
    """Number of the run it belongs to; 0 while standing."""
    paused: bool = False
    """The run is interrupted: the robot stands, and nothing is planned."""


@dataclass(frozen=True)
class StateArrival:
    """A state, and when it came."""

    stamp: float
    state: FloatArray
    steady: float
    quality: StateQuality


class Inbox:
    """Keep what arrives and say what of it belongs to a tick; whoever owns it guards it."""

    def __init__(self, dt: float) -> None:
        self._dt = dt
        self._sent: deque[tuple[float, float, FloatArray]] = deque(maxlen=8)
        self.newest: StateArrival | None = None
        """The newest state."""

    def add_state(self, sample: StateSample, steady: float) -> bool:
        """Take a state that came at `steady` [s]; one that is not finite is no state and gives False."""
        if not np.isfinite(sample.state).all():
            return False
        self.newest = StateArrival(sample.stamp, sample.state, steady, sample.quality)
        return True

    def add_sent(self, stamp: float, action: FloatArray, steady: float) -> None:
        """Take what was sent at time `stamp` [s] and came at `steady` [s]: action [rad/s], shape (nu,)."""
        self._sent.append((stamp, steady, action))

    def missing(self, steady: float, stale_after: float) -> str:
        """Say what is missing before a run can start at `steady` [s]; empty when nothing is."""
        if self.newest is None:
            return 'no state yet (telemetry from the bridge and odometry from the estimator)'
        age, quality = steady - self.newest.steady, self.newest.quality
        if age > stale_after:
            return f'the newest state is {age:.1f} s old'
        if not quality.pose_age <= stale_after:
            why = '' if quality.fault is PoseFault.NONE else f': {quality.fault.words}'
            return f'no accepted pose for {quality.pose_age:.1f} s{why}'
        return ''

    def answer(self, tick: Tick) -> StateArrival | None:
        """Return the newest state if it was sampled in `tick`, neither before nor after."""
        arrival = self.newest
        if arrival is None or arrival.steady < tick.steady:
            return None
        if not -STAMP_TOLERANCE <= arrival.stamp - tick.stamp < self._dt:
            return None
        return arrival

    def sent_around(self, tick: Tick) -> tuple[FloatArray | None, FloatArray]:
        """Return what was sent in the tick before (None: unknown) and what is executing in this one."""
        before, now = [], []
        for stamp, steady, action in self._sent:
            age, came = stamp - tick.stamp, steady - tick.steady
            if 0.0 <= age < self._dt and came >= 0.0:
                now.append(action)
            elif -1.5 * self._dt <= age < 0.0 and came >= -1.5 * self._dt:
                before.append(action)
        return (before[-1] if before else None), (now[0] if now else tick.setpoint)
