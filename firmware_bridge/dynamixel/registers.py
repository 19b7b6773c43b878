"""The registers of the XL330 that this driver uses, and the scales of their values.

Source: ROBOTIS e-Manual, "XL330-M077" and "XL330-M288", control table.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

MODELS = {'xl330-m077': 1190, 'xl330-m288': 1200}
"""Model numbers by name."""
VELOCITY_UNIT = 0.229 * math.tau / 60.0
"""Of goal and present velocity [rad/s]: 0.229 rev/min."""
POSITION_COUNTS = 4096
"""Counts of present position in one revolution."""
POSITION_UNIT = math.tau / POSITION_COUNTS
"""[rad]"""
CURRENT_UNIT = 1e-3
"""[A]"""
VOLTAGE_UNIT = 0.1
"""[V]"""
PWM_UNIT = 1 / 885
"""Of present PWM: 885 is full duty."""
TICKS = 32768
"""Present tick counts milliseconds from 0 to this less one."""
WATCHDOG_UNIT = 0.02
"""[s]"""
WATCHDOG_EXPIRED = 0xFF
"""The servo has stopped and ignores goals, and does not report it, until 0 is written."""
VELOCITY_MODE = 1
REVERSED = 0x01
"""Bit of the drive mode: positive is clockwise."""


@dataclass(frozen=True)
class Register:
    """One entry of the control table."""

    address: int
    size: int
    signed: bool = False

    def encode(self, value: int) -> bytes:
        """Return the bytes of a value.

        Raises:
            OverflowError: it does not fit.
        """
        return value.to_bytes(self.size, 'little', signed=self.signed)

    def decode(self, data: bytes) -> int:
        """Return the value of `size` bytes."""
        return int.from_bytes(data, 'little', signed=self.signed)

    @property
    def kept(self) -> bool:
        """It survives power-off, and can be written only while the torque is off."""
        return self.address < TORQUE_ENABLE.address


MODEL_NUMBER = Register(0, 2)
FIRMWARE_VERSION = Register(6, 1)
SERVO_ID = Register(7, 1)
RETURN_DELAY = Register(9, 1)
DRIVE_MODE = Register(10, 1)
OPERATING_MODE = Register(11, 1)
VELOCITY_LIMIT = Register(44, 4)
TORQUE_ENABLE = Register(64, 1)
STATUS_RETURN_LEVEL = Register(68, 1)
HARDWARE_ERROR = Register(70, 1)
BUS_WATCHDOG = Register(98, 1)
GOAL_VELOCITY = Register(104, 4, signed=True)
PRESENT = Register(120, 26)
"""The block of all that is read in a cycle: 120 to 145."""
_BLOCK = struct.Struct('<HBBhhii8xH')


@dataclass(frozen=True)
class ServoReading:
    """What one servo measured, in raw units."""

    tick: int
    """Milliseconds since its power-up, modulo `TICKS`."""
    pwm: int
    current: int
    """[mA]"""
    velocity: int
    """[0.229 rev/min]"""
    position: int
    """[1/4096 rev]; counts turns in velocity mode, and falls back to one turn when the servo restarts."""
    voltage: int
    """[0.1 V]"""

    @classmethod
    def decode(cls, block: bytes) -> ServoReading:
        """Read the registers 120 to 145.

        Raises:
            struct.error: the block has another length.
        """
        tick, _, _, pwm, current, velocity, position, voltage = _BLOCK.unpack(block)
        return cls(tick, pwm, current, velocity, position, voltage)

    def encode(self) -> bytes:
        """Return the registers 120 to 145, as a servo sends them."""
        return _BLOCK.pack(self.tick, 0, 0, self.pwm, self.current, self.velocity, self.position, self.voltage)
