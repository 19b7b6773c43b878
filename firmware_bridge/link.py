"""The link to one robot: start-up, one exchange a setpoint, a stop that insists.

The robot speaks only when spoken to, so everything here is a request and a bounded wait for its answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge.channel import Channel, Interrupted
from firmware_bridge.clock import Clock
from firmware_bridge.config import LinkConfig
from firmware_bridge.counters import LinkCounters
from firmware_bridge.dialogue import STILL, Answered, Dialogue
from firmware_bridge.guardian import Guardian
from firmware_bridge.packets import (
    CommandPacket,
    PidGains,
    SetPidOutputChannel,
    SetTimeout,
    StartMotors,
    StopMotors,
    TelemetryReply,
    ZeroPosition,
)
from firmware_bridge.replies import Request, RobotRestarted
from firmware_bridge.telemetry import TelemetryDecoder, clock_step, counts_to_setpoint, setpoint_to_counts
from firmware_bridge.transports import Transport, TransportLost
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray

_PID_OUTPUT_CHANNEL = 1
_FIRST_EXCHANGES = 5
_CLOCK_CHECK = 0.2
"""The rate of the robot's clock is judged over no less than this [s]."""


class LinkLost(Exception):  # noqa: N818 - it names an event, not a mistake
    """Nothing more can be said about the robot's motors; `open` tries again."""


@dataclass(frozen=True)
class Exchange:
    """One setpoint sent and what came back."""

    sent: FloatArray
    """What the robot was told, after rounding to int16 counts/ms [rad/s], shape (2,)."""
    stamp: float
    """Time of sending [s, host clock]."""
    telemetry: Telemetry | None
    """The reply in SI units; None when none came in time."""
    battery_counts: int | None
    """Its raw battery reading [counts]."""
    round_trip: float | None
    """From sending to the complete reply [s]."""


class Link:
    """Talk to one robot over a transport that can be opened again; synchronous, for one thread.

    A reply must echo the command it answers: the robot samples its sensors before the new command acts, but fills the
    command fields with the new one, which is what makes "repeat zero until a reply echoes zero" a proof that the zero
    has arrived. As the firmware is not published, `echoes_previous` covers one that echoes the command before.

    With `guard`, a guardian stops the robot when this process dies or its thread falls silent while the motors may be
    on; whoever keeps that thread from calling the link must call `beat` meanwhile.
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
        self._channel = Channel(opener, robot, clock, guard)
        self._dialogue = Dialogue(self._channel, robot, config, clock)
        self._decoder = TelemetryDecoder(robot)
        self._missing = 0
        self.state = LinkState.CLOSED

    @property
    def counters(self) -> LinkCounters:
        """Counts since the link was made."""
        return self._dialogue.counters

    @property
    def motors_on(self) -> bool:
        """False only when the robot has confirmed that its motors are off."""
        return self._channel.motors_on

    def heed(self, interrupt: Callable[[], bool]) -> None:
        """End every wait but those of `stop` as soon as `interrupt` returns True."""
        self._channel.interrupt = interrupt

    def beat(self) -> None:
        """Tell the guardian that the link's thread is alive."""
        self._channel.beat()

    def guardian_trouble(self) -> str | None:
        """Return what the guardian has done or what has become of it; one that has died is replaced.

        Raises:
            LinkLost: it cannot be replaced.
        """
        try:
            return self._channel.guardian_trouble()
        except TransportLost as error:
            raise self._lost(str(error)) from None

    def connect(self) -> None:
        """Open the transport alone, without a word to the robot.

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

    def open(self) -> None:
        """Connect (unless `connect` did) and start the robot up.

        Zero, 0x97, 0x81, 0x90, a hold-off, 0x82 with its echo, 0x85 if the robot has a timeout, and a first exchange.

        Raises:
            UserError: the transport cannot be opened.
            LinkLost: the robot does not answer as it should.
            Interrupted: see `heed`; the transport stays open.
        """
        if not self._channel.is_open:
            self.connect()
        self._channel.motors_on = True  # until proven otherwise
        try:
            self._start_up()
        except (TransportLost, RobotRestarted) as error:
            raise self._lost(str(error)) from None

    def exchange(self, setpoint: FloatArray, patience: float = math.inf) -> Exchange:
        """Send leg velocities [rad/s], shape (2,), and wait for the telemetry that answers them.

        The wait is `reply_timeout`, or `patience` [s] if less: a reply missing then does not make the link lost.

        The telemetry's stamp is the time of sampling: by the robot's clock once its mapping has settled, until then the
        earliest time at which the request can have arrived; never after the reply was there.

        Raises:
            LinkLost: the transport is gone, the robot has started anew, or too many replies are missing.
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
                raise self._lost(f'no reply to {self._missing} setpoints in a row')
            return Exchange(sent, request.host, None, None, None)
        self._missing = 0
        round_trip = self._clock.steady() - request.sent
        telemetry = self._decoder.decode(reply, request.host + self._sampling_delay(reply, request, round_trip))
        return Exchange(sent, request.host, telemetry, reply.battery, round_trip)

    def start_motors(self) -> None:
        """Switch the PID on (0x81) and wait until the robot's radio has acknowledged it.

        Raises:
            LinkLost: it was not acknowledged.
            Interrupted: see `heed`.
        """
        try:
            self._insist(StartMotors())
        except TransportLost as error:
            raise self._lost(str(error)) from None

    def stop(self) -> bool:
        """Send zero until a reply echoes it, then switch the motors off (0x92); return True when both are confirmed.

        Never raises: what cannot be confirmed leaves the link lost, and `open` begins with zero again.
        """
        interrupt, self._channel.interrupt = self._channel.interrupt, lambda: False
        try:
            if not any(self._dialogue.zero_echoed() for _ in range(self._config.stop_tries)):
                raise self._lost('no reply echoes the zero')
            self._insist(StopMotors())
        except TransportLost as error:
            self._lost(str(error))
            return False
        except LinkLost:
            return False
        finally:
            self._channel.interrupt = interrupt
        self._channel.motors_on = False
        return True

    def close(self) -> None:
        """Close the transport; the robot is not told (see `stop`)."""
        self._channel.close()
        self.state = LinkState.CLOSED

    def _start_up(self) -> None:
        # Zero first: the robot may still hold a setpoint from before, and the PID is about to be switched on.
        self._dialogue.begin()
        early = self._dialogue.zero_echoed()
        for packet in (SetPidOutputChannel(_PID_OUTPUT_CHANNEL), StartMotors(), ZeroPosition()):
            self._insist(packet)
        self._channel.pause(self._config.zero_hold_off)
        gains = PidGains(self._robot.pid_gains[:5], self._robot.pid_gains[5:])  # type: ignore[arg-type]
        if not self._dialogue.gains_echoed(gains):
            raise self._lost('the robot does not echo its PID gains')
        if self._robot.timeout:
            self._insist(SetTimeout(self._robot.timeout))
        self._check_clock(early, self._first_exchanges())
        self._decoder.restart()
        self._missing = 0
        self.counters.start_ups += 1
        self.state = LinkState.UP

    def _first_exchanges(self) -> Answered:
        """Get the replies that all later ones are compared with, and return the last.

        After the hold-off no answer to an earlier request can be under way, so each of these belongs to its own.
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
        raise self._lost('the robot does not answer setpoints')

    def _check_clock(self, early: Answered | None, late: Answered) -> None:
        """Refuse a robot whose clock does not run as its file says: velocities and stamps would be wrong."""
        if early is None or (elapsed := late[1].sent - early[1].sent) < _CLOCK_CHECK:
            return
        robot = clock_step(early[0], late[0]) * self._robot.scales.clock
        if not 0.5 < robot / elapsed < 2.0:
            raise self._lost(
                f"the robot's clock ran {robot:.3g} s in {elapsed:.3g} s; set scales.clock (or index_before_timestamp) "
                "in the robot's file"
            )

    def _reply_to(self, request: Request, patience: float) -> TelemetryReply | None:
        try:
            return self._dialogue.answer_to(request, patience)
        except Interrupted:  # the setpoint is on its way all the same, and must be told of
            return None

    def _sampling_delay(self, reply: TelemetryReply, request: Request, round_trip: float) -> float:
        """Return the time from sending the request to the robot's sampling for the reply [s]."""
        clock = self._dialogue.robot_clock
        sampled = clock.sampled(reply.timestamp) if clock.settled else None
        return min(max(0.0, (request.reached if sampled is None else sampled) - request.sent), round_trip)

    def _insist(self, packet: CommandPacket) -> None:
        """Send a command until it is acknowledged.

        Raises:
            LinkLost: it never is.
        """
        if not self._channel.deliver(packet, self._config.tries, self._config.status_timeout):
            raise self._lost(f"the robot's radio does not acknowledge {type(packet).__name__}")

    def _lost(self, reason: str) -> LinkLost:
        """Tell the robot to stop, close the transport, mark the link as lost and return the exception that says why."""
        self._channel.say_last_words()
        self.close()
        self.state = LinkState.LOST
        self._missing = 0
        return LinkLost(reason)
