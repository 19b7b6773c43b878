"""Robots for tests: VelociRoACH with other settings of its driver, and the places in its state."""

from typing import Any

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.drivers import ImageprocConfig

LAYOUT = RobotConfig().layout
NX, NU = LAYOUT.nx, LAYOUT.nu
STATE_NAMES = LAYOUT.state_names
assemble_state = LAYOUT.assemble


def imageproc(**settings: Any) -> RobotConfig:
    """Return VelociRoACH with these settings of its driver."""
    return RobotConfig(driver=ImageprocConfig(**settings))
