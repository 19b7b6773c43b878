"""Six servos as the legs of one robot: one cycle of the leg clock, motors on and off, which servo is out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.dynamixel import registers
from firmware_bridge.dynamixel.leg_clock import SIDES, LegClock
from firmware_bridge.dynamixel.leg_sample import LegSample, SidePhases
from firmware_bridge.dynamixel.registers import (
    BUS_WATCHDOG,
    GOAL_VELOCITY,
    HARDWARE_ERROR,
    POSITION_UNIT,
    TICKS,
    TORQUE_ENABLE,
    VELOCITY_LIMIT,
    VELOCITY_UNIT,
    WATCHDOG_EXPIRED,
    WATCHDOG_UNIT,
    ServoReading,
)
from firmware_bridge.dynamixel.servo_bus import ServoBus
from firmware_bridge.dynamixel.servo_setup import SIDE_NAMES, ServoSetup, hardware_error, leg_names
from millirobot_adapt.core.robot.dynamixel import LEGS_A_SIDE, DynamixelConfig
from millirobot_adapt.core.robot.state import FloatArray

OUT_AFTER, OUT_MISSES = 0.1, 5
"""A servo is out when it has missed this long [s] and this many answers in a row."""
PROBE_PERIOD = 0.5
"""A servo that is out is asked this often whether it answers again [s]: each time costs a wait."""
CHECK_PERIOD = 0.2
"""Bus watchdog and torque are read back in turn, each time after this [s]."""
TICK_EARLY, TICK_LATE = 100, 1000
"""A servo's clock may differ from ours by this between two readings [ms], beyond what waiting for them explains."""
STEP_SLACK = 0.5
"""A leg may turn this far beyond its fastest between two readings [rad]."""


@dataclass
class _Leg:
    servo: int
    name: str
    misses: int = 0
    heard: float = 0.0
    """When it was last asked for what it then answered [s, steady clock]."""
    answered: float = 0.0
    """When that answer was there [s, steady clock]."""
    reading: ServoReading | None = None
    out: str = ''
    """Why it does not count; empty: it does."""
    silent: bool = False
    """It is out only because it did not answer, and may count again."""
    probe_at: float = 0.0


class LegServos:
    """Drive the six servos; for one thread at a time. Every method may raise TransportLost.

    A servo that falls silent is *out*: the others go on, and it still gets its goals. One that has restarted, or has
    switched its torque off, is out until `switch_on`.
    """

    def __init__(
        self, bus: ServoBus, config: DynamixelConfig, clock: Clock, tries: int, log: Callable[[str], None]
    ) -> None:
        self._bus = bus
        self._config = config
        self._clock = clock
        self._log = log
        self._setup = ServoSetup(bus, config, tries)
        self._legs = [_Leg(servo, name) for servo, name in leg_names(config).items()]
        self._by_id = {leg.servo: leg for leg in self._legs}
        self._fastest = 0.0
        self.leg_clock = LegClock(config, 0.0)
        self._phases = SidePhases()
        self.motors_on = True
        """False only when every servo that counts has confirmed that its torque is off."""
        self._watch_at = 0.0
        self._watch_torque = False

    @property
    def out(self) -> dict[str, str]:
        """The legs that do not count, each with the reason."""
        return {leg.name: leg.out for leg in self._legs if leg.out}

    def start_up(self, between: Callable[[], None]) -> None:
        """Find the servos, switch their torque off and set them up; `between` is called between two of them.

        Raises:
            UserError: a servo is of another model than the robot's file says.
            LinkLost: too few servos answer, or one does not take its settings.
        """
        self._bus.write_all(GOAL_VELOCITY, dict.fromkeys(self._config.servos, 0))
        for leg in self._legs:
            between()
            leg.out, leg.silent, leg.reading, leg.misses = self._setup.examine(leg.servo), False, None, 0
            if leg.out:
                self._log(f'the {leg.name} leg is out: {leg.out}')
        self._require_enough()
        self._fastest = VELOCITY_UNIT * min(
            self._setup.insist_read(leg.servo, VELOCITY_LIMIT) for leg in self._counting()
        )
        self.leg_clock = LegClock(self._config, self._fastest)
        for leg in self._counting():
            between()
            self._setup.set_up(leg.servo)
        self.motors_on = False

    def cycle(self, rate: FloatArray) -> LegSample | None:
        """Read all legs, command all: one cycle at the stride rates of the two sides [rad/s], shape (2,).

        Returns:
            What was read; None when no servo answered at all.

        Raises:
            LinkLost: too few servos are left, or their watchdog has expired.
        """
        asked = self._clock.steady()
        readings = self._bus.readings([leg.servo for leg in self._counting()])
        self._take(readings, asked)
        self._require_enough()
        sample = self._sample(readings, asked)
        now = self._clock.steady()
        goals = self.leg_clock.goals(rate, sample.angle, asked, now) / VELOCITY_UNIT
        counts = (int(goal) for goal in np.rint(goals).ravel())
        self._bus.write_all(GOAL_VELOCITY, dict(zip(self._config.servos, counts, strict=True)))
        self._look_after(now)
        return replace(sample, commanded=now) if readings else None

    def switch_on(self) -> None:
        """Set goals to zero, torque on, watchdog on, and read both back; servos that are out are tried again.

        Raises:
            LinkLost: a servo that counts does not confirm it.
        """
        for leg in self._legs:
            if leg.out:
                leg.out, leg.silent = self._setup.examine(leg.servo), False
                if not leg.out:
                    self._setup.set_up(leg.servo)
                    leg.reading, leg.misses = None, 0
                    self._phases.forget()
                    self._log(f'the {leg.name} leg is back')
        self._require_enough()
        self.motors_on = True
        servos = [leg.servo for leg in self._counting()]
        self._setup.confirm(BUS_WATCHDOG, servos, 0)
        self._setup.confirm(GOAL_VELOCITY, servos, 0)
        self._setup.confirm(TORQUE_ENABLE, servos, 1)
        self._setup.confirm(BUS_WATCHDOG, servos, round(self._config.watchdog * 1e-3 / WATCHDOG_UNIT))
        self.leg_clock = LegClock(self._config, self._fastest)

    def switch_off(self, tries: int) -> bool:
        """Set goals to zero, torque off; return whether every servo that counts has confirmed it.

        A servo that is out gets the same, and stops by its watchdog if it hears nothing.
        """
        every = dict.fromkeys(self._config.servos, 0)
        self._bus.write_all(GOAL_VELOCITY, every)
        self._bus.write_all(TORQUE_ENABLE, every)
        counting = {leg.servo: 0 for leg in self._counting()}
        if self._bus.set_all(TORQUE_ENABLE, counting, tries):
            return False
        self.motors_on = False
        return True

    # Cycles.

    def _counting(self) -> list[_Leg]:
        return [leg for leg in self._legs if not leg.out]

    def _require_enough(self) -> None:
        for side, name in enumerate(SIDE_NAMES):
            legs = self._legs[side * LEGS_A_SIDE :][:LEGS_A_SIDE]
            if sum(not leg.out for leg in legs) < self._config.least_a_side:
                why = '; '.join(leg.out for leg in legs if leg.out)
                raise LinkLost(f'too few servos are left on the {name} ({why}): look at cable, power and ids')

    def _take(self, readings: dict[int, ServoReading], asked: float) -> None:
        """Take what came in answer to a request of the time `asked`, and see who is out."""
        now = self._clock.steady()
        missing = [leg for leg in self._counting() if leg.servo not in readings]
        answered = [leg for leg in self._counting() if leg.servo in readings]
        last = self._legs.index(answered[-1]) if answered else -1
        for leg in missing:
            if leg.servo in self._bus.late_from:  # it did answer the request before, and this machine is slow
                leg.misses = 0
        for number, leg in enumerate(missing):
            # Servos answer one after the other, and some wait for the one before: blame the first that is missing, and
            # those after which another has answered.
            if answered and (number == 0 or self._legs.index(leg) < last):
                leg.misses += 1
                if leg.misses >= OUT_MISSES and asked - leg.heard >= OUT_AFTER:
                    self._put_out(leg, f'servo {leg.servo} does not answer', asked)
                    leg.silent = True
        for leg in answered:
            reading = readings[leg.servo]
            if self._restarted(leg, reading, asked, now):
                self._put_out(leg, f'servo {leg.servo} has restarted: look at its supply voltage', asked)
                del readings[leg.servo]
            leg.reading, leg.heard, leg.answered, leg.misses = reading, asked, now, 0

    def _restarted(self, leg: _Leg, reading: ServoReading, asked: float, now: float) -> bool:
        """Tell by its clock and its position whether a servo has restarted since the last reading.

        A reading is of some moment between the request and the time that its answer was there. These are far apart
        where this thread paused between them, so the time between two readings is known by its bounds alone.
        """
        before = leg.reading
        if before is None:
            return False
        least, most = max(asked - leg.answered, 0.0), now - leg.heard
        allowed = round(1e3 * (most - least)) + TICK_LATE
        ahead = (reading.tick - before.tick - round(1e3 * least)) % TICKS
        if allowed < ahead < TICKS - TICK_EARLY:
            return True
        step = abs(reading.position - before.position) * POSITION_UNIT
        return step > self._fastest * (least + 1e-3 * min(ahead, allowed)) + STEP_SLACK

    def _put_out(self, leg: _Leg, why: str, now: float) -> None:
        leg.out, leg.silent, leg.probe_at = why, False, now + PROBE_PERIOD
        self._log(f'the {leg.name} leg is out: {why}; the others go on')

    def _sample(self, readings: dict[int, ServoReading], asked: float) -> LegSample:
        angle, velocity, current = (np.full(SIDES * LEGS_A_SIDE, np.nan) for _ in range(3))
        for place, (leg, home) in enumerate(zip(self._legs, self._config.home, strict=True)):
            reading = readings.get(leg.servo)
            if reading is not None:
                angle[place] = (reading.position - home) * POSITION_UNIT
                velocity[place] = reading.velocity * VELOCITY_UNIT
                current[place] = reading.current * registers.CURRENT_UNIT
        shape = (SIDES, LEGS_A_SIDE)
        voltage = min((reading.voltage for reading in readings.values()), default=0)
        phases = self._phases.follow(angle.reshape(shape))
        return LegSample(asked, angle.reshape(shape), velocity.reshape(shape), current.reshape(shape), voltage, phases)

    def _look_after(self, now: float) -> None:
        """Read back watchdog and torque in turn, and ask one servo that is out whether it answers again."""
        if now >= self._watch_at:
            self._watch_at = now + CHECK_PERIOD
            self._watch_torque = not self._watch_torque
            if self.motors_on:
                self._check_torque(now) if self._watch_torque else self._check_watchdog()
        for leg in self._legs:
            if leg.silent and now >= leg.probe_at:
                leg.probe_at = now + PROBE_PERIOD
                self._probe(leg)
                return

    def _check_watchdog(self) -> None:
        read = self._bus.read_all([leg.servo for leg in self._counting()], BUS_WATCHDOG)
        expired = [servo for servo, value in read.items() if value == WATCHDOG_EXPIRED]
        if expired:
            raise LinkLost(f'the bus watchdog of servo {expired[0]} has expired: the bus was silent')

    def _check_torque(self, now: float) -> None:
        for servo, value in self._bus.read_all([leg.servo for leg in self._counting()], TORQUE_ENABLE).items():
            if not value:
                error = self._bus.read(servo, HARDWARE_ERROR)
                why = f': {hardware_error(error)}' if error else ''
                self._put_out(self._by_id[servo], f'servo {servo} has switched its torque off{why}', now)

    def _probe(self, leg: _Leg) -> None:
        """Let a silent servo count again if it answers and has not restarted meanwhile."""
        asked = self._clock.steady()
        reading = self._bus.readings([leg.servo]).get(leg.servo)
        if reading is None:
            return
        now = self._clock.steady()
        if self._restarted(leg, reading, asked, now) or leg.reading is None:
            self._put_out(leg, f'servo {leg.servo} has restarted: look at its supply voltage', asked)
            return
        leg.out, leg.silent, leg.misses = '', False, 0
        leg.reading, leg.heard, leg.answered = reading, asked, now
        self._log(f'the {leg.name} leg answers again')
