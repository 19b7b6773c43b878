"""Say single packets to the robot and hear its answers: for the bench, without the link's states, checks and gate."""

from __future__ import annotations

from typing import TypeVar

from firmware_bridge.channel import Channel
from firmware_bridge.clock import Clock
from firmware_bridge.dialogue import STILL
from firmware_bridge.packets import CommandPacket, Pair, SetVelocity, StopMotors, TelemetryReply

R = TypeVar('R')

ANSWER_TIMEOUT = 0.3
"""Longest wait for an answer [s]."""
STATUS_TIMEOUT = 0.1
"""Longest wait for a TX status [s]."""
TRIES = 8
"""Times a command is sent until it is acknowledged, or zero until it is echoed."""


class Console:
    """One robot behind an open channel; every method may raise TransportLost."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock

    @property
    def motors_off(self) -> bool:
        """Tell whether the robot has confirmed that its motors are off."""
        return not self._channel.motors_on

    def ask(self, packet: CommandPacket, kind: type[R], timeout: float = ANSWER_TIMEOUT) -> R | None:
        """Send a packet and return the first answer of a kind, None if none comes in time [s]."""
        for _ in self._channel.frames(self._clock.steady()):
            pass  # what comes too late answers nothing any more
        self._channel.send(packet)
        for answer in self._channel.replies(self._clock.steady() + timeout):
            if isinstance(answer, kind):
                return answer
        return None

    def ask_telemetry(self, counts: Pair, timeout: float = ANSWER_TIMEOUT) -> tuple[TelemetryReply, float] | None:
        """Send leg velocities [counts/ms]; return the telemetry that echoes them and its round trip [s]."""
        start = self._clock.steady()
        reply = self.ask(SetVelocity(counts), TelemetryReply, timeout)
        if reply is None or reply.command != counts:
            return None
        return reply, self._clock.steady() - start

    def insist(self, packet: CommandPacket) -> bool:
        """Send a command until the robot's radio acknowledges it; return whether it did."""
        return self._channel.deliver(packet, TRIES, STATUS_TIMEOUT)

    def pause(self, seconds: float) -> None:
        """Send nothing for some time [s]; the guardian knows that this is meant."""
        self._channel.pause(seconds)

    def guardian_trouble(self) -> str | None:
        """Return what the guardian has done or what has become of it, see `Channel.guardian_trouble`."""
        return self._channel.guardian_trouble()

    def stand(self) -> bool:
        """Send zero until it is echoed, then switch the motors off (0x92); return whether both were confirmed."""
        echoed = any(self.ask_telemetry(STILL) is not None for _ in range(TRIES))
        stands = self.insist(StopMotors()) and echoed
        if stands:
            self._channel.motors_on = False
        return stands
