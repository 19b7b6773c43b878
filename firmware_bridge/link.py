"""The link to one robot: start-up, one exchange a setpoint, a stop that insists.

The robot speaks only when spoken to, so everything here is a request and a bounded wait for its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from firmware_bridge.clock import Clock
from firmware_bridge.config import LinkConfig
from firmware_bridge.counters import LinkCounters
from firmware_bridge.packets import (
    CommandPacket,
    PacketError,
    Pair,
    PidGains,
    ReplyPacket,
    SetPidOutputChannel,
    SetVelocity,
    StartMotors,
    StopMotors,
    TelemetryReply,
    ZeroPosition,
    decode_reply,
    encode,
)
from firmware_bridge.replies import ReplyChecker, RobotRestarted
from firmware_bridge.telemetry import TelemetryDecoder, counts_to_setpoint, setpoint_to_counts
from firmware_bridge.transports import Transport, TransportLost
from firmware_bridge.xbee import Frame, RxPacket, StreamParser, TxRequest, TxStatus, encode_frame
from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.core.samples import Telemetry
from millirobot_adapt.core.state import FloatArray

_BITS_PER_BYTE = 10
"""On the serial line: start bit, eight data bits, stop bit."""
_PID_OUTPUT_CHANNEL = 1
_STILL: Pair = (0, 0)


class LinkState(Enum):
    """Where the link stands."""

    CLOSED = 'closed'
    OPENING = 'opening'
    UP = 'up'
    LOST = 'lost'


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
    """

    def __init__(self, opener: Callable[[], Transport], robot: RobotConfig, config: LinkConfig, clock: Clock) -> None:
        self._opener = opener
        self._robot = robot
        self._config = config
        self._clock = clock
        self._transport: Transport | None = None
        self._parser = StreamParser(robot.radio.escaped)
        self._checker = ReplyChecker(robot, config.highest_leg_rate)
        self._decoder = TelemetryDecoder(robot)
        self._previous = _STILL
        self._missing = 0
        self._frame_id = 0
        self.state = LinkState.CLOSED
        self.motors_on = True
        """False only when the robot has confirmed that its motors are off."""
        self.counters = LinkCounters(self._parser)

    def connect(self) -> None:
        """Open the transport alone, without a word to the robot.

        Raises:
            UserError: the port does not exist, is in use, ...
        """
        self.close()
        self.state = LinkState.LOST  # should the port refuse
        self._transport = self._opener()
        self._parser.clear()
        self.state = LinkState.OPENING

    def open(self) -> None:
        """Connect (unless `connect` did) and start the robot up: 0x97, 0x81, 0x90, a hold-off, 0x82 with its echo.

        Raises:
            UserError: the transport cannot be opened.
            LinkLost: the robot does not answer.
        """
        if self._transport is None:
            self.connect()
        self.motors_on = True  # until proven otherwise
        try:
            self._start_up()
        except TransportLost as error:
            raise self._lost(str(error)) from None

    def exchange(self, setpoint: FloatArray) -> Exchange:
        """Send leg velocities [rad/s], shape (2,), and wait for the telemetry that answers them.

        The telemetry's stamp is the time of sending plus the wire time of the request: the robot samples on receipt.

        Raises:
            LinkLost: the transport is gone, the robot has started anew, or too many replies are missing.
        """
        counts = setpoint_to_counts(self._robot, setpoint)
        expected = self._previous if self._config.echoes_previous else counts
        try:
            self._discard_late_replies()
            stamp, start, wire_time = self._send_setpoint(counts)
            reply = self._await_telemetry(expected, start + self._config.reply_timeout)
        except (TransportLost, RobotRestarted) as error:
            raise self._lost(str(error)) from None
        sent = counts_to_setpoint(self._robot, counts)
        if reply is None:
            self._missing += 1
            if self._missing >= self._config.lost_after:
                raise self._lost(f'no reply to {self._missing} setpoints in a row')
            return Exchange(sent, stamp, None, None, None)
        self._missing = 0
        round_trip = self._clock.steady() - start
        self.counters.count_reply(round_trip)
        telemetry = self._decoder.decode(reply, stamp + min(wire_time, round_trip))
        return Exchange(sent, stamp, telemetry, reply.battery, round_trip)

    def start_motors(self) -> None:
        """Switch the PID on (0x81) and wait until the robot's radio has acknowledged it.

        Raises:
            LinkLost: it was not acknowledged.
        """
        self.motors_on = True
        try:
            self._insist(StartMotors())
        except TransportLost as error:
            raise self._lost(str(error)) from None

    def stop(self) -> bool:
        """Send zero until a reply echoes it, then switch the motors off (0x92); return True when both are confirmed.

        Never raises: what cannot be confirmed leaves the link lost, and `open` begins with zero again.
        """
        if self._transport is None:
            return False
        try:
            if not any(self._zero_echoed() for _ in range(self._config.stop_tries)):
                # Off is sent all the same: the way to the robot may be open where the way back is not.
                self._send(StopMotors(), self._next_frame_id())
                self._lost('no reply echoes the zero')
                return False
            self._insist(StopMotors())
        except TransportLost as error:
            self._lost(str(error))
            return False
        except LinkLost:
            return False
        self.motors_on = False
        return True

    def close(self) -> None:
        """Close the transport; the robot is not told (see `stop`)."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self.state = LinkState.CLOSED

    def _start_up(self) -> None:
        # Zero first: the robot may still hold a setpoint from before, and the PID is about to be switched on.
        self._zero_echoed()
        for packet in (SetPidOutputChannel(_PID_OUTPUT_CHANNEL), StartMotors(), ZeroPosition()):
            self._insist(packet)
        self._clock.sleep(self._config.zero_hold_off)
        gains = PidGains(self._robot.pid_gains[:5], self._robot.pid_gains[5:])  # type: ignore[arg-type]
        if not any(self._gains_echoed(gains) for _ in range(self._config.tries)):
            raise self._lost('the robot does not echo its PID gains')
        self._checker.restart()
        self._decoder.restart()
        self._missing = 0
        self.state = LinkState.UP

    def _gains_echoed(self, gains: PidGains) -> bool:
        self._send(gains)
        deadline = self._clock.steady() + self._config.gains_timeout
        return any(reply == gains for reply in self._replies(deadline))

    def _zero_echoed(self) -> bool:
        self._discard_late_replies()
        _, start, _ = self._send_setpoint(_STILL)
        for reply in self._replies(start + self._config.reply_timeout):
            if isinstance(reply, TelemetryReply) and reply.command == _STILL:
                self.counters.count_reply(self._clock.steady() - start)
                return True
        return False

    def _await_telemetry(self, expected: Pair, deadline: float) -> TelemetryReply | None:
        for reply in self._replies(deadline):
            if not isinstance(reply, TelemetryReply):
                self.counters.rejected += 1
            elif self._checker.refusal(reply, expected, self._clock.steady()) is None:
                return reply
            else:
                self.counters.rejected += 1
        return None

    def _insist(self, packet: CommandPacket) -> None:
        """Send a command until the robot's radio acknowledges it (TX status 0).

        Raises:
            LinkLost: it never does.
        """
        for _ in range(self._config.tries):
            frame_id = self._next_frame_id()
            self._send(packet, frame_id)
            deadline = self._clock.steady() + self._config.status_timeout
            for frame in self._frames(deadline):
                if isinstance(frame, TxStatus) and frame.frame_id == frame_id:
                    if frame.status == 0:
                        return
                    break
        raise self._lost(f"the robot's radio does not acknowledge {type(packet).__name__}")

    def _send_setpoint(self, counts: Pair) -> tuple[float, float, float]:
        """Send 0x96; return the time of sending on the host's and the steady clock, and its wire time [s]."""
        stamp, start = self._clock.host(), self._clock.steady()
        length = self._send(SetVelocity(counts))
        self._previous = counts
        self.counters.sent += 1
        return stamp, start, length * _BITS_PER_BYTE / self._robot.radio.baud

    def _send(self, packet: CommandPacket, frame_id: int = 0) -> int:
        if self._transport is None:
            raise TransportLost('the link is closed')
        radio = self._robot.radio
        data = encode_frame(TxRequest(frame_id, radio.address, 0, encode(packet)), radio.escaped)
        self._transport.write(data)
        return len(data)

    def _next_frame_id(self) -> int:
        self._frame_id = self._frame_id % 255 + 1
        return self._frame_id

    def _discard_late_replies(self) -> None:
        """Drop what came after its time, so that it cannot pass for the answer to the next setpoint."""
        self.counters.rejected += sum(1 for _ in self._replies(self._clock.steady()))

    def _replies(self, deadline: float) -> Iterator[ReplyPacket]:
        """Yield the packets that come from our robot until the deadline [s, steady clock]."""
        for frame in self._frames(deadline):
            if not isinstance(frame, RxPacket) or frame.source != self._robot.radio.address:
                continue
            try:
                yield decode_reply(frame.payload, self._robot.index_before_timestamp)
            except PacketError:
                self.counters.rejected += 1

    def _frames(self, deadline: float) -> Iterator[Frame]:
        """Yield frames as they arrive until the deadline; what has arrived already is yielded even after it."""
        if self._transport is None:
            raise TransportLost('the link is closed')
        yield from self._parser.feed(self._transport.read(0.0))
        while (left := deadline - self._clock.steady()) > 0:
            yield from self._parser.feed(self._transport.read(left))
        yield from self._parser.resync()

    def _lost(self, reason: str) -> LinkLost:
        """Close the transport, mark the link as lost and return the exception that says why."""
        self.close()
        self.state = LinkState.LOST
        self._missing = 0
        return LinkLost(reason)
