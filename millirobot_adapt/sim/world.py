"""The whole mock in simulated time: body, microcontroller, disturbances, faults and motion capture."""

from __future__ import annotations

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim import disturbances
from millirobot_adapt.sim.conditioned_world import ConditionedWorld
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.disturbances import Disturbances
from millirobot_adapt.sim.injector import CIRCUMSTANCES, Injector
from millirobot_adapt.sim.microcontroller import MakeMicrocontroller, Microcontroller
from millirobot_adapt.sim.mocap import Mocap
from millirobot_adapt.sim.mocap_driver import MocapDriver
from millirobot_adapt.sim.mock_parts import parts_of
from millirobot_adapt.sim.robot_faults import ClockFaults, RobotFaults
from millirobot_adapt.sim.servo_rig import ServoBoard

TICK = 0.001
"""Period of the firmware's controller and of the physics [s]."""
LARGEST_PAYLOAD = 0.1
"""A heavier payload crushes the hexapod [kg]."""
_DISTURBANCE_TICKS = round(disturbances.PERIOD / TICK)
_BODY, _MICROCONTROLLER, _DISTURBANCES, _MOCAP, _FORWARD_PUSHES, _DRIVER = range(6)
"""Keys of the random generators: what one part draws changes nothing for the others."""


class World(ConditionedWorld):
    """Advance the robot and what observes it; equal seeds and equal packets give equal runs, bit for bit."""

    def __init__(
        self,
        robot: RobotConfig,
        condition: Condition,
        seed: int,
        microcontroller: MakeMicrocontroller | None = None,
    ) -> None:
        """Put a robot down; `microcontroller` makes what drives it, None: what its kind has.

        Raises:
            UserError: the condition holds something that a robot with legs has not; the robot runs no firmware of ours.
        """
        _refuse_wheels(condition)
        rngs = generator(seed, _BODY), generator(seed, _MICROCONTROLLER)
        self.hexapod, self.electronics = parts_of(robot, condition, rngs, microcontroller)
        self._camera = Mocap(robot, condition, generator(seed, _MOCAP))
        self.mocap = MocapDriver(self._camera, generator(seed, _DRIVER))
        self._disturbances = Disturbances(condition, generator(seed, _DISTURBANCES), generator(seed, _FORWARD_PUSHES))
        self.electronics.frozen_encoders = condition.frozen_encoders
        super().__init__(condition)
        self._ticks = 0
        self.injector = Injector(
            condition.faults,
            {
                CIRCUMSTANCES: self,
                'mocap': self.mocap,
                'robot': RobotFaults(self.electronics, self.hexapod),
                'clock': ClockFaults(self.electronics, self.mocap),
            },
        )
        """Lets faults begin; the mock in real time adds those of radio, port, the host's clock and processes."""

    @property
    def microcontroller(self) -> Microcontroller:
        """What drives a robot of the kind imageproc.

        Raises:
            UserError: this robot has servos.
        """
        if isinstance(self.electronics, ServoBoard):
            raise UserError('this needs a robot with driver imageproc: the mock of this one has servos')
        return self.electronics

    @property
    def time(self) -> float:
        """Simulated time [s]."""
        return self._ticks * TICK

    def advance(self, until: float) -> None:
        """Advance to the last tick that is not later than `until` [s]."""
        last = int(until / TICK + 1e-6)
        while self._ticks < last:
            if self._ticks % _DISTURBANCE_TICKS == 0:
                self.injector.update(self.time, self.electronics.first_motion)
                self._disturbances.update(self.hexapod, self.time)
                self.hexapod.update(disturbances.PERIOD)
            if self.time >= self._camera.next_exposure:
                self._camera.expose(self.time, *self.hexapod.pose())
            self.hexapod.step(*self.electronics.tick())
            self._ticks += 1

    def _take_over(self, condition: Condition) -> None:
        """Let all go on under another condition."""
        _refuse_wheels(condition)
        self._condition = condition
        self.hexapod.take_over(condition)
        self._camera.take_over(condition)
        self._disturbances.take_over(condition)
        self.electronics.frozen_encoders = condition.frozen_encoders


def _refuse_wheels(condition: Condition) -> None:
    """Refuse what a robot with legs cannot suffer, instead of ignoring it.

    Raises:
        UserError: names the key.
    """
    if condition.wheel_gain != Condition().wheel_gain:
        raise UserError(f'condition {condition.name}: wheel_gain is of robots with wheels')
    if condition.payload.mass > LARGEST_PAYLOAD:
        mass = condition.payload.mass
        raise UserError(f'condition {condition.name}: payload.mass is {mass:g} kg, more than {LARGEST_PAYLOAD:g} kg')
