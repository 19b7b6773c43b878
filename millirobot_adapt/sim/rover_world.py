"""The rover's whole mock in simulated time: body, disturbances, faults and motion capture."""

from __future__ import annotations

import math

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.sim.conditioned_world import ConditionedWorld
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.injector import CIRCUMSTANCES, Injector
from millirobot_adapt.sim.mocap import Mocap
from millirobot_adapt.sim.mocap_driver import MocapDriver
from millirobot_adapt.sim.rover import TIMESTEP, Rover

DISTURBED_EVERY = 5
"""Physics steps between two updates of what changes while the rover drives."""
CORRELATION_TIME = 0.2
"""How long a push of the ground lasts [s]."""
YAW_TORQUE, FORCE = 0.05, 0.5
"""Standard deviations of the pushes of the ground at full speed [N m, N]; nominal."""
FULL_SPEED = 0.5
"""Speed at which the pushes have this strength [m/s]; they grow with it."""
COMMAND_TIMEOUT = 0.5
"""The rover's own controller stops after this long without a command [s]."""
_MOCAP, _DRIVER, _PUSHES = 3, 5, 2
"""Keys of the random generators, as those of the hexapod's world."""
_LEGGED = ('missing_legs', 'wear', 'frozen_encoders', 'motor_gain')
"""Keys of a condition that speak of legs."""


class RoverWorld(ConditionedWorld):
    """Advance the rover and what observes it; equal seeds and equal commands give equal runs, bit for bit."""

    def __init__(self, robot: RobotConfig, condition: Condition, seed: int) -> None:
        """Put a rover down.

        Raises:
            UserError: the condition holds something that a rover has not.
        """
        _refuse_legs(condition)
        self.rover = Rover(condition)
        self._camera = Mocap(robot, condition, generator(seed, _MOCAP))
        self.mocap = MocapDriver(self._camera, generator(seed, _DRIVER))
        self._rng = generator(seed, _PUSHES)
        self._push = np.zeros(2)
        super().__init__(condition)
        self._steps = 0
        self._commanded = -math.inf
        self.command_since = 0.0
        """Time since which it is told to move, or to stand [s]."""
        self.first_motion: float | None = None
        """Time of the first command that is not zero, from which the schedule of faults counts [s]."""
        self._forward, self._turn = (robot.layout.action_names.index(name) for name in ('forward', 'turn'))
        self.injector = Injector(condition.faults, {CIRCUMSTANCES: self, 'mocap': self.mocap})
        """Lets faults begin."""

    @property
    def time(self) -> float:
        """Simulated time [s]."""
        return self._steps * TIMESTEP

    def command(self, action: FloatArray) -> None:
        """Take a velocity command, shape (nu,)."""
        forward, turn = float(action[self._forward]), float(action[self._turn])
        self._tell(forward, turn)
        self._commanded = self.time
        if self.first_motion is None and (forward or turn):
            self.first_motion = self.time

    def advance(self, until: float) -> None:
        """Advance to the last physics step that is not later than `until` [s]."""
        last = int(until / TIMESTEP + 1e-6)
        while self._steps < last:
            if self._steps % DISTURBED_EVERY == 0:
                self._disturb(DISTURBED_EVERY * TIMESTEP)
            if self.time >= self._camera.next_exposure:
                self._camera.expose(self.time, *self.rover.pose())
            if self.time > self._commanded + COMMAND_TIMEOUT:
                self._tell(0.0, 0.0)
            self.rover.step()
            self._steps += 1

    def _tell(self, forward: float, turn: float) -> None:
        """Let the rover's own controller take a speed [m/s] and a yaw rate [rad/s]."""
        if any(self.rover.command) != any((forward, turn)):
            self.command_since = self.time
        self.rover.command = (forward, turn)

    def _take_over(self, condition: Condition) -> None:
        _refuse_legs(condition)
        self._condition = condition
        self.rover.take_over(condition)
        self._camera.take_over(condition)

    def _disturb(self, seconds: float) -> None:
        """Apply what holds now: drifts are sines, pushes a first-order (Ornstein-Uhlenbeck) process."""
        self.injector.update(self.time, self.first_motion)
        condition, rover = self._condition, self.rover
        angle = condition.drift_phase + math.tau * self.time / condition.drift_period
        if condition.tilt_drift:
            rover.tilt_gravity(condition.tilt_drift * math.sin(angle), condition.tilt_drift * math.cos(angle))
        if condition.grip_drift:
            rover.shift_grip(condition.grip_drift * math.sin(angle))
        keep = math.exp(-seconds / CORRELATION_TIME)
        self._push = keep * self._push + math.sqrt(1.0 - keep**2) * self._rng.standard_normal(2)
        strength = condition.step_noise * min(1.2, abs(rover.command[0]) / FULL_SPEED)
        side, yaw = (strength * self._push).tolist()
        rover.push(lateral=FORCE * side, yaw=YAW_TORQUE * yaw)
        rover.update(seconds)


def _refuse_legs(condition: Condition) -> None:
    """Refuse what a rover cannot suffer, instead of ignoring it.

    Raises:
        UserError: names the key, and what to write instead.
    """
    new = Condition()
    for key in _LEGGED:
        if getattr(condition, key) != getattr(new, key):
            raise UserError(f'condition {condition.name}: {key} is of robots with legs; a rover has wheel_gain')
    if condition.payload.rope:
        raise UserError(f'condition {condition.name}: payload.rope: a rover carries its payload; take the rope out')
