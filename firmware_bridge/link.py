"""The driver `imageproc`: start-up, one exchange per setpoint, a stop that is repeated until it is confirmed.

The robot speaks only when it is asked, so everything here is a request and a bounded wait for its answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.channel import RadioChannel
from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.dialogue import STILL, Answered, Dialogue, LinkCounters, Unconfirmed
from firmware_bridge.driver_interface import Exchange, Interrupted, LinkLost, SilencePromise
from firmware_bridge.guardian import Guardian, SerialGuardian
from firmware_bridge.packets import StartMotors, TelemetryReply
from firmware_bridge.replies import Request, RobotRestarted
from firmware_bridge.telemetry import TelemetryDecoder, clock_step, counts_to_setpoint, setpoint_to_counts
from firmware_bridge.transports import Transport, TransportLost
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import FloatArray

_FIRST_EXCHANGES = 5
_CLOCK_CHECK = 0.2
"""The rate of the robot's clock is judged over no less than this [s]."""
_CLOCK_RATES = (2 / 3, 3 / 2)
"""A robot's clock that is slower or faster is not the one that its file describes [s/s]."""


class Link:
    """Drive one VelociRoACH over a transport that can be reopened; see `RobotDriver`.

    A reply must echo the command it answers. The robot samples its sensors before the new command acts, but fills the
    command fields with the new one. So a reply that echoes zero proves that the zero has arrived. The firmware is not
    published; `echoes_previous` covers one that echoes the command before.

    With `guard`, a guardian stops the robot when this process dies, or when its thread falls silent while the motors
    may be on. Code that keeps the thread from calling the link must call `beat` meanwhile.
    """

    def __init__(
        self,
        opener: Callable[[], Transport],
        robot: RobotConfig,
        config: LinkConfig,
        clock: Clock,
        guard: Callable[[int, bytes], Guardian] | None = None,
    ) -> None:
        self._robot = robot
        self._config = config
        self._clock = clock
        self._channel = RadioChannel(opener, robot, clock, guard)
        self._dialogue = Dialogue(self._channel, robot, config, clock)
        self._decoder = TelemetryDecoder(robot)
        self._missing = 0
        self.state = LinkState.CLOSED

    @property
    def counters(self) -> LinkCounters:
        """Counts since the link was made."""
        return self._dialogue.counters

    @property
    def silence_promise(self) -> SilencePromise:
        """What the robot does when it hears nothing any more, as its file says."""
        return imageproc_promise(self._robot)

    @property
    def last_words(self) -> bytes:
        """Zero and 0x92."""
        return self._channel.last_words

    def counts(self) -> Mapping[str, int | float | str]:
        """Return all counts and the percentiles of the last round trips."""
        return self.counters.as_dict()

    @property
    def motors_on(self) -> bool:
        """False only when the robot has confirmed that its motors are off."""
        return self._channel.motors_on

    def interrupt_when(self, interrupt: Callable[[], bool]) -> None:
        """End every wait but those of `stop` as soon as `interrupt` returns True."""
        self._channel.interrupt = interrupt

    def beat(self) -> None:
        """Tell the guardian that the link's thread is alive."""
        self._channel.beat()

    def guardian_trouble(self) -> str | None:
        """Return what the guardian has done or what has happened to it; a dead one is replaced.

        Raises:
            LinkLost: it cannot be replaced.
        """
        try:
            return self._channel.guardian_trouble()
        except TransportLost as error:
            raise self._lost(str(error)) from None

    def connect(self) -> None:
        """Open the transport and send nothing.

        Raises:
            UserError: the port does not exist, is in use, ...
            LinkLost: the guardian cannot be started.
        """
        self.close()
        self.state = LinkState.LOST  # should the port refuse
        try:
            self._channel.open()
        except TransportLost as error:
            raise self._lost(str(error)) from None
        self.state = LinkState.OPENING

    def start(self) -> None:
        """Connect (unless `connect` did) and start the robot up.

        Zero until it is echoed, 0x97, 0x81, 0x90, a hold-off, 0x82 with its echo, 0x85 if the robot has a timeout, and
        a few exchanges. A robot that does not echo the zero gets nothing else: nothing is switched on.

        Raises:
            UserError: the transport cannot be opened.
            LinkLost: the robot does not answer as it should.
            Interrupted: see `interrupt_when`; the transport stays open.
        """
        if not self._channel.is_open:
            self.connect()
        self._channel.motors_on = True  # until proven otherwise
        try:
            self._start_up()
        except (TransportLost, RobotRestarted, Unconfirmed) as error:
            raise self._lost(str(error)) from None

    def exchange(self, setpoint: FloatArray, patience: float = math.inf) -> Exchange:
        """Send leg velocities [rad/s], shape (2,), and wait for the telemetry that answers them.

        The wait is `reply_timeout`, or `patience` [s] if less. A reply that is missing after a shorter wait does not
        count towards a lost link.

        The telemetry's stamp is the time of sampling: by the robot's clock once its mapping has settled, before that
        the earliest time at which the request can have arrived. It is never after the arrival of the reply.

        Raises:
            LinkLost: the transport is gone, the robot has restarted, too many replies are missing, or somebody else
                commands the robot.
        """
        counts = setpoint_to_counts(self._robot, setpoint)
        timeout = self._config.reply_timeout
        try:
            request = self._dialogue.ask(counts)
            reply = self._reply_to(request, min(patience, timeout))
        except (TransportLost, RobotRestarted) as error:
            raise self._lost(str(error)) from None
        sent = counts_to_setpoint(self._robot, counts)
        if reply is None:
            self._missing += patience >= timeout
            if self._missing >= self._config.lost_after:
                raise self._lost(f'no reply to {self._missing} setpoints in a row{self._last_refusal()}')
            return Exchange(sent, request.host, None, None)
        self._missing = 0
        if self._dialogue.foreign_streak >= self._config.lost_after:
            raise self._lost('the robot answers requests that are not ours: stop the other program that commands it')
        round_trip = self._clock.steady() - request.sent
        telemetry = self._decoder.decode(reply, request.host + self._sampling_delay(reply, request, round_trip))
        return Exchange(sent, request.host, telemetry, round_trip)

    def start_motors(self) -> None:
        """Switch the PID on (0x81) and wait until the robot's radio has acknowledged it.

        Raises:
            LinkLost: it was not acknowledged.
            Interrupted: see `interrupt_when`.
        """
        try:
            self._dialogue.insist(StartMotors())
        except (TransportLost, Unconfirmed) as error:
            raise self._lost(str(error)) from None

    def stop(self) -> bool:
        """Send zero until a reply echoes it, then switch the motors off (0x92); return True when both are confirmed.

        Never raises: without a confirmation the link is lost, and `start` begins with zero again.
        """
        interrupt, self._channel.interrupt = self._channel.interrupt, lambda: False
        try:
            self._dialogue.stop(self._config.stop_tries)
        except (TransportLost, Unconfirmed) as error:
            self._lost(str(error))
            return False
        finally:
            self._channel.interrupt = interrupt
        return True

    def close(self) -> None:
        """Close the transport; the robot is not told (see `stop`)."""
        self._channel.close()
        self.state = LinkState.CLOSED

    def _start_up(self) -> None:
        # Zero first: the robot may still hold an old setpoint, and the PID is about to be switched on.
        self._dialogue.begin()
        early = self._dialogue.first_reply()
        self._dialogue.switch_on()
        self._check_clock(early, self._first_exchanges())
        self._decoder.restart()
        self._missing = 0
        self.counters.start_ups += 1
        self.state = LinkState.UP

    def _first_exchanges(self) -> Answered:
        """Get the replies that all later ones are compared with, and return the last.

        After the hold-off no answer to an earlier request can be under way, so each reply belongs to its request.
        """
        self._dialogue.begin()
        answered: list[Answered] = []
        for _ in range(_FIRST_EXCHANGES * self._config.tries):
            request = self._dialogue.ask(STILL)
            reply = self._dialogue.answer_to(request, self._config.gains_timeout)
            if reply is not None:
                answered.append((reply, request))
            if len(answered) == _FIRST_EXCHANGES:
                return answered[-1]
        raise Unconfirmed(f'no reply to a setpoint counts{self._last_refusal()}')

    def _last_refusal(self) -> str:
        return '' if self._dialogue.refusal is None else f'; the last one that came: {self._dialogue.refusal}'

    def _check_clock(self, early: Answered, late: Answered) -> None:
        """Refuse a robot whose clock does not run as its file says: velocities and stamps would be wrong."""
        elapsed = late[1].sent - early[1].sent
        if elapsed < _CLOCK_CHECK:
            return
        robot = clock_step(early[0], late[0]) * self._robot.imageproc.scales.clock
        if not _CLOCK_RATES[0] < robot / elapsed < _CLOCK_RATES[1]:
            raise Unconfirmed(
                f"the robot's clock ran {robot:.3g} s in {elapsed:.3g} s; set scales.clock (or index_before_timestamp) "
                "in the robot's file"
            )

    def _reply_to(self, request: Request, patience: float) -> TelemetryReply | None:
        try:
            return self._dialogue.answer_to(request, patience)
        except Interrupted:  # the setpoint was sent all the same, and must be reported
            return None

    def _sampling_delay(self, reply: TelemetryReply, request: Request, round_trip: float) -> float:
        """Return the time from sending the request to the robot's sampling for the reply [s]."""
        clock = self._dialogue.robot_clock
        sampled = clock.sampled(reply.timestamp) if clock.settled else None
        return min(max(0.0, (request.reached if sampled is None else sampled) - request.sent), round_trip)

    def _lost(self, reason: str) -> LinkLost:
        """Send zero and 0x92, close the transport, mark the link as lost and return the exception that says why."""
        self._channel.write_stop()
        self.close()
        self.state = LinkState.LOST
        self._missing = 0
        return LinkLost(reason)


def imageproc_promise(robot: RobotConfig) -> SilencePromise:
    """Return what a VelociRoACH does when it hears nothing: it obeys SET_TIMEOUT if its firmware implements it."""
    after = robot.imageproc.timeout / 1e3 if robot.imageproc.timeout else None
    return SilencePromise(after, robot.imageproc.timeout_verified, 'millirobot link-test PORT --jog SIDE checks it')


def serial_link(
    port: str, robot: RobotConfig, config: LinkConfig, guardian_silence: float, clock: Clock | None = None
) -> Link:
    """Make a link over a serial port, not yet connected, with a guardian that tolerates this much silence [s]."""
    opener = partial(SerialPort, port, robot.imageproc.radio.baud)
    return Link(opener, robot, config, clock or SystemClock(), partial(SerialGuardian, silence=guardian_silence))
