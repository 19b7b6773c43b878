"""Packets to and from one robot over a transport that can be opened again.

Every wait is cut into slices: between two of them the guardian gets its heartbeat, and a wish to interrupt is heard.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from firmware_bridge.clock import Clock
from firmware_bridge.guardian import Guardian
from firmware_bridge.packets import (
    CommandPacket,
    PacketError,
    ReplyPacket,
    SetVelocity,
    StartMotors,
    StopMotors,
    decode_reply,
    encode,
)
from firmware_bridge.transports import Transport, TransportLost
from firmware_bridge.xbee import Frame, RxPacket, StreamParser, TxRequest, TxStatus, encode_frame
from millirobot_adapt.core.robot.description import RobotConfig

SLICE = 0.05
"""Longest uninterrupted wait [s]; well below the silence that a guardian bears."""
_BITS_PER_BYTE = 10
"""On the serial line: start bit, eight data bits, stop bit."""


class Interrupted(Exception):  # noqa: N818 - it names an event, not a mistake
    """Somebody wants the thread for something more urgent than what it waits for."""


class Channel:
    """Send commands, yield what comes back; for one thread.

    `guard` starts a guardian over a file descriptor, with the bytes it is to write when this thread falls silent; a
    transport without a descriptor has none.
    """

    def __init__(
        self,
        opener: Callable[[], Transport],
        robot: RobotConfig,
        clock: Clock,
        guard: Callable[[int, bytes], Guardian] | None = None,
    ) -> None:
        self._opener = opener
        self._robot = robot
        self._clock = clock
        self._guard = guard
        self._guardian: Guardian | None = None
        self._transport: Transport | None = None
        self._frame_id = 0
        self.parser = StreamParser(robot.radio.escaped)
        self.motors_on = True
        """False only when the robot has confirmed that its motors are off."""
        self.interrupt: Callable[[], bool] = lambda: False
        """Asked during every wait; True ends the wait with Interrupted."""
        self.damaged = 0
        """Payloads of our robot that are no packet of the table."""

    @property
    def is_open(self) -> bool:
        """Tell whether there is a transport."""
        return self._transport is not None

    def open(self) -> None:
        """Open the transport and set a guardian over it.

        Raises:
            UserError: the port does not exist, is in use, ...
            TransportLost: the guardian cannot be started.
        """
        self.close()
        self._transport = self._opener()
        self.parser.clear()
        self._set_guardian()

    def close(self) -> None:
        """Send the guardian away and close the transport; the robot is not told (see `say_last_words`)."""
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def say_last_words(self) -> None:
        """Send zero and motors off without waiting for an answer, if the transport still takes bytes."""
        if self._transport is not None:
            with contextlib.suppress(TransportLost):
                self._transport.write(self._last_words())

    def guardian_trouble(self) -> str | None:
        """Return what the guardian has done or what has become of it; one that has died is replaced."""
        trouble = None if self._guardian is None else self._guardian.trouble()
        if trouble is not None and self._guardian is not None:
            self._guardian.close()
            self._set_guardian()
        return trouble

    def beat(self) -> None:
        """Tell the guardian that this thread makes progress; to be called by whoever makes it wait elsewhere."""
        if self._guardian is not None:
            self._guardian.beat(self.motors_on)

    def send(self, packet: CommandPacket, frame_id: int = 0) -> float:
        """Send a command; return the time that its bytes take on the serial line [s]. Frame id 0 asks for no status.

        Raises:
            TransportLost: the transport is gone.
        """
        transport = self._opened()
        if isinstance(packet, StartMotors):
            self.motors_on = True  # before the guardian hears of us
        self.beat()
        data = self._frame(packet, frame_id)
        transport.write(data)
        return len(data) * _BITS_PER_BYTE / self._robot.radio.baud

    def deliver(self, packet: CommandPacket, tries: int, timeout: float) -> bool:
        """Send a command until the robot's radio acknowledges it (TX status 0) within `timeout` [s]; return whether so.

        Raises as `frames`.
        """
        for _ in range(tries):
            self._frame_id = self._frame_id % 255 + 1  # 0 would ask for no status
            self.send(packet, self._frame_id)
            for frame in self.frames(self._clock.steady() + timeout):
                if isinstance(frame, TxStatus) and frame.frame_id == self._frame_id:
                    if frame.status == 0:
                        return True
                    break
        return False

    def replies(self, deadline: float) -> Iterator[ReplyPacket]:
        """Yield the packets that come from our robot until the deadline [s, steady clock]; raises as `frames`."""
        for frame in self.frames(deadline):
            if not isinstance(frame, RxPacket) or frame.source != self._robot.radio.address:
                continue
            try:
                yield decode_reply(frame.payload, self._robot.index_before_timestamp)
            except PacketError:
                self.damaged += 1

    def frames(self, deadline: float) -> Iterator[Frame]:
        """Yield frames as they arrive until the deadline; what has arrived already is yielded even after it.

        Raises:
            TransportLost: the transport is gone.
            Interrupted: `interrupt` says so.
        """
        transport = self._opened()
        yield from self.parser.feed(transport.read(0.0))
        while (left := deadline - self._clock.steady()) > 0:
            self._between()
            yield from self.parser.feed(transport.read(min(left, SLICE)))
        yield from self.parser.resync()

    def pause(self, seconds: float) -> None:
        """Wait [s] without listening; what comes meanwhile is kept.

        Raises:
            Interrupted: `interrupt` says so.
        """
        end = self._clock.steady() + seconds
        while (left := end - self._clock.steady()) > 0:
            self._between()
            self._clock.sleep(min(left, SLICE))

    def _between(self) -> None:
        self.beat()
        if self.interrupt():
            raise Interrupted

    def _opened(self) -> Transport:
        if self._transport is None:
            raise TransportLost('the link is closed')
        return self._transport

    def _set_guardian(self) -> None:
        descriptor = None if self._guard is None or self._transport is None else self._transport.fileno()
        if self._guard is not None and descriptor is not None:
            self._guardian = self._guard(descriptor, self._last_words())

    def _last_words(self) -> bytes:
        return self._frame(SetVelocity((0, 0))) + self._frame(StopMotors())

    def _frame(self, packet: CommandPacket, frame_id: int = 0) -> bytes:
        radio = self._robot.radio
        return encode_frame(TxRequest(frame_id, radio.address, 0, encode(packet)), radio.escaped)
