"""Servos on a line that turn something, advanced in simulated time: six free shafts on a bench, or a robot's legs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from firmware_bridge.dynamixel.protocol2 import ServoInstruction
from millirobot_adapt.core.robot.dynamixel import LEGS_A_SIDE, DynamixelConfig
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.servo import TICK, ServoMotor, SimulatedServo
from millirobot_adapt.sim.servo_line import ServoLine

SIDES = 2
LEG_INERTIA = 1.2e-5
"""Of a leg and of the rotor seen at the shaft, nominal [kg m^2]."""
GEAR_FRICTION = 0.006
"""Coulomb friction of a gear seen at the shaft, nominal [N m]."""


class Turned(Protocol):
    """What the servos turn; arrays are in the order of the servos."""

    def shaft_angle(self) -> Sequence[float]:
        """Return the angle of each shaft [rad], positive counter-clockwise seen from the horn."""

    def shaft_velocity(self) -> Sequence[float]:
        """Return the velocity of each shaft [rad/s]."""

    def supply(self) -> float:
        """Return the supply voltage of the servos [V]."""


class Bench(Turned, Protocol):
    """Shafts that are advanced by themselves."""

    def drive(self, torque: Sequence[float]) -> None:
        """Advance by one millisecond under these torques [N m], the brake by back-EMF apart."""


class FreeShafts:
    """Six shafts with a leg each that touch nothing."""

    def __init__(self, angle: FloatArray, motor: ServoMotor | None = None) -> None:
        """`angle` is where the shafts stand [rad], shape (6,)."""
        self.angle = np.array(angle, dtype=float)
        self.velocity = np.zeros(len(self.angle))
        self.load = np.zeros(len(self.angle))
        """Torque that hinders each shaft [N m], positive against a positive velocity."""
        self.voltage = (motor or ServoMotor()).voltage
        self._damping = (motor or ServoMotor()).damping

    def shaft_angle(self) -> Sequence[float]:
        """Return the angles [rad]."""
        return self.angle.tolist()

    def shaft_velocity(self) -> Sequence[float]:
        """Return the velocities [rad/s]."""
        return self.velocity.tolist()

    def supply(self) -> float:
        """Return the supply voltage [V]."""
        return self.voltage

    def drive(self, torque: Sequence[float]) -> None:
        """Advance by one millisecond: implicit in the damping, friction never turns a shaft back."""
        driven = self.velocity + TICK / LEG_INERTIA * (np.asarray(torque) - self.load * np.sign(self.velocity))
        braked = driven / (1.0 + TICK * self._damping / LEG_INERTIA)
        friction = TICK / LEG_INERTIA * GEAR_FRICTION
        self.velocity = np.sign(braked) * np.maximum(np.abs(braked) - friction, 0.0)
        self.angle = self.angle + TICK * self.velocity


class ServoBoard:
    """Six servos and their line: what drives the legs of a robot; `tick` once a millisecond. Times are the caller's.

    In a `World` it stands where VelociRoACH has its microcontroller.
    """

    has_own_clock = False

    def __init__(
        self, config: DynamixelConfig, turned: Turned, rng: np.random.Generator, wire_time: bool = True
    ) -> None:
        self.servos = [SimulatedServo(servo) for servo in config.servos]
        self.line = ServoLine(self.servos, config.baud, rng, wire_time)
        self.first_motion: float | None = None
        """Time of the first tick in which a motor was driven [s], None before."""
        self.command_since = 0.0
        """Time since which the motors of each side are driven, or are not [s]."""
        self._turned = turned
        self._ticks = 0
        self._driven = (False, False)
        self._clock_step = 0.0
        self.frozen_encoders = 0.0
        self.stuck_encoders = (False, False)

    @property
    def time(self) -> float:
        """Time since the servos were switched on [s]."""
        return self._ticks * TICK

    @property
    def driven(self) -> bool:
        """Tell whether a motor is driven towards a velocity that is not zero."""
        return any(servo.driven for servo in self.servos)

    @property
    def commanded(self) -> FloatArray:
        """Mean goal of the servos of each side whose torque is on [rad/s], positive forward, shape (2,)."""
        return np.array([servo.goal for servo in self.servos]).reshape(SIDES, LEGS_A_SIDE).mean(axis=1)

    def tick(self) -> list[float]:
        """Run every servo's controller for one millisecond; return the torques of the shafts [N m]."""
        self._ticks += 1
        time, turned = self.time, self._turned
        supply = turned.supply()
        torques = []
        for servo, angle, velocity in zip(self.servos, turned.shaft_angle(), turned.shaft_velocity(), strict=True):
            servo.supply = supply
            torques.append(servo.motor.torque(servo.tick(time, angle, velocity), supply))
        driven = [servo.driven for servo in self.servos]
        sides = any(driven[:LEGS_A_SIDE]), any(driven[LEGS_A_SIDE:])
        if sides != self._driven:
            self._driven, self.command_since = sides, time
            if self.first_motion is None:
                self.first_motion = time
        return torques

    def obey(self, packet: ServoInstruction, now: float) -> None:
        """Let the servos act on an instruction that arrived at `now` [s]."""
        self.line.obey(packet, now)

    def power_up(self) -> None:
        """Let the supply of all servos fail for a moment: they restart."""
        self.brown_out(range(len(self.servos)))

    def brown_out(self, numbers: Sequence[int]) -> None:
        """Let the supply of some servos, by their place, fail for a moment: they restart."""
        for number in numbers:
            self.servos[number].power_up(self.time)

    def revive(self) -> None:
        """Switch dead servos on again: they start as after a brown-out."""
        dead = [number for number, servo in enumerate(self.servos) if servo.dead]
        for number in dead:
            self.servos[number].dead = False
        self.brown_out(dead)

    @property
    def clock_step(self) -> float:
        """How far the servos' clocks were set ahead [s]."""
        return self._clock_step

    @clock_step.setter
    def clock_step(self, ahead: float) -> None:
        for servo in self.servos:
            servo.skip(ahead - self._clock_step)
        self._clock_step = ahead

    def close(self) -> None:
        """Let go of what it runs on: nothing here."""


class ServoRig(ServoBoard):
    """A board whose shafts turn on a bench, as the far end of a serial port."""

    def __init__(self, config: DynamixelConfig, bench: Bench, rng: np.random.Generator, wire_time: bool = True) -> None:
        super().__init__(config, bench, rng, wire_time)
        self._bench = bench

    def advance(self, until: float) -> None:
        """Advance to the last millisecond that is not later than `until` [s]."""
        last = int(until / TICK + 1e-6)
        while self._ticks < last:
            self._bench.drive(self.tick())
            self._receive(self.time)

    def write(self, data: bytes, now: float) -> None:
        """Take bytes of the host at `now` [s]."""
        self.advance(now)
        self.line.write(data, now)

    def read(self, now: float) -> bytes:
        """Return what the host may read at `now` [s]."""
        self.advance(now)
        self._receive(now)
        return self.line.read(now)

    def _receive(self, now: float) -> None:
        """Let instructions act that have arrived by `now`."""
        while (arrived := self.line.arrived(now)) is not None:
            self.obey(arrived[1], arrived[0])
