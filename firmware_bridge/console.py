"""Say single packets to the robot and hear its answers: for the bench, without the link's states, checks and gate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from firmware_bridge.clock import Clock
from firmware_bridge.packets import (
    CommandPacket,
    PacketError,
    Pair,
    SetVelocity,
    StopMotors,
    TelemetryReply,
    decode_reply,
    encode,
)
from firmware_bridge.transports import Transport
from firmware_bridge.xbee import Frame, RxPacket, StreamParser, TxRequest, TxStatus, encode_frame
from millirobot_adapt.core.robot import RobotConfig

R = TypeVar('R')

ANSWER_TIMEOUT = 0.3
"""Longest wait for an answer [s]."""
STATUS_TIMEOUT = 0.1
"""Longest wait for a TX status [s]."""
TRIES = 8
"""Times a command is sent until it is acknowledged, or zero until it is echoed."""
STILL: Pair = (0, 0)


class Console:
    """One robot behind an open transport; every method may raise TransportLost."""

    def __init__(self, transport: Transport, robot: RobotConfig, clock: Clock) -> None:
        self._transport = transport
        self._robot = robot
        self._clock = clock
        self._parser = StreamParser(robot.radio.escaped)
        self._frame_id = 0

    def ask(self, packet: CommandPacket, kind: type[R], timeout: float = ANSWER_TIMEOUT) -> R | None:
        """Send a packet and return the first answer of a kind, None if none comes in time [s]."""
        self._send(packet, 0)
        for frame in self._frames(timeout):
            if isinstance(frame, RxPacket) and frame.source == self._robot.radio.address:
                try:
                    answer = decode_reply(frame.payload, self._robot.index_before_timestamp)
                except PacketError:
                    continue
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
        for _ in range(TRIES):
            self._frame_id = self._frame_id % 255 + 1
            self._send(packet, self._frame_id)
            for frame in self._frames(STATUS_TIMEOUT):
                if isinstance(frame, TxStatus) and frame.frame_id == self._frame_id:
                    if frame.status == 0:
                        return True
                    break
        return False

    def stand(self) -> bool:
        """Send zero until it is echoed, then switch the motors off (0x92); return whether both were confirmed."""
        echoed = any(self.ask_telemetry(STILL) is not None for _ in range(TRIES))
        return self.insist(StopMotors()) and echoed

    def _send(self, packet: CommandPacket, frame_id: int) -> None:
        while self._transport.read(0.0):
            pass  # what comes too late answers nothing any more
        self._parser.clear()
        radio = self._robot.radio
        self._transport.write(encode_frame(TxRequest(frame_id, radio.address, 0, encode(packet)), radio.escaped))

    def _frames(self, timeout: float) -> Iterator[Frame]:
        deadline = self._clock.steady() + timeout
        while (left := deadline - self._clock.steady()) > 0:
            yield from self._parser.feed(self._transport.read(left))
