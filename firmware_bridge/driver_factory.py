"""Choose the driver of a robot by its description."""

from __future__ import annotations

from firmware_bridge.bridge_config import BridgeConfig
from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import RobotDriver, SilencePromise
from firmware_bridge.link import imageproc_promise, serial_link
from millirobot_adapt.core.robot.description import RobotConfig


def make_driver(robot: RobotConfig, config: BridgeConfig, clock: Clock) -> RobotDriver:
    """Make the driver of a robot on the port of `config`, not yet connected."""
    return serial_link(config.port, robot, config.link, config.guardian_silence, clock)


def silence_promise(robot: RobotConfig) -> SilencePromise:
    """Return what a robot does by itself when it hears nothing any more."""
    return imageproc_promise(robot)
