"""Compare what the controller wanted with what the bridge sent."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.analysis.run_data import RunData, Series
from millirobot_adapt.core.robot.state import FloatArray

RESOLUTION = 0.1
"""The wire carries whole encoder counts a millisecond: 0.096 rad/s. Differences up to this are no change [rad/s]."""


def pairs(run: RunData) -> tuple[Series, FloatArray]:
    """Return the controller's setpoints [rad/s], shape (N, 2), and what was sent next after each, NaN if nothing was.

    What was sent after the next setpoint, or later than a second, belongs to no setpoint.
    """
    wanted, sent = run.setpoints, run.sent
    if not len(wanted) or not len(sent):
        return Series(np.empty(0), np.empty((0, 2))), np.empty((0, 2))
    following = np.append(wanted.stamps[1:], np.inf)
    index = np.searchsorted(sent.stamps, wanted.stamps)
    found = np.minimum(index, len(sent) - 1)
    late = sent.stamps[found] - wanted.stamps
    answered = (index < len(sent)) & (sent.stamps[found] < following) & (late < 1.0)
    return wanted, np.where(answered[:, None], sent.values[found], np.nan)


def as_wanted(wanted: FloatArray, sent: FloatArray) -> np.ndarray:
    """Tell which setpoints went out unchanged, shape (N,)."""
    return np.asarray((np.abs(sent - wanted) <= RESOLUTION).all(axis=1))
