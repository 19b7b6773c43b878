"""What changes while the robot walks: drifting tilt and grip, and the pushes of an uneven ground."""

from __future__ import annotations

import math

import numpy as np

from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.hexapod import Hexapod

PERIOD = 0.01
"""Time between two updates [s]."""
CORRELATION_TIME = 0.05
"""How long a push lasts [s]."""
YAW_TORQUE = 6e-3
"""Standard deviation of the yaw torque that gives the real robot's yaw noise, 0.76 rad/s over 1 s [N m]."""
LATERAL_FORCE = 0.16
"""Standard deviation of the lateral force [N]."""
FULL_LEG_VELOCITY = 2 * math.pi * 5.5
"""Mean leg velocity at which the pushes have the strength above [rad/s]; they grow with it."""


class Disturbances:
    """Update the hexapod every PERIOD."""

    def __init__(self, condition: Condition, rng: np.random.Generator) -> None:
        self._condition = condition
        self._rng = rng
        self._push = np.zeros(2)

    def take_over(self, condition: Condition) -> None:
        """Go on under another condition."""
        self._condition = condition

    def update(self, hexapod: Hexapod, time: float) -> None:
        """Apply what holds at `time` [s]: drifts are sines; pushes a first-order (Ornstein-Uhlenbeck) process."""
        condition = self._condition
        angle = condition.drift_phase + math.tau * time / condition.drift_period
        if condition.tilt_drift:
            hexapod.tilt_gravity(condition.tilt_drift * math.sin(angle), condition.tilt_drift * math.cos(angle))
        if condition.grip_drift:
            hexapod.shift_grip(condition.grip_drift * math.sin(angle))
        keep = math.exp(-PERIOD / CORRELATION_TIME)
        self._push = keep * self._push + math.sqrt(1.0 - keep**2) * self._rng.standard_normal(2)
        left, right = hexapod.leg_velocity()
        # A robot that stands is not pushed.
        roughness = condition.step_noise * condition.floor.roughness
        strength = roughness * min(1.5, (abs(left) + abs(right)) / 2 / FULL_LEG_VELOCITY)
        hexapod.push(
            lateral=strength * LATERAL_FORCE * self._push.item(0), yaw=strength * YAW_TORQUE * self._push.item(1)
        )
