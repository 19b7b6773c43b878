"""Bytes in, packets of our robot out; everything else is counted, so that silence can be explained."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from firmware_bridge.packet_codec import decode_reply
from firmware_bridge.packets import PacketError, ReplyPacket
from firmware_bridge.xbee import Frame, RxPacket, StreamParser, TxRequest, TxStatus
from millirobot_adapt.core.robot.description import RobotConfig

ACKNOWLEDGED = 0
"""TX status: the other radio has acknowledged the packet (Digi, XBee 802.15.4 manual)."""
_SIXTEEN_BIT, _SIXTY_FOUR_BIT = (0x01, 0x81, 0x89), (0x80, 0x82)
_NATIVE = (0x90, 0x91, 0x92)
_UNREMARKABLE = (0x88, 0x8A, 0x97)
"""AT responses and modem status: nothing that stands for an answer of the robot."""


@dataclass(frozen=True)
class Oddity:
    """Something that came and is no packet of our robot."""

    count: int
    text: str
    """How many of what came, and which setting to change."""


class Receiver:
    """Find frames in the bytes of one port and the packets of one robot in the frames; count the rest."""

    def __init__(self, robot: RobotConfig) -> None:
        self._robot = robot
        self.damaged = 0
        """Payloads of our robot that are no packet of the table, since this receiver was made."""
        self.last_damage = ''
        """Why the last of them is none."""
        self._bad_before = self._damaged_before = 0
        self._begin()

    def _begin(self) -> None:
        """Set everything that `oddities` rests on to nothing."""
        escaped = self._robot.imageproc.radio.escaped
        self._parser = StreamParser(escaped)
        self._other_mode = StreamParser(not escaped)  # sees what the wrong API mode hides
        self._whole = self._whole_in_other_mode = 0
        self.bytes = 0
        """Bytes that have come."""
        self.statuses: Counter[int] = Counter()
        """TX statuses of our requests."""
        self.strangers: Counter[int] = Counter()
        """Packets of other robots, by source address."""
        self.echoes = 0
        """Requests that came back to us: the line is a loop."""

    @property
    def bad_frames(self) -> int:
        """Delimiters that started no good frame, since this receiver was made."""
        return self._bad_before + self._parser.bad_frames

    @property
    def other_kinds(self) -> Counter[int]:
        """Good frames of kinds that this project does not use, by API identifier."""
        return self._parser.other_kinds

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames they complete, in order."""
        self.bytes += len(data)
        self._whole_in_other_mode += self._ours(self._other_mode.feed(data))
        return self._count(self._parser.feed(data))

    def resync(self) -> list[Frame]:
        """Give up an incomplete frame; see `StreamParser.resync`."""
        self._other_mode.resync()
        return self._count(self._parser.resync())

    def restart(self) -> None:
        """Forget incomplete frames and what `oddities` rests on: the port was opened."""
        self._bad_before = self.bad_frames
        self._damaged_before = self.damaged
        self._begin()

    def packet(self, frame: Frame) -> ReplyPacket | None:
        """Return the packet of our robot that a frame carries, None for any other frame."""
        if not isinstance(frame, RxPacket) or frame.source != self._robot.imageproc.radio.address:
            return None
        try:
            return decode_reply(frame.payload, self._robot.imageproc.index_before_timestamp)
        except PacketError as error:
            self.damaged += 1
            self.last_damage = str(error)
            return None

    def oddities(self) -> list[Oddity]:
        """Return what came since `restart` that is no packet of our robot; empty when there was nothing of the kind."""
        radio = self._robot.imageproc.radio
        mode, other_mode, other_told = (2, 1, 'false') if radio.escaped else (1, 2, 'true')
        found = []
        if self.echoes:
            found.append(Oddity(self.echoes, 'of our own frames came back: TX and RX of the port are joined'))
        for kind, count in sorted(self.other_kinds.items()):
            if kind not in _UNREMARKABLE:
                found.append(Oddity(count, _of_kind(kind)))
        for source, count in sorted(self.strangers.items()):
            text = (
                f'packets came from address 0x{source:04x}, not 0x{radio.address:04x}: set radio.address in the '
                "robot's file, or MY of the robot's XBee"
            )
            found.append(Oddity(count, text))
        hidden = self._whole_in_other_mode - self._whole
        if hidden > 0:
            text = (
                f"frames are whole in API mode {other_mode} only: set radio.escaped to {other_told} in the robot's "
                f"file, or AP of the host's XBee to {mode}"
            )
            found.append(Oddity(hidden, text))
        damaged, bad = self.damaged - self._damaged_before, self._parser.bad_frames
        if damaged:
            found.append(Oddity(damaged, f'payloads are no packet that we know: {self.last_damage}'))
        if self._parser.skipped and not (self._whole or found):
            text = f"bytes came outside of frames: set AP of the host's XBee to {mode} and BD to {radio.baud} baud"
            found.append(Oddity(self._parser.skipped, text))
        elif bad and not found:
            found.append(Oddity(bad, 'frames were damaged on the serial line: look at cable, hub and baud rate'))
        return [Oddity(oddity.count, f'{oddity.count} {oddity.text}') for oddity in found]

    def silence(self) -> str:
        """Say why no packet of our robot comes: what came instead, or what the TX statuses show."""
        oddities = self.oddities()
        if oddities:
            return oddities[0].text
        if not self.bytes:
            return "nothing comes over the port: is it the XBee's, is the XBee powered?"
        if not self.statuses[ACKNOWLEDGED]:
            return "the robot's radio does not acknowledge: switch it on, look at radio.address, CH and ID of the XBees"
        return "the robot's radio acknowledges, its firmware does not answer: restart the robot"

    def _count(self, frames: list[Frame]) -> list[Frame]:
        self._whole += self._ours(frames)
        for frame in frames:
            if isinstance(frame, TxStatus):
                self.statuses[frame.status] += 1
            elif isinstance(frame, TxRequest):
                self.echoes += 1
            elif frame.source != self._robot.imageproc.radio.address:
                self.strangers[frame.source] += 1
        return frames

    def _ours(self, frames: list[Frame]) -> int:
        return sum(
            isinstance(frame, RxPacket) and frame.source == self._robot.imageproc.radio.address for frame in frames
        )


def _of_kind(kind: int) -> str:
    """Say what to change where frames of a kind other than 0x81 come."""
    came = f'frames of kind 0x{kind:02x} came, not 0x81'
    if kind in _SIXTY_FOUR_BIT:
        return f"{came}: the robot's XBee has no 16-bit address; set its MY (it is FFFE or FFFF) to radio.address"
    if kind in _NATIVE:
        return f"{came}: set AO of the host's XBee to 2 (its older, 802.15.4 frames)"
    if kind in _SIXTEEN_BIT:
        return f'frames of kind 0x{kind:02x} came that are too short for their kind'
    return f"{came}: is the port's radio an 802.15.4 XBee?"
