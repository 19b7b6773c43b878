"""The driver `dynamixel`: a thread runs the leg clock at 50 to 100 Hz, the bridge's thread gives it actions.

The action is the stride rate of each side [rad/s], so that a six-servo robot is driven as a VelociRoACH is. The thread
stops the legs by itself when the action is older than `FREEZE_AFTER`. The guardian hears of both threads: it stops the
servos when either hangs.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import partial

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.channel import SLICE
from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import Exchange, Interrupted, LinkLost, SilencePromise
from firmware_bridge.dynamixel.leg_clock import SIDES
from firmware_bridge.dynamixel.leg_sample import LegSample, ServoTelemetry
from firmware_bridge.dynamixel.leg_servos import LegServos, last_words
from firmware_bridge.dynamixel.servo_bus import ServoBus
from firmware_bridge.guarded_port import GuardedPort
from firmware_bridge.guardian import Guardian, SerialGuardian
from firmware_bridge.transports import Transport, TransportLost
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.core.robot.state import FloatArray

FREEZE_AFTER = 0.2
"""An action older than this stops the legs [s]."""
JOIN_TIME = 1.0
"""The thread of the leg clock ends within this time [s]."""


class DynamixelDriver:
    """Drive six servos on one bus; see `RobotDriver`. `log` is told which leg is out and which is back.

    One lock guards the bus. The thread of the leg clock holds it for a cycle; start-up, motors on and stop hold it for
    as long as they take.
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
        self._bus_free = threading.Lock()
        self._cycled = threading.Condition()  # guards what follows
        self._action: FloatArray = np.zeros(SIDES)
        self._acted_at = -math.inf
        self._cycles = 0
        self._begun_at = -math.inf
        self._sample: LegSample | None = None
        self._failure = ''
        self._closing = False
        self._thread: threading.Thread | None = None
        self._beaten_at = -math.inf
        self._missing = 0
        self._counted = {'cycles': 0, 'start_ups': 0, 'sent': 0, 'replies': 0, 'slow_cycles': 0}
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
        found: dict[str, int | float | str] = dict(self._counted)
        if bus is not None:
            found |= {'bad_packets': bus.bad_packets, 'late': bus.late, 'refused': bus.refused}
            found['missing'] = sum(bus.missing.values())
        if legs is not None:
            found['legs_out'] = '; '.join(f'{name}: {why}' for name, why in legs.out.items()) or 'none'
        return found

    def heed(self, interrupt: Callable[[], bool]) -> None:
        """End every wait but those of `stop` as soon as `interrupt` returns True."""
        self._interrupt = interrupt

    def beat(self) -> None:
        """Note that the caller's thread is alive; the guardian hears of it with the next cycle."""
        self._beaten_at = self._clock.steady()
        if self._thread is None:
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
        self._end_thread()
        self._legs = LegServos(self._bus, self._config, self._clock, self._link.tries, self._log)
        try:
            with self._bus_free:
                self._legs.start_up(self._between)
        except (TransportLost, LinkLost) as error:
            raise self._lost(str(error)) from None
        self._missing, self._failure, self._closing, self._sample = 0, '', False, None
        self._action, self._acted_at = np.zeros(SIDES), -math.inf
        self._telemetry.restart()
        self._counted['start_ups'] += 1
        if self._own_thread:
            self._thread = threading.Thread(target=self._run, name='leg clock', daemon=True)
            self._thread.start()
        self.state = LinkState.UP

    def act(self, action: FloatArray) -> None:
        """Give the leg clock an action, shape (2,), for its next cycles; `exchange` also waits for one."""
        with self._cycled:
            self._action, self._acted_at = np.array(action, dtype=float), self._clock.steady()

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
            self._cycle_and_note()
        with self._cycled:
            sample = self._await_cycle(asked, timeout)
            failure = self._failure
        if failure:
            raise self._lost(failure)
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
            with self._bus_free:
                assert self._legs is not None
                self._legs.switch_on()
        except (TransportLost, LinkLost) as error:
            raise self._lost(str(error)) from None

    def stop(self) -> bool:
        """Set goals to zero, torque off; see `RobotDriver`."""
        with self._cycled:
            self._action = np.zeros(SIDES)
        try:
            with self._bus_free:
                if self._legs is not None and self._legs.switch_off(self._link.stop_tries):
                    return True
        except TransportLost as error:
            self._lost(str(error))
            return False
        self._lost('a servo did not confirm that its torque is off')
        return False

    def close(self) -> None:
        """End the thread, the guardian and the port; see `RobotDriver`."""
        self._end_thread()
        self._port.close()
        self.state = LinkState.CLOSED

    # The thread of the leg clock.

    def _run(self) -> None:
        """Cycle until `close`; an error ends the thread, and the next exchange reports it."""
        period = 1.0 / self._config.rate
        due = self._clock.steady()
        try:
            while not self._closing:
                self.cycle()
                due += period
                left = due - self._clock.steady()
                if left < -period:  # what was missed is not made up
                    self._counted['slow_cycles'] += 1
                    due, left = self._clock.steady(), 0.0
                self._clock.sleep(max(0.0, left))
        except Exception as error:  # it must not end unseen
            self._note(error)

    def _cycle_and_note(self) -> None:
        try:
            self.cycle()
        except (TransportLost, LinkLost) as error:
            self._note(error)

    def _note(self, error: Exception) -> None:
        """Let the next exchange report an error."""
        expected = isinstance(error, TransportLost | LinkLost)
        with self._cycled:
            self._failure = str(error) if expected else f'the leg clock failed: {type(error).__name__}: {error}'
            self._cycled.notify_all()

    def cycle(self) -> None:
        """Read all legs and command all, once: what the thread of the leg clock does at its rate.

        Raises:
            TransportLost: the port is gone.
            LinkLost: too few servos are left, or their watchdog has expired.
        """
        with self._bus_free:
            if self._closing:
                return
            assert self._legs is not None
            with self._cycled:
                begun = self._clock.steady()
                fresh = begun - self._acted_at <= FREEZE_AFTER
                rate = self._action if fresh and self._legs.motors_on else np.zeros(SIDES)
            sample = self._legs.cycle(rate)
            self._counted['cycles'] += 1
            with self._cycled:
                self._begun_at, self._sample = begun, sample
                self._cycled.notify_all()

    def _beat_guardian(self) -> None:
        """Pass a heartbeat on, unless the caller's thread has fallen silent."""
        if self._thread is None or self._clock.steady() - self._beaten_at <= self._patience:
            self._port.beat(self.motors_on)

    def _await_cycle(self, since: float, timeout: float) -> LegSample | None:
        """Wait for a cycle that began at `since` [s, steady clock] or later; None when none is over in time.

        Call it with the lock of `_cycled`.
        """
        while not self._failure and self._begun_at < since:
            left = since + timeout - self._clock.steady()
            if left <= 0 or self._interrupt():
                return None
            self._clock.wait(self._cycled, min(left, SLICE))
            self.beat()
        return self._sample

    def _between(self) -> None:
        self.beat()
        if self._interrupt():
            raise Interrupted

    def _end_thread(self) -> None:
        thread, self._closing = self._thread, True
        if thread is not None:
            thread.join(JOIN_TIME)
        self._thread = None

    def _lost(self, reason: str) -> LinkLost:
        """Write the last words, close the port, mark the link as lost and return the exception that says why."""
        self._end_thread()
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
