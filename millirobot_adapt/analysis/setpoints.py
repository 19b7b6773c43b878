"""Compare what the controller wanted with what the bridge sent."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.analysis.run_data import RunData, Series
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout

RESOLUTION = 0.1
"""The wire of an ImageProc board carries whole encoder counts a millisecond: 0.096 rad/s. Differences of a joint's
velocity up to this are no change [rad/s]."""
EXACT = 1e-6
"""Other actions are sent as they are, so that a larger difference is a change, in the unit of the action."""


def pairs(run: RunData) -> tuple[Series, FloatArray]:
    """Return the controller's setpoints, shape (N, nu), and what was sent next after each, NaN if nothing was.

    What was sent after the next setpoint, or later than a second, belongs to no setpoint.
    """
    wanted, sent = run.setpoints, run.sent
    if not len(wanted) or not len(sent):
        return Series(np.empty(0), np.empty((0, run.layout.nu))), np.empty((0, run.layout.nu))
    following = np.append(wanted.stamps[1:], np.inf)
    index = np.searchsorted(sent.stamps, wanted.stamps)
    found = np.minimum(index, len(sent) - 1)
    late = sent.stamps[found] - wanted.stamps
    answered = (index < len(sent)) & (sent.stamps[found] < following) & (late < 1.0)
    return wanted, np.where(answered[:, None], sent.values[found], np.nan)


def as_wanted(wanted: FloatArray, sent: FloatArray, layout: StateLayout) -> np.ndarray:
    """Tell which setpoints of a robot went out unchanged, shape (N,)."""
    joints = {action for action, _ in layout.followers}
    allowed = np.array([RESOLUTION if number in joints else EXACT for number in range(layout.nu)])
    return np.asarray((np.abs(sent - wanted) <= allowed).all(axis=1))
