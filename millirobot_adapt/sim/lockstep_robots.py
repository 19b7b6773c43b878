"""The mock of every robot in lock-step, and the conditions under which training data of it are collected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.sim.conditions import Condition, Payload, Terrain, sample_training_condition
from millirobot_adapt.sim.lockstep import LockstepRobot, Observation
from millirobot_adapt.sim.rover_lockstep import LockstepRover


class SteppedRobot(Protocol):
    """A robot whose control periods pass one call at a time."""

    def reset(self) -> Observation:
        """Begin a run: the robot stands."""

    def step(self, setpoint: FloatArray) -> Observation:
        """Let one control period pass under the action, shape (nu,)."""


MakeStepped = Callable[[RobotConfig, Condition, Estimator, int], SteppedRobot]
ConditionSampler = Callable[[np.random.Generator], Condition]


def sample_rover_condition(rng: np.random.Generator) -> Condition:
    """Draw a condition whose hidden variation lasts for a whole run: grip, wheels, load, an uneven floor.

    All wheels reach another share of their speed, as with a battery that sags, and each a share of its own, as with
    worn gears and tyres. Without such variation there is nothing to adapt to.
    """
    return Condition(
        name='training',
        terrain=Terrain(friction=float(rng.uniform(0.35, 1.0))),
        wheel_gain=tuple(float(gain) for gain in rng.uniform(0.6, 1.1) * rng.uniform(0.7, 1.0, 4)),
        payload=Payload(mass=float(rng.uniform(0.0, 1.5))),
        start_yaw=float(rng.uniform(-np.pi, np.pi)),
        tilt_drift=float(rng.uniform(0.0, 0.05)),
        grip_drift=float(rng.uniform(0.0, 0.4)),
        drift_period=float(rng.uniform(15.0, 40.0)),
        drift_phase=float(rng.uniform(-np.pi, np.pi)),
    )


HEAVIEST_ON_SERVOS = 0.06
"""Load on the back of the servo hexapod in its training data [kg], the same share of its mass as on VelociRoACH."""


def sample_servo_condition(rng: np.random.Generator) -> Condition:
    """Draw a condition for the servo hexapod: as for VelociRoACH, with a load that its mass can feel."""
    condition = sample_training_condition(rng)
    return replace(condition, payload=Payload(mass=float(rng.uniform(0.0, HEAVIEST_ON_SERVOS))))


MOCKS: dict[str, tuple[MakeStepped, ConditionSampler]] = {
    'imageproc': (LockstepRobot, sample_training_condition),
    'dynamixel': (LockstepRobot, sample_servo_condition),
    'twist': (LockstepRover, sample_rover_condition),
}
"""By the kind of the driver: what makes the mock, and what draws its training conditions."""


def make_stepped(robot: RobotConfig, condition: Condition, estimator: Estimator, seed: int) -> SteppedRobot:
    """Make the mock of a robot in lock-step.

    Raises:
        UserError: there is no mock of such a robot, or the condition is not of such a robot.
    """
    return _mock(robot)[0](robot, condition, estimator, seed)


def training_conditions(robot: RobotConfig) -> ConditionSampler:
    """Return what draws the conditions under which training data of a robot are collected.

    Raises:
        UserError: there is no mock of such a robot.
    """
    return _mock(robot)[1]


def _mock(robot: RobotConfig) -> tuple[MakeStepped, ConditionSampler]:
    kind = robot.driver.kind
    if kind not in MOCKS:
        raise UserError(f'robot {robot.name}: there is no mock of a robot with driver {kind}')
    return MOCKS[kind]
