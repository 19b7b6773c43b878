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
FORCE = 0.16
"""Standard deviation of the force to the side and of that forward [N]."""
FULL_LEG_VELOCITY = 2 * math.pi * 5.5
"""Mean leg velocity at which the pushes have the strength above [rad/s]; they grow with it."""


class Disturbances:
    """Update the hexapod every PERIOD."""

    def __init__(self, condition: Condition, rng: np.random.Generator, forward_rng: np.random.Generator) -> None:
        """Pushes forward and back come from a generator of their own."""
        self._condition = condition
        self._rng, self._forward_rng = rng, forward_rng
        self._push = np.zeros(3)

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
        drawn = np.array([*self._rng.standard_normal(2), self._forward_rng.standard_normal()])
        self._push = keep * self._push + math.sqrt(1.0 - keep**2) * drawn
        left, right = hexapod.leg_velocity()
        # A robot that stands is not pushed.
        gait = min(1.2, (abs(left) + abs(right)) / 2 / FULL_LEG_VELOCITY)
        floor, noise = condition.floor, gait * condition.step_noise
        side, yaw, forward = self._push.tolist()
        hexapod.push(
            forward=noise * floor.forward_push * FORCE * forward,
            lateral=noise * floor.side_push * FORCE * side,
            yaw=noise * floor.yaw_push * YAW_TORQUE * yaw + gait * floor.veer,
        )
