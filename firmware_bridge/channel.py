"""Packets to and from one robot over a transport that can be reopened.

Every wait is cut into slices. Between two slices the guardian gets its heartbeat, and the wait may be interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import Interrupted
from firmware_bridge.guarded_port import GuardedPort
from firmware_bridge.guardian import Guardian, SerialGuardian
from firmware_bridge.packet_codec import encode
from firmware_bridge.packets import CommandPacket, ReplyPacket, SetVelocity, StartMotors, StopMotors
from firmware_bridge.receiver import ACKNOWLEDGED, Receiver
from firmware_bridge.transports import Transport
from firmware_bridge.transports.serial_port import SerialPort
from firmware_bridge.xbee import Frame, TxRequest, TxStatus, encode_frame
from millirobot_adapt.core.robot.description import RobotConfig

SLICE = 0.05
"""Longest uninterrupted wait [s]; well below the silence that a guardian tolerates."""
_BITS_PER_BYTE = 10
"""On the serial line: start bit, eight data bits, stop bit."""


class RadioChannel:
    """Send commands, yield what comes back; for one thread.

    `guard` starts a guardian for a file descriptor, with the bytes that it writes when this thread falls silent. A
    transport without a descriptor has no guardian.
    """

    def __init__(
        self,
        opener: Callable[[], Transport],
        robot: RobotConfig,
        clock: Clock,
        guard: Callable[[int, bytes], Guardian] | None = None,
    ) -> None:
        self._robot = robot
        self._clock = clock
        self._frame_id = 0
        stop = self._frame(SetVelocity((0, 0))) + self._frame(StopMotors())
        self._port = GuardedPort(opener, stop, guard)
        self.receiver = Receiver(robot)
        self.motors_on = True
        """False only when the robot has confirmed that its motors are off."""
        self.interrupt: Callable[[], bool] = lambda: False
        """Asked during every wait; True ends the wait with Interrupted."""

    @property
    def last_words(self) -> bytes:
        """Zero and 0x92: what the guardian writes, and what a lost link ends with."""
        return self._port.last_words

    @property
    def is_open(self) -> bool:
        """Tell whether there is a transport."""
        return self._port.is_open

    def open(self) -> None:
        """Open the transport and start its guardian.

        Raises:
            UserError: the port does not exist, is in use, ...
            TransportLost: the guardian cannot be started.
        """
        self._port.open()
        self.receiver.restart()

    def close(self) -> None:
        """End the guardian and close the transport; sends nothing to the robot (see `write_stop`)."""
        self._port.close()

    def write_stop(self) -> None:
        """Send zero and 0x92 without waiting for an answer, if the transport still takes bytes."""
        self._port.write_last_words()

    def guardian_trouble(self) -> str | None:
        """Return what the guardian has done or what has happened to it; a dead one is replaced."""
        return self._port.trouble()

    def beat(self) -> None:
        """Tell the guardian that this thread makes progress. Code that makes the thread wait elsewhere must call it."""
        self._port.beat(self.motors_on)

    def send(self, packet: CommandPacket, frame_id: int = 0) -> float:
        """Send a command; return the time that its bytes take on the serial line [s]. Frame id 0 asks for no status.

        Raises:
            TransportLost: the transport is gone.
        """
        transport = self._port.transport
        if isinstance(packet, StartMotors):
            self.motors_on = True  # before the heartbeat says so
        self.beat()
        data = self._frame(packet, frame_id)
        transport.write(data)
        return len(data) * _BITS_PER_BYTE / self._robot.imageproc.radio.baud

    def next_frame_id(self) -> int:
        """Return a frame id for a request whose TX status matters, 1..255."""
        self._frame_id = self._frame_id % 255 + 1  # 0 would ask for no status
        return self._frame_id

    def deliver(self, packet: CommandPacket, tries: int, timeout: float) -> bool:
        """Send a command until the robot's radio acknowledges it (TX status 0) within `timeout` [s]; return whether so.

        Raises as `frames`.
        """
        for _ in range(tries):
            frame_id = self.next_frame_id()
            self.send(packet, frame_id)
            for frame in self.frames(self._clock.steady() + timeout):
                if isinstance(frame, TxStatus) and frame.frame_id == frame_id:
                    if frame.status == ACKNOWLEDGED:
                        return True
                    break
        return False

    def replies(self, deadline: float) -> Iterator[ReplyPacket]:
        """Yield the packets that come from our robot until the deadline [s, steady clock]; raises as `frames`."""
        for frame in self.frames(deadline):
            packet = self.receiver.packet(frame)
            if packet is not None:
                yield packet

    def frames(self, deadline: float) -> Iterator[Frame]:
        """Yield frames as they arrive until the deadline; frames that are there already are yielded even after it.

        Raises:
            TransportLost: the transport is gone.
            Interrupted: `interrupt` says so.
        """
        transport = self._port.transport
        yield from self.receiver.feed(transport.read(0.0))
        while (left := deadline - self._clock.steady()) > 0:
            self._between()
            yield from self.receiver.feed(transport.read(min(left, SLICE)))
        yield from self.receiver.resync()

    def pause(self, seconds: float) -> None:
        """Wait [s] without listening; bytes that come meanwhile stay in the port.

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

    def _frame(self, packet: CommandPacket, frame_id: int = 0) -> bytes:
        radio = self._robot.imageproc.radio
        return encode_frame(TxRequest(frame_id, radio.address, 0, encode(packet)), radio.escaped)


def serial_channel(port: str, robot: RobotConfig, guardian_silence: float, clock: Clock) -> RadioChannel:
    """Make a channel over a serial port, not yet open, with a guardian that tolerates this much silence [s]."""
    opener = partial(SerialPort, port, robot.imageproc.radio.baud)
    return RadioChannel(opener, robot, clock, partial(SerialGuardian, silence=guardian_silence))
