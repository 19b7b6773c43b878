"""One request to the robot and its answer: a setpoint its telemetry, gains their echo, the others a TX status."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.channel import RadioChannel
from firmware_bridge.clock import Clock
from firmware_bridge.packets import (
    CommandPacket,
    Pair,
    PidGains,
    SetTimeout,
    SetVelocity,
    StopMotors,
    TelemetryReply,
    ZeroPosition,
    start_sequence,
)
from firmware_bridge.receiver import ACKNOWLEDGED
from firmware_bridge.replies import Refusal, ReplyChecker, Request
from firmware_bridge.robot_clock import RobotClock
from firmware_bridge.xbee import TxStatus
from millirobot_adapt.core.robot.description import RobotConfig

STILL: Pair = (0, 0)
Answered: TypeAlias = tuple[TelemetryReply, Request]
_ROUND_TRIPS_KEPT = 1000
"""For the percentiles."""


class Unconfirmed(Exception):  # noqa: N818 - it names an event, not a mistake
    """The robot does not confirm a command, however often it is repeated."""


@dataclass(frozen=True)
class Heard:
    """A telemetry reply that came while a request was open."""

    reply: TelemetryReply
    arrived: float
    """[s, steady clock]"""
    refusal: Refusal | None
    """Why it does not count as the answer; None when it does."""


class Dialogue:
    """Ask and listen; every method raises TransportLost and Interrupted as `RadioChannel` does."""

    def __init__(self, channel: RadioChannel, robot: RobotConfig, config: LinkConfig, clock: Clock) -> None:
        self._channel = channel
        self._robot = robot
        self._config = config
        self._clock = clock
        self._checker = ReplyChecker(robot, config.highest_leg_rate)
        self._previous = STILL
        self._unanswered: Request | None = None  # the last request, while no reply counts as its answer
        self.refusal: Refusal | None = None
        """Why the last reply did not count; None when it did, or when there was none yet."""
        self.counters = LinkCounters(channel, self._checker)

    @property
    def robot_clock(self) -> RobotClock:
        """The robot's clock, as the replies that counted show it."""
        return self._checker.clock

    @property
    def foreign_streak(self) -> int:
        """Replies in a row that show that the robot also answers requests of others."""
        return self._checker.foreign_streak

    def begin(self) -> None:
        """Forget earlier replies: the robot may have restarted."""
        self._checker.restart()
        self.refusal = None

    def ask(self, counts: Pair, frame_id: int = 0) -> Request:
        """Send 0x96 [counts/ms]; late packets are dropped first, so that none passes for the answer."""
        self.counters.rejected += sum(1 for _ in self._channel.replies(self._clock.steady()))
        expected = self._previous if self._config.echoes_previous else counts
        host, sent = self._clock.host(), self._clock.steady()
        wire_time = self._channel.send(SetVelocity(counts), frame_id)
        self._previous = counts
        self.counters.sent += 1
        before, soon = self._unanswered, self._config.reply_timeout
        ambiguous = before is not None and before.command == expected and sent < before.sent + soon
        reached = sent + wire_time + self._robot.imageproc.radio.air_time
        self._unanswered = Request(expected, self.counters.sent, host, sent, reached, ambiguous)
        return self._unanswered

    def hear(self, request: Request, patience: float) -> Iterator[Heard]:
        """Yield the telemetry that comes within `patience` [s] of the request; ends with the reply that counts.

        Raises:
            RobotRestarted: the replies show it.
        """
        for reply in self._channel.replies(request.sent + patience):
            arrived = self._clock.steady()
            if not isinstance(reply, TelemetryReply):
                self.counters.rejected += 1
                continue
            self.refusal = self._checker.refusal(reply, request, arrived)
            if self.refusal is None:
                self._unanswered = None
                self.counters.count_reply(arrived - request.sent)
            else:
                self.counters.rejected += 1
            yield Heard(reply, arrived, self.refusal)
            if self.refusal is None:
                return

    def answer_to(self, request: Request, patience: float) -> TelemetryReply | None:
        """Return the reply that counts as the answer, None if none comes within `patience` [s] of the request.

        Raises:
            RobotRestarted: the replies show it.
        """
        return next((heard.reply for heard in self.hear(request, patience) if heard.refusal is None), None)

    def zero_echoed(self) -> Answered | None:
        """Send zero and return the first new reply that echoes it, with any other fields."""
        request = self.ask(STILL)
        for reply in self._channel.replies(request.sent + self._config.reply_timeout):
            if self._echoes_zero(reply):
                return self._count_zero(reply, request)
        return None

    def first_reply(self) -> Answered:
        """Send zero until a reply echoes it, a limited number of times: until then the robot gets nothing else.

        Raises:
            Unconfirmed: none does, with what came instead.
        """
        for _ in range(self._config.tries):
            frame_id = self._channel.next_frame_id()
            request = self.ask(STILL, frame_id)
            for frame in self._channel.frames(request.sent + self._config.gains_timeout):
                reply = self._channel.receiver.packet(frame)
                if reply is not None and self._echoes_zero(reply):
                    return self._count_zero(reply, request)
                if isinstance(frame, TxStatus) and frame.frame_id == frame_id and frame.status != ACKNOWLEDGED:
                    break
        raise Unconfirmed(self._channel.receiver.silence())

    def switch_on(self) -> None:
        """Send the start sequence of the motors, then the robot's own timeout if its file gives one.

        Raises:
            Unconfirmed: the robot does not confirm one of the commands.
        """
        for packet in start_sequence(self._robot.imageproc.pid_gains):
            if isinstance(packet, PidGains):
                if not self.gains_echoed(packet):
                    raise Unconfirmed('the robot does not echo its PID gains')
                continue
            self.insist(packet)
            if isinstance(packet, ZeroPosition):
                self._channel.pause(self._config.zero_hold_off)
        if self._robot.imageproc.timeout:
            self.insist(SetTimeout(self._robot.imageproc.timeout))

    def stop(self, tries: int) -> None:
        """Send zero until a reply echoes it, at most this many times, then 0x92 until the radio acknowledges it.

        Raises:
            Unconfirmed: one of the two is not confirmed.
        """
        if not any(self.zero_echoed() for _ in range(tries)):
            raise Unconfirmed('no reply echoes the zero')
        self.insist(StopMotors())
        self._channel.motors_on = False

    def insist(self, packet: CommandPacket) -> None:
        """Send a command until the robot's radio acknowledges it.

        Raises:
            Unconfirmed: it never does.
        """
        if not self._channel.deliver(packet, self._config.tries, self._config.status_timeout):
            raise Unconfirmed(f"the robot's radio does not acknowledge {type(packet).__name__}")

    def gains_echoed(self, gains: PidGains) -> bool:
        """Send the gains until the robot echoes them, a limited number of times; return whether it did."""
        for _ in range(self._config.tries):
            self._channel.send(gains)
            deadline = self._clock.steady() + self._config.gains_timeout
            if any(reply == gains for reply in self._channel.replies(deadline)):
                return True
        return False

    def _echoes_zero(self, reply: object) -> bool:
        return isinstance(reply, TelemetryReply) and reply.command == STILL and self._checker.follows(reply)

    def _count_zero(self, reply: object, request: Request) -> Answered:
        assert isinstance(reply, TelemetryReply)
        self._unanswered = None
        self.counters.count_reply(self._clock.steady() - request.sent)
        return reply, request


class LinkCounters:
    """Counts since the start of the process, for the diagnostics and the summary of a run."""

    def __init__(self, channel: RadioChannel, checker: ReplyChecker) -> None:
        self._channel = channel
        self._checker = checker
        self._round_trips: deque[float] = deque(maxlen=_ROUND_TRIPS_KEPT)
        self.sent = 0
        """Setpoints written, the bridge's own zeros included."""
        self.replies = 0
        """Setpoints answered in time by a reply that counts."""
        self.rejected = 0
        """Packets of our robot that did not count: late, damaged, out of order, implausible."""
        self.start_ups = 0
        """Times the robot was started up; more than one after a lost link."""

    def count_reply(self, round_trip: float) -> None:
        """Count one reply with its round trip [s]."""
        self.replies += 1
        self._round_trips.append(round_trip)

    @property
    def lost(self) -> int:
        """Setpoints without a reply that counts."""
        return self.sent - self.replies

    def as_dict(self) -> dict[str, int | float]:
        """Return all counts, the percentiles of the last round trips [ms] and the drift of the robot's clock [ppm].

        What is not known yet is nan: the round trip before the first reply, the drift over the first ten seconds.
        """
        trips = np.array(self._round_trips) * 1e3 if self._round_trips else np.array([np.nan])
        p50, p99 = np.percentile(trips, (50, 99))
        receiver, drift = self._channel.receiver, self._checker.clock.drift
        return {
            'sent': self.sent,
            'replies': self.replies,
            'lost': self.lost,
            'rejected': self.rejected,
            'damaged': receiver.damaged,
            'stale': self._checker.stale,
            'foreign': self._checker.foreign,
            'bad_frames': receiver.bad_frames,
            'start_ups': self.start_ups,
            'clock_drift_ppm': math.nan if drift is None else round(1e6 * drift, 1),
            'rtt_p50_ms': round(float(p50), 3),
            'rtt_p99_ms': round(float(p99), 3),
        }
