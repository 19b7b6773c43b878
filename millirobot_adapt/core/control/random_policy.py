"""The policy that collects data: random setpoints of several kinds, inside the lab's safety circle."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.control.steering import Steering
from millirobot_adapt.core.geometry import wrap
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.core.robot.state import StateView

LONGEST_HOLD = 10
"""A setpoint is held for 1 to this many control periods."""
HOMING_GAIN = 0.5
"""Share of the range by which what turns differs from straight on for each radian off the way home."""


class RandomPolicy:
    """Give actions that cover the range of `layout` in level and in rhythm.

    For a while (drawn) the actions are independent and held, or nearly straight on (driving), or wander slowly
    (correlated in time). Outside a circle of `radius` [m] around `centre` [m; world], shape (2,), the robot turns home
    until it is half-way back.
    """

    def __init__(
        self,
        layout: StateLayout,
        radius: float,
        generator: np.random.Generator,
        centre: tuple[float, ...] = (0.0, 0.0),
    ) -> None:
        self._low, self._high, self._radius, self._generator = layout.action_low, layout.action_high, radius, generator
        self._steering = Steering(layout)
        self._centre = np.array(centre)
        self._homing = False
        self._kind, self._kind_left, self._hold_left = self._independent, 0, 0
        self._nu = layout.nu
        self._level = generator.uniform(size=self._nu)

    def act(self, state: FloatArray) -> FloatArray:
        """Return the next setpoint for the state (nx,)."""
        view = StateView(state)
        way_home = self._centre - view.position[:2]
        self._homing = float(np.hypot(*way_home)) > (0.5 * self._radius if self._homing else self._radius)
        level = self._home(way_home, float(view.yaw)) if self._homing else self._random()
        return np.asarray(self._low + (self._high - self._low) * np.clip(level, 0.0, 1.0))

    def _home(self, way_home: FloatArray, yaw: float) -> FloatArray:
        """Return levels (nu,) that turn towards home, whose direction is `way_home` (2,) [m; world]."""
        bearing = np.arctan2(way_home[1], way_home[0])
        turn = HOMING_GAIN * float(wrap(bearing - yaw))
        return self._steering.cruise + self._steering.turns * turn + self._generator.normal(scale=0.15, size=self._nu)

    def _random(self) -> FloatArray:
        if self._kind_left == 0:
            kinds = (self._independent, self._driving, self._wandering)
            self._kind, self._kind_left = kinds[self._generator.integers(len(kinds))], 30
        self._kind_left -= 1
        self._kind()
        return self._level

    def _independent(self) -> None:
        if self._renew():
            self._level = self._generator.uniform(size=self._nu)

    def _driving(self) -> None:
        if self._renew():
            level = np.where(self._steering.drives, self._generator.uniform(), self._steering.cruise)
            self._level = np.clip(level + self._generator.normal(scale=0.15, size=self._nu), 0.0, 1.0)

    def _wandering(self) -> None:
        self._level = np.clip(self._level + self._generator.normal(scale=0.15, size=self._nu), 0.0, 1.0)

    def _renew(self) -> bool:
        """Say whether the held setpoint has run out, and if so draw how long the next one is held."""
        if self._hold_left == 0:
            self._hold_left = int(self._generator.integers(1, LONGEST_HOLD + 1))
        self._hold_left -= 1
        return self._hold_left == 0
