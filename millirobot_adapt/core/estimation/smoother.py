"""A fixed-lag smoother: the motion at the start and the end of a period, given every pose up to now.

The mean twist of a control period is what moves the robot from one state to the next; a twist at one instant would
carry the swing of the stride, sampled at ten hertz. Every pose after an end of the period makes that end more certain,
also one that arrived after the instant in question.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.motion import Motion, MotionModel
from millirobot_adapt.core.robot.state import FloatArray

_UNIT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


class Period(NamedTuple):
    """The smoothed motion at the two ends of a period."""

    start: Motion
    end: Motion
    cross: FloatArray
    """Covariance of the values at start and end on each axis, shape (6,)."""

    def twist_covariance(self, length: float) -> FloatArray:
        """Return the covariance of displacement / length [s], turned into the body frame at the end, shape (6, 6)."""
        variance = self.end.covariance[:, 0, 0] + self.start.covariance[:, 0, 0] - 2.0 * self.cross
        variance = np.maximum(variance, 0.0) / length**2
        columns = [quat.rotate(quat.inverse(self.end.quaternion), axis) for axis in _UNIT]
        R = np.array(columns).T
        covariance = np.zeros((6, 6))
        covariance[:3, :3] = (R * variance[:3]) @ R.T
        covariance[3:, 3:] = (R * variance[3:]) @ R.T
        return covariance


def smooth_period(model: MotionModel, newest_first: Iterable[Motion], start: float, end: float) -> Period:
    """Smooth backwards from the newest motion to the period's end and on to its start.

    An end after the newest motion is predicted; a start before the oldest is predicted backwards.

    Args:
        model: The motion model of the filter.
        newest_first: Filtered motions, at least one, the oldest not after `end`.
        start: Begin of the period [s], before `end`.
        end: End of the period [s].
    """
    later: Motion | None = None
    at_end: Motion | None = None
    to_end = np.eye(3)
    for motion in newest_first:
        if at_end is None and motion.stamp <= end:
            predicted = model.predict(motion, end)
            later = at_end = predicted if later is None else model.smooth(predicted, later)[0]
        if at_end is None:
            later = motion if later is None else model.smooth(motion, later)[0]
            continue
        if motion.stamp <= start:
            motion = model.predict(motion, start)
        assert later is not None
        later, gain = model.smooth(motion, later)
        to_end = gain @ to_end
        if motion.stamp <= start:
            break
    assert later is not None
    assert at_end is not None
    if later.stamp > start:
        later = model.predict(later, start)
    # (9)  cov(x_start, x_end) = G_start ... G_before_end P_end: what corrects the end reaches the start through (8)
    cross = (to_end @ at_end.covariance)[:, 0, 0]
    return Period(later, at_end, cross)
