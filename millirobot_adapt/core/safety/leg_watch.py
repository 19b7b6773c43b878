"""Notice a leg that is told to turn and does not: stalled, its motor unplugged, or its encoder standing still."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.robot.layout import StateLayout
from millirobot_adapt.core.safety.inputs import LegReading

LONGEST_STEP = 0.35
"""Replies further apart than this tell nothing of what happened in between [s]."""


class LegWatch:
    """Measure for how long each joint that an action turns has not followed its setpoint."""

    def __init__(self, layout: StateLayout) -> None:
        self._actions = [action for action, _ in layout.followers]
        self._joints = [joint for _, joint in layout.followers]
        self._names = [layout.action_names[action] for action in self._actions]
        self._behind = np.zeros(len(self._actions))
        self.fault = ''
        """Which leg does not follow, for people; stays until `restart`."""

    def restart(self) -> None:
        """Forget what was seen."""
        self._behind, self.fault = np.zeros(len(self._actions)), ''

    def add(self, reading: LegReading, share: float, longest: float) -> None:
        """Take a reading; a leg does not follow while it turns at less than `share` of its setpoint.

        After more than `longest` [s] of this, the leg is reported as `fault`. A leg that was not told to turn starts
        from zero.
        """
        if self.fault:
            return  # the legs are held by now, and tell nothing
        # Written so that a velocity that is not finite counts as not following.
        told, turned = reading.told[self._actions], reading.turned[self._joints]
        behind = (told != 0.0) & ~(np.sign(told) * turned >= share * np.abs(told))
        step = reading.seconds if reading.seconds <= LONGEST_STEP else 0.0
        self._behind = np.where(behind, self._behind + step, 0.0)
        faulty = [
            f'the {self._names[leg]} leg does not follow: told {told[leg]:.0f} rad/s, it turns at '
            f'{turned[leg]:.1f} rad/s'
            for leg in np.flatnonzero(self._behind > longest)
        ]
        if faulty:
            self.fault = f'{"; ".join(faulty)} (stalled, unplugged, or its encoder stands still)'
