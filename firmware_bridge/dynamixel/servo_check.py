"""Measure a robot with six servos on the bench: who answers, how the bus does, how its legs turn, whether they stop.

What the measurements mean is decided in `servo_verdict.py`. Only `jog` turns a motor, and leaves the torque off however
it ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.dynamixel.leg_servos import LegServos
from firmware_bridge.dynamixel.registers import (
    BUS_WATCHDOG,
    FIRMWARE_VERSION,
    HARDWARE_ERROR,
    POSITION_UNIT,
    VOLTAGE_UNIT,
    WATCHDOG_EXPIRED,
    ServoReading,
)
from firmware_bridge.dynamixel.servo_bus import ServoBus
from firmware_bridge.dynamixel.servo_setup import SIDE_NAMES, last_words, leg_names
from firmware_bridge.guarded_port import GuardedPort
from firmware_bridge.guardian import SerialGuardian
from firmware_bridge.transports import TransportLost
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.core.robot.state import FloatArray

JOG_RATE = 1.0
"""Stride rate of a jog [rev/s]."""
JOG_SECONDS = 1.5
"""It turns for this long, and its rate is taken over the last `JOG_MEASURED` [s]."""
JOG_MEASURED = 1.0
SILENCE = 0.5
"""The watchdog is waited for this much longer than it is set to [s]; legs brake meanwhile."""
LOOK_AGAIN = 0.2
"""Time between two looks at the legs after the silence [s]."""
BEAT = 0.02
"""Time between two heartbeats to the guardian while the bus is silent [s]."""
PINGS = 3


@dataclass(frozen=True)
class ServoFound:
    """What one servo says of itself; None where it does not answer."""

    servo: int
    """Its id."""
    leg: str
    """Such as `front left`."""
    model: int | None
    firmware: int | None
    voltage: float | None
    """Of its supply [V]."""
    error: int
    """Register 70: its hardware errors, 0 for none."""


@dataclass(frozen=True)
class BusTrip:
    """One request to all servos."""

    seconds: float
    """Until the last answer came, or the wait was over [s]."""
    missing: tuple[int, ...]
    """Servos that did not answer."""


@dataclass(frozen=True)
class ServoJog:
    """One side was told to turn, then the bus fell silent while it turned."""

    side: str
    rate: float
    """Mean stride rate of that side [rev/s]; `JOG_RATE` was asked for."""
    other: float
    """The same of the other side, which was told to stand."""
    watchdog: int
    """What the watchdogs were set to [ms]."""
    expired: tuple[int, ...]
    """Servos whose watchdog reads as expired after the silence."""
    travel: float
    """Furthest that a leg turned from the last packet to the end of the silence [rev]."""
    step: float
    """Furthest that a leg turned between two looks after it [rev]."""
    failed: str = ''
    """Why the jog was broken off; empty: it was not."""


class ServoCheck:
    """The measurements, each on its own, over an open port; every method may raise TransportLost."""

    def __init__(self, port: GuardedPort, config: DynamixelConfig, link: LinkConfig, clock: Clock) -> None:
        self._port, self._config, self._link, self._clock = port, config, link, clock
        self._on = False
        self.motors_off = True
        """Every servo that counts has confirmed that its torque is off."""
        self.bus = ServoBus(port.transport, config.baud, config.latency, clock, self._beat)
        """The bus and what it has counted."""

    def servos(self) -> list[ServoFound]:
        """Ask every servo of the robot's file who it is."""
        return [self._servo(servo, leg) for servo, leg in leg_names(self._config).items()]

    def round_trips(self, count: int, tell: Callable[[], object]) -> list[BusTrip]:
        """Read all servos `count` times, as a cycle of the leg clock does, with their motors as they are."""
        trips = []
        for _ in range(count):
            begin = self._clock.steady()
            found = self.bus.readings(self._config.servos)
            missing = tuple(servo for servo in self._config.servos if servo not in found)
            trips.append(BusTrip(self._clock.steady() - begin, missing))
            tell()
        return trips

    def watch(self, seconds: float, show: Callable[[FloatArray], object]) -> int:
        """Show where the legs stand while they are turned by hand; return how often they were read.

        `show` gets the angle of each leg beyond its `home` [rad], shape (6,), nan where a servo does not answer.
        """
        shown, end = 0, self._clock.steady() + seconds
        while self._clock.steady() < end:
            found = self.bus.readings(self._config.servos)
            if found:
                show(self._angles(found))
                shown += 1
            self._clock.sleep(0.1)
        return shown

    def jog(self, side: str) -> ServoJog:
        """Turn the legs of one side, fall silent while they turn, and see whether the servos stop by themselves."""
        legs = LegServos(self.bus, self._config, self._clock, self._link.tries, lambda text: None)
        place = SIDE_NAMES.index(side)
        nothing = partial(ServoJog, side, expired=(), travel=math.nan, step=math.nan, watchdog=self._config.watchdog)
        try:
            legs.start_up(self._beat)
            self._on, self.motors_off = True, False
            legs.switch_on()
            rates = self._turn(legs, place)
            silent_from = self.bus.readings(self._config.servos)
            self._be_silent(1e-3 * self._config.watchdog + SILENCE)
            first = self.bus.readings(self._config.servos)
            self._clock.sleep(LOOK_AGAIN)
            second = self.bus.readings(self._config.servos)
            state = self.bus.read_all(self._config.servos, BUS_WATCHDOG)
            trouble = self._port.trouble()
        except LinkLost as error:
            return nothing(rate=math.nan, other=math.nan, failed=str(error))
        finally:
            self.motors_off = legs.switch_off(self._link.stop_tries)
            self._on = not self.motors_off
        if trouble is not None:
            raise TransportLost(trouble)  # perhaps the guardian, and not the watchdog, stopped the legs
        expired = tuple(servo for servo, value in state.items() if value == WATCHDOG_EXPIRED)
        return ServoJog(
            side, float(rates[place]), float(rates[1 - place]), self._config.watchdog, expired,
            travel=_furthest(silent_from, first), step=_furthest(first, second),
        )  # fmt: skip

    def _servo(self, servo: int, leg: str) -> ServoFound:
        model = next((found for _ in range(PINGS) if (found := self.bus.ping(servo)) is not None), None)
        if model is None:
            return ServoFound(servo, leg, None, None, None, 0)
        reading = self.bus.readings([servo]).get(servo)
        voltage = None if reading is None else reading.voltage * VOLTAGE_UNIT
        error = self.bus.read(servo, HARDWARE_ERROR)
        return ServoFound(servo, leg, model, self.bus.read(servo, FIRMWARE_VERSION), voltage, error or 0)

    def _turn(self, legs: LegServos, place: int) -> FloatArray:
        """Run the leg clock while one side turns; return the stride rates that it reached [rev/s], shape (2,)."""
        rate = np.zeros(len(SIDE_NAMES))
        rate[place] = JOG_RATE * math.tau
        period, begin = 1.0 / self._config.rate, self._clock.steady()
        seen: list[tuple[float, FloatArray]] = []
        due = begin
        while self._clock.steady() < begin + JOG_SECONDS:
            sample = legs.cycle(rate)
            if sample is not None and sample.sampled >= begin + JOG_SECONDS - JOG_MEASURED:
                seen.append((sample.sampled, sample.phase))
            due += period
            self._clock.sleep(max(0.0, due - self._clock.steady()))
        if len(seen) < 2:
            raise LinkLost('the servos did not answer while the legs turned')
        (first, begun), (last, ended) = seen[0], seen[-1]
        return np.asarray((ended - begun) / (last - first) / math.tau)

    def _be_silent(self, seconds: float) -> None:
        """Let nothing pass over the bus, which would feed the watchdogs; the guardian is told that all is well."""
        end = self._clock.steady() + seconds
        while self._clock.steady() < end:
            self._beat()
            self._clock.sleep(BEAT)

    def _beat(self) -> None:
        self._port.beat(self._on)

    def _angles(self, found: dict[int, ServoReading]) -> FloatArray:
        return np.array([
            (found[servo].position - home) * POSITION_UNIT if servo in found else math.nan
            for servo, home in zip(self._config.servos, self._config.home, strict=True)
        ])  # fmt: skip


def _furthest(before: dict[int, ServoReading], after: dict[int, ServoReading]) -> float:
    """Return the furthest that a shaft turned between two readings [rev]; nan where none was read twice."""
    steps = [abs(after[servo].position - before[servo].position) for servo in before if servo in after]
    return max(steps) * POSITION_UNIT / math.tau if steps else math.nan


def servo_port(port: str, config: DynamixelConfig, silence: float) -> GuardedPort:
    """Make the port of a check, not yet open; its guardian stops the servos after this much silence [s]."""
    return GuardedPort(
        partial(SerialPort, port, config.baud), last_words(config), partial(SerialGuardian, silence=silence)
    )
