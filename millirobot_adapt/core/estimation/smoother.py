"""A fixed-lag smoother: the motion at the start and the end of a period, given every pose up to now.

The mean twist of a control period is what moves the robot from one state to the next; a twist at one instant would
carry the swing of the stride, sampled at ten hertz. Every pose after an end of the period makes that end more certain,
also one that arrived after the instant that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from millirobot_adapt.core.estimation.constant_velocity import UNCHANGED, Covariance, Gain, chain
from millirobot_adapt.core.estimation.motion import Motion, MotionModel


class Period(NamedTuple):
    """The smoothed motion at the two ends of a period."""

    start: Motion
    end: Motion
    translation_cross: float
    """Covariance of the positions at start and end, each axis [m^2]."""
    rotation_cross: float
    """Covariance of the rotations at start and end, each axis [rad^2]."""


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
    to_end = UNCHANGED, UNCHANGED
    for motion in newest_first:
        if at_end is None and motion.stamp <= end:
            later = at_end = _smoothed(model, model.predict(motion, end), later)[0]
        if at_end is not None and motion.stamp <= start:
            motion = model.predict(motion, start)
        later, *gains = _smoothed(model, motion, later)
        if at_end is not None:
            to_end = chain(gains[0], to_end[0]), chain(gains[1], to_end[1])
            if motion.stamp <= start:
                break
    assert later is not None
    assert at_end is not None
    at_start = later
    if later.stamp > start:
        at_start = model.predict(later, start)
        back = Gain(1.0, start - later.stamp, 0.0, 1.0)
        to_end = chain(back, to_end[0]), chain(back, to_end[1])
    return Period(at_start, at_end, _cross(to_end[0], at_end.translation), _cross(to_end[1], at_end.rotation))


def _smoothed(model: MotionModel, motion: Motion, later: Motion | None) -> tuple[Motion, Gain, Gain]:
    return (motion, UNCHANGED, UNCHANGED) if later is None else model.smooth(motion, later)


def _cross(to_end: Gain, end: Covariance) -> float:
    """Return the covariance of the value at the start with that at the end.

    (5)  cov(x_start, x_end) = G_start ... G_before_end P_end: what corrects the end reaches the start through (3)
    """
    return to_end.value_value * end.value + to_end.value_rate * end.cross
