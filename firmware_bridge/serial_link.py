"""The link as it is used on a robot: over a serial port, with a guardian."""

from __future__ import annotations

from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.config import LinkConfig
from firmware_bridge.guardian import SerialGuardian
from firmware_bridge.link import Link
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.core.robot import RobotConfig


def make_serial_link(
    port: str, robot: RobotConfig, config: LinkConfig, guardian_silence: float, clock: Clock | None = None
) -> Link:
    """Make a link, not yet connected; `guardian_silence` as in `BridgeConfig` [s]."""

    def guard(descriptor: int, last_words: bytes) -> SerialGuardian:
        return SerialGuardian(descriptor, last_words, guardian_silence)

    return Link(lambda: SerialPort(port, robot.radio.baud), robot, config, clock or SystemClock(), guard)
