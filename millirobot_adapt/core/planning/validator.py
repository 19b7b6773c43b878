"""The last check of a plan before its action is sent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.planning.sequences import Bounds
from millirobot_adapt.core.robot.layout import FloatArray, X, Y


@dataclass(frozen=True)
class PlausiblePlan:
    """Refuse a plan whose actions leave their bounds, or that is predicted to move faster than any robot does."""

    bounds: Bounds
    longest_step: float
    """Largest displacement of the body in one control period [m]."""

    def __call__(self, states: FloatArray, actions: FloatArray) -> str:
        """Return what is wrong with a plan of states (H + 1, nx) and actions (H, nu) [rad/s]; '' when nothing is."""
        if not self.bounds.in_range(actions):
            return 'an action is out of range'
        longest = float(np.hypot(np.diff(states[:, X]), np.diff(states[:, Y])).max())
        if not longest <= self.longest_step:
            return f'a predicted step is {longest:.2f} m long'
        return ''
