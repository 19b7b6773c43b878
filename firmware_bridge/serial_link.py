"""Link and channel as they are used on a robot: over a serial port, with a guardian."""

from __future__ import annotations

from functools import partial

from firmware_bridge.channel import Channel
from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.config import LinkConfig
from firmware_bridge.guardian import SerialGuardian
from firmware_bridge.link import Link
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.core.robot.description import RobotConfig


def make_serial_link(
    port: str, robot: RobotConfig, config: LinkConfig, guardian_silence: float, clock: Clock | None = None
) -> Link:
    """Make a link, not yet connected; `guardian_silence` as in `BridgeConfig` [s]."""
    opener = partial(SerialPort, port, robot.radio.baud)
    return Link(opener, robot, config, clock or SystemClock(), partial(SerialGuardian, silence=guardian_silence))


def make_serial_channel(port: str, robot: RobotConfig, guardian_silence: float, clock: Clock) -> Channel:
    """Make a channel, not yet open, for who wants to say single packets; arguments as for `make_serial_link`."""
    opener = partial(SerialPort, port, robot.radio.baud)
    return Channel(opener, robot, clock, partial(SerialGuardian, silence=guardian_silence))
