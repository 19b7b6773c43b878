"""What follows for the nodes of a run from its robot, where the user does not say otherwise."""

from __future__ import annotations

from typing import Any

from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.share import default_model, shipped_model

FAULTS = {'imageproc': 'leg_loss', 'dynamixel': 'dead_servo', 'twist': 'weak_wheel'}
"""The condition in which the mock loses something in mid-run, by the kind of the robot's driver."""
FLOORS = {'imageproc': 'carpet', 'dynamixel': 'carpet', 'twist': 'flat'}
"""The condition in which the mock walks where nobody names one and nothing is to break, by the kind of the driver."""
LATEST = 0.9
"""Share of the control period after which a plan is late, for robots that are quicker than the shipped parameters."""


def choices_of(robot: RobotConfig, mock: bool, method: str = '') -> dict[str, dict[str, Any]]:
    """Return parameters that fit a robot: node -> dotted name -> value.

    Args:
        robot: The robot.
        mock: Its mock takes its place.
        method: Adaptation method whose model is to drive it; '': that of the robot's `default_model`.
    """
    model = shipped_model(robot.name, method) if method else default_model(robot.name)
    controller: dict[str, Any] = {'model': model}
    if ControllerConfig.deadline > robot.dt:
        controller['deadline'] = LATEST * robot.dt
    choices: dict[str, dict[str, Any]] = {'controller': controller}
    if mock:
        choices['mock_robot'] = {'condition': FAULTS[robot.driver.kind]}
        if robot.baud is None:  # without a port the bridge cannot tell the mock from the robot
            choices['bridge'] = {'allow_mock_model': True}
    return choices
