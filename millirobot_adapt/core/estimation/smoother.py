"""A fixed-lag smoother: the motion at the start and the end of a period, given every pose up to now.

The mean twist of a control period is what moves the robot from one state to the next; a twist at one instant would
carry the swing of the stride, sampled at ten hertz. Every pose after an end of the period makes that end more certain,
also one that arrived after the instant in question.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from millirobot_adapt.core.estimation.motion import Motion, MotionModel
from millirobot_adapt.core.robot.state import FloatArray


class Period(NamedTuple):
    """The smoothed motion at the two ends of a period."""

    start: Motion
    end: Motion
    cross: FloatArray
    """Covariance of the values at start and end on each axis, shape (6,)."""


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
