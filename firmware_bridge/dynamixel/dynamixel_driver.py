"""The driver `dynamixel`: a thread runs the leg clock at 50 to 100 Hz, the bridge's thread gives it actions.

The action is the stride rate of each side [rad/s], so that a six-servo robot is driven as a VelociRoACH is. The thread
stops the legs by itself when the action is older than `FREEZE_AFTER`. The guardian hears of both threads: it stops the
servos when either hangs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import Exchange, Interrupted, LinkLost, SilencePromise
from firmware_bridge.dynamixel.leg_clock import SIDES
from firmware_bridge.dynamixel.leg_clock_thread import LegClockThread
from firmware_bridge.dynamixel.leg_sample import ServoTelemetry
from firmware_bridge.dynamixel.leg_servos import LegServos
from firmware_bridge.dynamixel.servo_bus import ServoBus
from firmware_bridge.dynamixel.servo_setup import last_words
from firmware_bridge.guarded_port import GuardedPort
from firmware_bridge.guardian import Guardian, SerialGuardian
from firmware_bridge.transports import Transport, TransportLost
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.core.robot.state import FloatArray


class DynamixelDriver:
    """Drive six servos on one bus; see `RobotDriver`. `log` is told which leg is out and which is back.

    The thread of the leg clock holds the bus for a cycle; start-up, motors on and stop hold it as long as they take.
    """

    def __init__(
        self,
        opener: Callable[[], Transport],
        config: DynamixelConfig,
        link: LinkConfig,
        clock: Clock,
        log: Callable[[str], None] = lambda text: None,
        guard: Callable[[int, bytes], Guardian] | None = None,
        patience: float = 0.2,
        own_thread: bool = True,
    ) -> None:
        """`patience`: the guardian hears nothing more when the caller has been silent for this long [s].

        Without `own_thread` the caller calls `cycle` (as a simulation does in its own time), and `exchange` does it
        once.
        """
        self._own_thread = own_thread
        self._config = config
        self._link = link
        self._clock = clock
        self._log = log
        self._patience = patience
        self._port = GuardedPort(opener, last_words(config), guard)
        self._interrupt: Callable[[], bool] = lambda: False
        self._bus: ServoBus | None = None
        self._legs: LegServos | None = None
        self._telemetry = ServoTelemetry()
        self._thread = LegClockThread(1.0 / config.rate, clock)
        self._beaten_at = -math.inf
        self._missing = 0
        self._counted = {'start_ups': 0, 'sent': 0, 'replies': 0}
        self.state = LinkState.CLOSED

    @property
    def motors_on(self) -> bool:
        """False only when every servo that counts has confirmed that its torque is off."""
        return self._legs is None or self._legs.motors_on

    @property
    def silence_promise(self) -> SilencePromise:
        """What the servos do when the bus falls silent."""
        return dynamixel_promise(self._config)

    @property
    def last_words(self) -> bytes:
        """Goals to zero, then torque off."""
        return self._port.last_words

    @property
    def phase_error(self) -> FloatArray:
        """Phase error of each leg at the last cycle [rad], shape (2, 3); nan where it stands or is out."""
        return np.full((SIDES, 3), np.nan) if self._legs is None else self._legs.leg_clock.error.copy()

    def counts(self) -> dict[str, int | float | str]:
        """Return what was counted, and which legs are out."""
        bus, legs = self._bus, self._legs
        found: dict[str, int | float | str] = {**self._counted, **self._thread.counted}
        if bus is not None:
            found |= {'bad_packets': bus.bad_packets, 'late': bus.late, 'refused': bus.refused}
            found['missing'] = sum(bus.missing.values())
        if legs is not None:
            found['legs_out'] = '; '.join(f'{name}: {why}' for name, why in legs.out.items()) or 'none'
        return found

    def interrupt_when(self, interrupt: Callable[[], bool]) -> None:
        """End every wait but those of `stop` as soon as `interrupt` returns True."""
        self._interrupt = interrupt

    def beat(self) -> None:
        """Note that the caller's thread is alive; the guardian hears of it with the next cycle."""
        self._beaten_at = self._clock.steady()
        if not self._thread.runs:
            self._port.beat(self.motors_on)

    def guardian_trouble(self) -> str | None:
        """Return what the guardian has done or what has happened to it; see `RobotDriver`."""
        try:
            return self._port.trouble()
        except TransportLost as error:
            raise self._lost(str(error)) from None

    def connect(self) -> None:
        """Open the port and start the guardian; see `RobotDriver`."""
        self.close()
        self.state = LinkState.LOST  # should the port refuse
        try:
            self._port.open()
            self._bus = ServoBus(
                self._port.transport, self._config.baud, self._config.latency, self._clock, self._beat_guardian
            )
        except TransportLost as error:
            raise self._lost(str(error)) from None
        self.state = LinkState.OPENING

    def start(self) -> None:
        """Find and set up the servos, torque off, and start the leg clock; see `RobotDriver`."""
        if not self._port.is_open:
            self.connect()
        assert self._bus is not None
        self._thread.end()
        self._legs = LegServos(self._bus, self._config, self._clock, self._link.tries, self._log)
        try:
            with self._thread.bus_free:
                self._legs.start_up(self._between)
        except (TransportLost, LinkLost) as error:
            raise self._lost(str(error)) from None
        self._missing = 0
        self._telemetry.restart()
        self._counted['start_ups'] += 1
        self._thread.begin(self._legs, in_background=self._own_thread)
        self.state = LinkState.UP

    def act(self, action: FloatArray) -> None:
        """Give the leg clock an action, shape (2,), for its next cycles; `exchange` also waits for one."""
        self._thread.act(action)

    def exchange(self, action: FloatArray, patience: float = math.inf) -> Exchange:
        """Give the leg clock an action and wait for the first cycle that begins with it; see `RobotDriver`.

        A cycle reads the legs before it commands them, so its telemetry shows what the action before has done.
        """
        self.beat()
        asked, host = self._clock.steady(), self._clock.host()
        timeout = min(patience, self._link.reply_timeout)
        self.act(action)
        self._counted['sent'] += 1
        if not self._own_thread:
            self._thread.cycle_and_note()
        sample = self._thread.await_cycle(asked, timeout, self._interrupt, self.beat)
        if self._thread.failure:
            raise self._lost(self._thread.failure)
        if sample is None:
            self._missing += patience >= self._link.reply_timeout
            if self._missing >= self._link.lost_after:
                raise self._lost(f'no servo has answered {self._missing} times in a row: look at power and cable')
            return Exchange(np.array(action, dtype=float), host, None, None)
        self._missing = 0
        self._counted['replies'] += 1
        telemetry = self._telemetry.decode(sample, host + (sample.sampled - asked))
        sent = host + (sample.commanded - asked)
        round_trip = self._clock.steady() - asked
        return Exchange(np.array(action, dtype=float), sent, telemetry, round_trip)

    def start_motors(self) -> None:
        """Switch the torque of every servo on, and the watchdogs; see `RobotDriver`."""
        try:
            with self._thread.bus_free:
                assert self._legs is not None
                self._legs.switch_on()
        except (TransportLost, LinkLost) as error:
            raise self._lost(str(error)) from None

    def stop(self) -> bool:
        """Set goals to zero, torque off; see `RobotDriver`."""
        self._thread.halt()
        try:
            with self._thread.bus_free:
                if self._legs is not None and self._legs.switch_off(self._link.stop_tries):
                    return True
        except TransportLost as error:
            self._lost(str(error))
            return False
        self._lost('a servo did not confirm that its torque is off')
        return False

    def close(self) -> None:
        """End the thread, the guardian and the port; see `RobotDriver`."""
        self._thread.end()
        self._port.close()
        self.state = LinkState.CLOSED

    def cycle(self) -> None:
        """Read all legs and command all, once: what the thread of the leg clock does at its rate.

        Raises:
            TransportLost: the port is gone.
            LinkLost: too few servos are left, or their watchdog has expired.
        """
        self._thread.cycle()

    def _beat_guardian(self) -> None:
        """Pass a heartbeat on, unless the caller's thread has fallen silent."""
        if not self._thread.runs or self._clock.steady() - self._beaten_at <= self._patience:
            self._port.beat(self.motors_on)

    def _between(self) -> None:
        self.beat()
        if self._interrupt():
            raise Interrupted

    def _lost(self, reason: str) -> LinkLost:
        """Write the last words, close the port, mark the link as lost and return the exception that says why."""
        self._thread.end()
        self._port.write_last_words()
        self._port.close()
        self._legs = None
        self.state = LinkState.LOST
        self._missing = 0
        return LinkLost(reason)


def dynamixel_promise(config: DynamixelConfig) -> SilencePromise:
    """Return what the servos do when the bus falls silent: their bus watchdog stops them."""
    return SilencePromise(
        config.watchdog * 1e-3, config.watchdog_verified, 'docs/xl330-hexapod.md says how to check it'
    )


def dynamixel_driver(
    port: str,
    config: DynamixelConfig,
    link: LinkConfig,
    guardian_silence: float,
    clock: Clock,
    log: Callable[[str], None],
) -> DynamixelDriver:
    """Make a driver over a serial port, not yet connected, with a guardian that tolerates this much silence [s]."""
    opener = partial(SerialPort, port, config.baud)
    guard = partial(SerialGuardian, silence=guardian_silence)
    return DynamixelDriver(opener, config, link, clock, log, guard, patience=guardian_silence)
