"""One request to the robot and what answers it: a setpoint its telemetry, gains their echo, the rest a TX status."""

from __future__ import annotations

from typing import TypeAlias

from firmware_bridge.channel import Channel
from firmware_bridge.clock import Clock
from firmware_bridge.config import LinkConfig
from firmware_bridge.counters import LinkCounters
from firmware_bridge.packets import Pair, PidGains, SetVelocity, TelemetryReply
from firmware_bridge.replies import ReplyChecker, Request
from firmware_bridge.robot_clock import RobotClock
from millirobot_adapt.core.robot.description import RobotConfig

STILL: Pair = (0, 0)
Answered: TypeAlias = tuple[TelemetryReply, Request]


class Dialogue:
    """Ask and listen; every method raises TransportLost and Interrupted as `Channel` does."""

    def __init__(self, channel: Channel, robot: RobotConfig, config: LinkConfig, clock: Clock) -> None:
        self._channel = channel
        self._config = config
        self._clock = clock
        self._air_time = robot.radio.air_time
        self._checker = ReplyChecker(robot, config.highest_leg_rate)
        self._previous = STILL
        self._unanswered: Request | None = None  # the last request, while nothing counts as its answer
        self.counters = LinkCounters(channel, self._checker)

    @property
    def robot_clock(self) -> RobotClock:
        """The robot's clock, as the replies that counted tell it."""
        return self._checker.clock

    def begin(self) -> None:
        """Forget earlier replies: the robot counts anew, or may."""
        self._checker.restart()

    def ask(self, counts: Pair) -> Request:
        """Send 0x96 [counts/ms]; what came after its time is dropped first, so that it cannot pass for the answer."""
        self.counters.rejected += sum(1 for _ in self._channel.replies(self._clock.steady()))
        expected = self._previous if self._config.echoes_previous else counts
        host, sent = self._clock.host(), self._clock.steady()
        wire_time = self._channel.send(SetVelocity(counts))
        self._previous = counts
        self.counters.sent += 1
        before, soon = self._unanswered, self._config.reply_timeout
        ambiguous = before is not None and before.command == expected and sent < before.sent + soon
        reached = sent + wire_time + self._air_time
        self._unanswered = Request(expected, self.counters.sent, host, sent, reached, ambiguous)
        return self._unanswered

    def answer_to(self, request: Request, patience: float) -> TelemetryReply | None:
        """Return the reply that counts as the answer, None if none comes within `patience` [s] of the request.

        Raises:
            RobotRestarted: the replies show it.
        """
        for reply in self._channel.replies(request.sent + patience):
            arrived = self._clock.steady()
            if isinstance(reply, TelemetryReply) and self._checker.refusal(reply, request, arrived) is None:
                self._unanswered = None
                self.counters.count_reply(arrived - request.sent)
                return reply
            self.counters.rejected += 1
        return None

    def zero_echoed(self) -> Answered | None:
        """Send zero and return the first new reply that echoes it, whatever else it says."""
        request = self.ask(STILL)
        for reply in self._channel.replies(request.sent + self._config.reply_timeout):
            if isinstance(reply, TelemetryReply) and reply.command == STILL and self._checker.follows(reply):
                self._unanswered = None
                self.counters.count_reply(self._clock.steady() - request.sent)
                return reply, request
        return None

    def gains_echoed(self, gains: PidGains) -> bool:
        """Send the gains until the robot echoes them, a limited number of times; return whether it did."""
        for _ in range(self._config.tries):
            self._channel.send(gains)
            deadline = self._clock.steady() + self._config.gains_timeout
            if any(reply == gains for reply in self._channel.replies(deadline)):
                return True
        return False
