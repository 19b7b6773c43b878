"""Which body the mock of a robot has, and what drives its legs."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.hexapod import Hexapod
from millirobot_adapt.sim.microcontroller import MakeMicrocontroller, Microcontroller
from millirobot_adapt.sim.servo_hexapod import ServoHexapod
from millirobot_adapt.sim.servo_rig import ServoBoard


def parts_of(
    robot: RobotConfig,
    condition: Condition,
    rngs: tuple[np.random.Generator, np.random.Generator],
    microcontroller: MakeMicrocontroller | None,
) -> tuple[Hexapod, Microcontroller | ServoBoard]:
    """Put the body of a robot down and connect what drives it; `rngs` are their generators.

    Raises:
        UserError: there is no mock of this kind of robot, or it runs no firmware.
    """
    if isinstance(robot.driver, DynamixelConfig):
        if microcontroller not in (None, Microcontroller):
            raise UserError(f'robot {robot.name} has servos, which run no firmware of ours: set firmware to python')
        body = ServoHexapod(condition, rngs[0])
        return body, ServoBoard(robot.driver, body, rngs[1])
    hexapod = Hexapod(condition, rngs[0])
    return hexapod, (microcontroller or Microcontroller)(robot, hexapod, rngs[1])
