"""The units in which people read what a robot is told and does: revolutions where a joint turns, else SI."""

from __future__ import annotations

from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION
from millirobot_adapt.core.robot.layout import StateLayout

Shown = tuple[str, float]
"""The unit that is shown, and how many of the SI unit make one of it."""
TURNING: Shown = ('rev/s', RADIANS_PER_REVOLUTION)


def shown_actions(layout: StateLayout) -> tuple[Shown, ...]:
    """Return for each action how it is shown: in rev/s where it is the velocity of a joint, else in its own unit."""
    joints = {action for action, _ in layout.followers}
    return tuple(TURNING if number in joints else (unit, 1.0) for number, unit in enumerate(layout.action_units))


def shown_by_name(layout: StateLayout) -> dict[str, Shown]:
    """Return how each action and each joint is shown, by its name."""
    actions = dict(zip(layout.action_names, shown_actions(layout), strict=True))
    return actions | {joint.name: TURNING for joint in layout.joints}
