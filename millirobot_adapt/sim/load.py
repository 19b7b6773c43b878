"""A load that the robot pulls over the ground on a rope."""

from __future__ import annotations

import math

from millirobot_adapt.sim.conditions import Payload
from millirobot_adapt.sim.floor import GRAVITY

FULL_FRICTION = 0.05
"""Speed at which the load's friction is fully there [m/s]; below, it grows with the speed, which keeps steps stable."""


class PulledLoad:
    """Follow the end of a rope on the plane and pull back with the load's friction.

    The load's path is a tractrix: it moves only while the rope is taut, along the rope, and too slowly for its inertia
    to count. A slope does not pull on it.
    """

    def __init__(self, payload: Payload) -> None:
        self._rope = payload.rope
        self._friction = payload.friction * payload.mass * GRAVITY
        self._place: tuple[float, float] | None = None

    def pull(self, x: float, y: float, heading: float, seconds: float) -> tuple[float, float]:
        """Return the force on the rope's end [N] after it moved within `seconds` to x, y [m], shape (2,).

        At the first call the load lies straight behind the robot, which looks along `heading` [rad].
        """
        if self._place is None:
            self._place = x - self._rope * math.cos(heading), y - self._rope * math.sin(heading)
        along_x, along_y = self._place[0] - x, self._place[1] - y
        distance = math.hypot(along_x, along_y)
        if distance <= self._rope:
            return 0.0, 0.0
        along_x, along_y = along_x / distance, along_y / distance
        self._place = x + self._rope * along_x, y + self._rope * along_y
        force = self._friction * min(1.0, (distance - self._rope) / seconds / FULL_FRICTION)
        return force * along_x, force * along_y
