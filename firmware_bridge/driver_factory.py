"""Choose the driver of a robot by its description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from firmware_bridge.bridge_config import BridgeConfig
from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import RobotDriver, SilencePromise
from firmware_bridge.dynamixel.dynamixel_driver import dynamixel_driver, dynamixel_promise
from firmware_bridge.guardian import StartingGuardian
from firmware_bridge.link import imageproc_promise, serial_link
from firmware_bridge.twist import TwistDriver, twist_promise
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.drivers import TwistConfig
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.core.robot.layout import FloatArray


class Outlet(Protocol):
    """What a driver without a port sends its actions through; the bridge's node has it."""

    def send(self, action: FloatArray) -> None:
        """Publish an action, shape (nu,)."""

    def start_guardian(self) -> StartingGuardian:
        """Start the process that commands standstill when the bridge is gone or hangs.

        Raises:
            OSError: it cannot be started.
        """


def make_driver(
    robot: RobotConfig,
    config: BridgeConfig,
    clock: Clock,
    outlet: Outlet | None = None,
    log: Callable[[str], None] = lambda text: None,
) -> RobotDriver:
    """Make the driver of a robot on the port of `config`, or with an outlet, not yet connected; `log` takes events.

    Raises:
        UserError: the robot's driver needs an outlet, and there is none.
    """
    if isinstance(robot.driver, TwistConfig):
        if outlet is None:
            raise UserError(f'robot {robot.name} takes velocity commands under ROS 2; start the bridge for it')
        return TwistDriver(robot, outlet.send, outlet.start_guardian, clock)
    if isinstance(robot.driver, DynamixelConfig):
        return dynamixel_driver(config.port, robot.driver, config.link, config.guardian_silence, clock, log)
    return serial_link(config.port, robot, config.link, config.guardian_silence, clock)


def silence_promise(robot: RobotConfig) -> SilencePromise:
    """Return what a robot does by itself when it hears nothing any more."""
    if isinstance(robot.driver, DynamixelConfig):
        return dynamixel_promise(robot.driver)
    return twist_promise(robot) if isinstance(robot.driver, TwistConfig) else imageproc_promise(robot)
