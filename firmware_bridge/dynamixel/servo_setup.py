"""Set up the servos of a robot one by one: are they there, are they the right ones, do they take what is written."""

from __future__ import annotations

from collections.abc import Iterable

from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.dynamixel import registers
from firmware_bridge.dynamixel.protocol2 import encode_instruction, sync_write
from firmware_bridge.dynamixel.registers import (
    BUS_WATCHDOG,
    DRIVE_MODE,
    GOAL_VELOCITY,
    HARDWARE_ERROR,
    OPERATING_MODE,
    RETURN_DELAY,
    TORQUE_ENABLE,
    Register,
)
from firmware_bridge.dynamixel.servo_bus import ServoBus, ServoRefused
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.dynamixel import LEGS_A_SIDE, DynamixelConfig

SIDE_NAMES, ROW_NAMES = ('left', 'right'), ('front', 'middle', 'rear')
_HARDWARE_ERRORS = {
    0: 'input voltage', 2: 'overheating', 3: 'encoder', 4: 'electrical shock', 5: 'overload',
}  # fmt: skip


class ServoSetup:
    """Examine servos and write their settings, each as often as it takes, up to `tries` times.

    Every method may raise TransportLost.
    """

    def __init__(self, bus: ServoBus, config: DynamixelConfig, tries: int) -> None:
        self._bus = bus
        self._config = config
        self._tries = tries
        self._names = leg_names(config)

    def examine(self, servo: int) -> str:
        """Return why a servo cannot be used, '' if it can; its torque is off then.

        Raises:
            UserError: it is of another model than the robot's file says.
        """
        found = next((model for _ in range(self._tries) if (model := self._bus.ping(servo)) is not None), None)
        if found is None:
            return f'servo {servo} does not answer'
        expected = registers.MODELS[self._config.model]
        if found != expected:
            raise UserError(
                f'servo {servo} is of model number {found}, not {expected} ({self._config.model}); set model, or '
                "the ids, in the robot's file"
            )
        if self._bus.set_all(TORQUE_ENABLE, {servo: 0}, self._tries):
            return f'servo {servo} does not switch its torque off'
        error = self._bus.read(servo, HARDWARE_ERROR)
        return f'servo {servo} reports {hardware_error(error)}; restart it' if error else ''

    def set_up(self, servo: int) -> None:
        """Write the settings of a servo where they differ; those that survive power-off are spared needless writes.

        Raises:
            LinkLost: the servo does not answer, or does not take one.
        """
        reverse = SIDE_NAMES.index(self._config.reversed_side) == self._config.servos.index(servo) // LEGS_A_SIDE
        mode = self.insist_read(servo, DRIVE_MODE)
        settings = {
            BUS_WATCHDOG: 0,  # first: a servo whose watchdog has expired takes no goal
            RETURN_DELAY: 0,
            DRIVE_MODE: mode & ~registers.REVERSED | (registers.REVERSED if reverse else 0),
            OPERATING_MODE: registers.VELOCITY_MODE,
            GOAL_VELOCITY: 0,
        }
        for register, value in settings.items():
            if self.insist_read(servo, register) != value:
                self._insist_write(servo, register, value)

    def insist_read(self, servo: int, register: Register) -> int:
        """Read a register.

        Raises:
            LinkLost: the servo does not answer.
        """
        for _ in range(self._tries):
            value = self._bus.read(servo, register)
            if value is not None:
                return value
        raise LinkLost(f'servo {servo} ({self._names[servo]}) does not answer')

    def _insist_write(self, servo: int, register: Register, value: int) -> None:
        try:
            done = any(self._bus.write(servo, register, value) for _ in range(self._tries))
        except ServoRefused as error:
            raise LinkLost(str(error)) from None
        if not done:
            raise LinkLost(f'servo {servo} ({self._names[servo]}) does not confirm register {register.address}')

    def confirm(self, register: Register, servos: Iterable[int], value: int) -> None:
        """Write a register of several servos and read it back.

        Raises:
            LinkLost: one does not have the value then.
        """
        left = self._bus.set_all(register, dict.fromkeys(servos, value), self._tries)
        if left:
            raise LinkLost(f'servo {min(left)} does not take {value} for register {register.address}')


def leg_names(config: DynamixelConfig) -> dict[int, str]:
    """Name the leg of each servo: `front left`."""
    names = [f'{row} {side}' for side in SIDE_NAMES for row in ROW_NAMES]
    return dict(zip(config.servos, names, strict=True))


def last_words(config: DynamixelConfig) -> bytes:
    """Return what the guardian writes: goals to zero, then torque off, for every servo."""
    every = dict.fromkeys(config.servos, 0)
    goal = {servo: GOAL_VELOCITY.encode(value) for servo, value in every.items()}
    torque = {servo: TORQUE_ENABLE.encode(value) for servo, value in every.items()}
    return encode_instruction(sync_write(goal, GOAL_VELOCITY.address, GOAL_VELOCITY.size)) + encode_instruction(
        sync_write(torque, TORQUE_ENABLE.address, TORQUE_ENABLE.size)
    )


def hardware_error(bits: int) -> str:
    """Name the hardware errors of register 70."""
    names = [name for bit, name in _HARDWARE_ERRORS.items() if bits >> bit & 1]
    return f'a hardware error ({", ".join(names) or bits})'
