"""A Dynamixel XL330 as the bus sees it: registers, watchdog, velocity controller, and its motor as the legs see it.

What the e-Manual leaves open is decided here, and only for the mock: the watchdog counts while the torque is on or off,
and a servo says nothing for `BOOT_TIME` after its supply voltage has come back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from firmware_bridge.dynamixel import registers
from firmware_bridge.dynamixel.protocol2 import ServoError
from firmware_bridge.dynamixel.registers import (
    BUS_WATCHDOG,
    DRIVE_MODE,
    GOAL_VELOCITY,
    HARDWARE_ERROR,
    MODEL_NUMBER,
    OPERATING_MODE,
    POSITION_COUNTS,
    POSITION_UNIT,
    PRESENT,
    RETURN_DELAY,
    SERVO_ID,
    STATUS_RETURN_LEVEL,
    TICKS,
    TORQUE_ENABLE,
    VELOCITY_LIMIT,
    VELOCITY_UNIT,
    WATCHDOG_EXPIRED,
    WATCHDOG_UNIT,
    Register,
    ServoReading,
)

SIZE = 147
"""Bytes of the control table that are modelled."""
BOOT_TIME = 0.3
"""From power-up until it answers, nominal [s]."""
TICK = 0.001
"""Period of its controller [s]."""
_P_GAIN, _I_GAIN = 180 / 128, 1600 / 65536
"""Of the velocity controller as delivered: registers 78 and 76, in PWM a velocity unit, and the same a millisecond."""
_FULL_PWM = 885
_GOALS = range(100, 120)
"""Addresses that a servo whose watchdog has expired does not take."""
_READ_ONLY = range(PRESENT.address, SIZE)


@dataclass(frozen=True)
class ServoMotor:
    """Motor and gear seen at the output shaft: a straight line from stall torque to no-load speed."""

    stall_torque: float = 0.215
    """At full duty and `voltage` [N m]; e-Manual, XL330-M077."""
    no_load_speed: float = 383 * math.tau / 60
    """The same [rad/s]."""
    stall_current: float = 1.47
    """The same [A]."""
    voltage: float = 5.0
    """[V]"""

    @property
    def damping(self) -> float:
        """Brake by the motor's own back-EMF [N m s/rad]."""
        return self.stall_torque / self.no_load_speed

    def torque(self, duty: float, voltage: float) -> float:
        """Return the torque of a shaft that stands [N m]; a turning one has `damping` less."""
        return self.stall_torque * duty * voltage / self.voltage

    def current(self, duty: float, voltage: float, velocity: float) -> float:
        """Return the motor's current [A] at a shaft velocity [rad/s]."""
        share = duty * voltage / self.voltage - velocity / self.no_load_speed
        return self.stall_current * share


class SimulatedServo:
    """One servo. `tick` once a millisecond; `read` and `write` as instructions arrive; times are the caller's [s]."""

    def __init__(
        self, servo: int, model: int = registers.MODELS['xl330-m077'], motor: ServoMotor | None = None
    ) -> None:
        self.motor = motor or ServoMotor()
        self.supply = self.motor.voltage
        """Supply voltage [V]."""
        self.dead = False
        """It neither hears nor answers, and its motor is off."""
        self.mute = False
        """It obeys and does not answer: a broken line."""
        self.duty = 0.0
        """What drives the motor, -1 to 1, positive counter-clockwise."""
        self._table = bytearray(SIZE)
        for register, value in (
            (MODEL_NUMBER, model), (SERVO_ID, servo), (RETURN_DELAY, 250), (OPERATING_MODE, 3), (VELOCITY_LIMIT, 1620),
        ):  # fmt: skip
            self._set(register, value)
        self._angle = self._velocity = 0.0
        self._turns = 0
        self.power_up(-BOOT_TIME)

    def power_up(self, now: float) -> None:
        """Start, as after a brown-out: torque and watchdog off, goals zero, position within one turn, tick from 0."""
        self._table[TORQUE_ENABLE.address :] = bytes(SIZE - TORQUE_ENABLE.address)
        self._set(STATUS_RETURN_LEVEL, 2)
        self._latch()
        self._started, self._heard = now, now
        self._turns = math.floor(self._shown() / POSITION_COUNTS)
        self._integral = self.duty = 0.0
        self._milliseconds = 0

    @property
    def servo(self) -> int:
        """Its id."""
        return self._get(SERVO_ID)

    @property
    def driven(self) -> bool:
        """Tell whether its motor is driven towards a velocity that is not zero."""
        return not self.dead and bool(self._get(TORQUE_ENABLE)) and self._goal != 0

    @property
    def goal(self) -> float:
        """What its controller aims at, positive as its drive mode says [rad/s]; 0 while the torque is off."""
        return self._goal * VELOCITY_UNIT if self._driving and not self.dead else 0.0

    @property
    def return_delay(self) -> float:
        """From an instruction to its answer [s]."""
        return self._get(RETURN_DELAY) * 2e-6

    def present(self, now: float) -> bool:
        """Tell whether it hears the bus."""
        return not self.dead and now - self._started >= BOOT_TIME

    def hear(self, now: float) -> None:
        """Take note of a packet on the bus, whoever it is for: it feeds the watchdog."""
        self._heard = now

    def skip(self, seconds: float) -> None:
        """Set its clock ahead [s]."""
        self._milliseconds += round(1e3 * seconds)

    def fail(self, error: int) -> None:
        """Switch the torque off and report a hardware error (register 70)."""
        self._set(HARDWARE_ERROR, error)
        self._set(TORQUE_ENABLE, 0)
        self._latch()

    @property
    def alert(self) -> bool:
        """Tell whether its status packets carry the alert bit."""
        return bool(self._get(HARDWARE_ERROR))

    def tick(self, now: float, angle: float, velocity: float) -> float:
        """Run the controller for one millisecond with the shaft at `angle` [rad] and `velocity` [rad/s]; return duty.

        Positive is counter-clockwise, whatever the drive mode says.
        """
        self._angle, self._velocity = angle, velocity
        self._milliseconds += 1
        if now - self._heard > self._silence:
            self._set(BUS_WATCHDOG, WATCHDOG_EXPIRED)
            self._set(GOAL_VELOCITY, 0)
            self._latch()
        if self.dead or not self._driving:
            self._integral = self.duty = 0.0
            return 0.0
        error = self._goal - self._sign * velocity / VELOCITY_UNIT
        pwm = _P_GAIN * error + self._integral
        if abs(pwm) < _FULL_PWM or error * self._integral < 0:
            self._integral += _I_GAIN * error
        self.duty = self._sign * max(-_FULL_PWM, min(_FULL_PWM, pwm)) / _FULL_PWM
        return self.duty

    def read(self, address: int, size: int) -> bytes | int:
        """Return registers, or the error that answers the request."""
        if not 0 < size <= SIZE - address:
            return ServoError.DATA_RANGE
        if address + size > PRESENT.address:
            self._table[PRESENT.address : PRESENT.address + PRESENT.size] = self._reading().encode()
        return bytes(self._table[address : address + size])

    def write(self, address: int, data: bytes) -> int:
        """Set registers; return the error, 0 if there is none."""
        if not data or address + len(data) > SIZE:
            return ServoError.DATA_RANGE
        if address < TORQUE_ENABLE.address and self._get(TORQUE_ENABLE):
            return ServoError.ACCESS
        if any(place in _READ_ONLY for place in range(address, address + len(data))):
            return ServoError.ACCESS
        if address in _GOALS and self._get(BUS_WATCHDOG) == WATCHDOG_EXPIRED:
            return ServoError.DATA_RANGE
        if address == GOAL_VELOCITY.address and abs(GOAL_VELOCITY.decode(data[:4])) > self._get(VELOCITY_LIMIT):
            return ServoError.DATA_LIMIT
        before = self._get(OPERATING_MODE)
        self._table[address : address + len(data)] = data
        if self._get(OPERATING_MODE) != before:
            self._set(GOAL_VELOCITY, 0)
        self._latch()
        return 0

    def _reading(self) -> ServoReading:
        position = self._shown() - self._turns * POSITION_COUNTS
        current = self.motor.current(self.duty, self.supply, self._velocity)
        return ServoReading(
            tick=self._milliseconds % TICKS,
            pwm=round(self._sign * self.duty * _FULL_PWM),
            current=max(-1750, min(1750, round(self._sign * current / registers.CURRENT_UNIT))),
            velocity=round(self._sign * self._velocity / VELOCITY_UNIT),
            position=(position + 2**31) % 2**32 - 2**31,
            voltage=round(self.supply / registers.VOLTAGE_UNIT),
        )

    def _shown(self) -> int:
        """Return the position that the drive mode shows, with every turn since the servo was made [counts]."""
        return math.floor(self._sign * self._angle / POSITION_UNIT)

    def _latch(self) -> None:
        """Take over what the controller needs of the registers, which would be slow to read at every tick."""
        watchdog = self._get(BUS_WATCHDOG)
        self._silence = math.inf if watchdog in (0, WATCHDOG_EXPIRED) else watchdog * WATCHDOG_UNIT
        self._driving = bool(self._get(TORQUE_ENABLE)) and self._get(OPERATING_MODE) == registers.VELOCITY_MODE
        self._goal = self._get(GOAL_VELOCITY)
        self._sign = -1 if self._get(DRIVE_MODE) & registers.REVERSED else 1

    def _get(self, register: Register) -> int:
        return register.decode(bytes(self._table[register.address : register.address + register.size]))

    def _set(self, register: Register, value: int) -> None:
        self._table[register.address : register.address + register.size] = register.encode(value)
