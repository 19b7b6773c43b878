"""Frames of the 802.15.4 XBee in API mode, and a parser that finds them in a stream of bytes.

A frame is 0x7E, length (u16, big-endian), data, checksum (0xFF minus the sum of the data). In escaped mode (API 2) the
bytes 0x7E 0x7D 0x11 0x13 after the delimiter travel as 0x7D and the byte xor 0x20; length and checksum are those of the
plain data. Source: Digi, XBee/XBee-PRO 802.15.4 manual (90000982), chapter "API operation".
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

DELIMITER = 0x7E
_ESCAPE = 0x7D
_ESCAPED_BYTES = frozenset((0x7E, 0x7D, 0x11, 0x13))
_TX_REQUEST, _RX_PACKET, _TX_STATUS = 0x01, 0x81, 0x89
MAX_PAYLOAD = 100
"""Longest RF payload of the 802.15.4 XBee [bytes]."""
_MAX_DATA = MAX_PAYLOAD + 5


@dataclass(frozen=True)
class TxRequest:
    """0x01, host to its XBee: send `payload` to a 16-bit address; frame id 0 asks for no status."""

    frame_id: int
    address: int
    options: int
    payload: bytes


@dataclass(frozen=True)
class RxPacket:
    """0x81, XBee to its host: `payload` came from a 16-bit address."""

    source: int
    rssi: int
    options: int
    payload: bytes


@dataclass(frozen=True)
class TxStatus:
    """0x89, XBee to its host: the outcome of the request with this frame id (0 = acknowledged over the air)."""

    frame_id: int
    status: int


Frame: TypeAlias = TxRequest | RxPacket | TxStatus


def encode_frame(frame: Frame, escaped: bool = False) -> bytes:
    """Encode a frame as the bytes on the serial line.

    Raises:
        ValueError: the payload is longer than MAX_PAYLOAD, or a number does not fit its field.
    """
    if not isinstance(frame, TxStatus) and len(frame.payload) > MAX_PAYLOAD:
        raise ValueError(f'a payload of {len(frame.payload)} bytes does not fit a frame (at most {MAX_PAYLOAD})')
    try:
        data = _data(frame)
    except struct.error as error:
        raise ValueError(f'{frame}: {error}') from None
    content = struct.pack('>H', len(data)) + data + bytes((_checksum(data),))
    return bytes((DELIMITER,)) + (_escape(content) if escaped else content)


class StreamParser:
    """Find frames in bytes that arrive in pieces of any size, after any garbage, with a bounded buffer.

    When a delimiter starts no good frame, the search continues at the next byte. So a good frame inside the claimed
    length of a damaged header is still found.
    """

    def __init__(self, escaped: bool = False) -> None:
        self._escaped = escaped
        self._buffer = bytearray()
        self.bad_frames = 0
        """Delimiters that started no good frame: bad checksum, impossible length."""
        self.skipped = 0
        """Bytes that belong to no good frame."""
        self.other_kinds: Counter[int] = Counter()
        """Good frames that this project does not use (modem status, AT responses), by API identifier."""

    @property
    def pending(self) -> int:
        """Bytes held back because their frame is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames they complete, in order."""
        self._buffer += data
        frames: list[Frame] = []
        while (start := self._buffer.find(DELIMITER)) >= 0:
            self._skip(start)
            try:
                found = self._head()
            except _BrokenFrameError:
                self.bad_frames += 1
                self._skip(1)
                continue
            if found is None:
                return frames
            content, taken = found
            del self._buffer[:taken]
            frame = _frame(content)
            if frame is None:
                self.other_kinds[content[0]] += 1
            else:
                frames.append(frame)
        self._skip(len(self._buffer))
        return frames

    def resync(self) -> list[Frame]:
        """Give up the incomplete frame at the head and return the frames behind it.

        Call it when the line has been silent for longer than the rest of a frame takes.
        """
        frames: list[Frame] = []
        while self._buffer:
            self.bad_frames += 1
            self._skip(1)
            frames += self.feed(b'')
        return frames

    def clear(self) -> None:
        """Drop the incomplete frame: a new stream begins."""
        self._buffer.clear()

    def _skip(self, count: int) -> None:
        self.skipped += count
        del self._buffer[:count]

    def _head(self) -> tuple[bytes, int] | None:
        """Return the data of the frame at the head and the raw bytes it takes, None while it is incomplete."""
        header = self._content(2)
        if header is None:
            return None
        length = int.from_bytes(header[0], 'big')
        if not 1 <= length <= _MAX_DATA:
            raise _BrokenFrameError
        whole = self._content(2 + length + 1)
        if whole is None:
            return None
        data, checksum = whole[0][2:-1], whole[0][-1]
        if checksum != _checksum(data):
            raise _BrokenFrameError
        return data, whole[1]

    def _content(self, count: int) -> tuple[bytes, int] | None:
        """Return the first `count` plain bytes after the delimiter and the raw bytes up to there."""
        if not self._escaped:
            return (bytes(self._buffer[1 : 1 + count]), 1 + count) if len(self._buffer) > count else None
        content = bytearray()
        flip = 0
        for place in range(1, len(self._buffer)):
            byte = self._buffer[place]
            if byte == DELIMITER:
                raise _BrokenFrameError  # in escaped mode a delimiter always starts a new frame
            if byte == _ESCAPE and not flip:
                flip = 0x20
                continue
            content.append(byte ^ flip)
            flip = 0
            if len(content) == count:
                return bytes(content), place + 1
        return None


class _BrokenFrameError(Exception):
    """The delimiter at the head starts no good frame."""


def _checksum(data: bytes) -> int:
    return 0xFF - sum(data) % 256


def _escape(content: bytes) -> bytes:
    escaped = bytearray()
    for byte in content:
        escaped += bytes((_ESCAPE, byte ^ 0x20)) if byte in _ESCAPED_BYTES else bytes((byte,))
    return bytes(escaped)


def _data(frame: Frame) -> bytes:
    if isinstance(frame, TxRequest):
        return struct.pack('>BBHB', _TX_REQUEST, frame.frame_id, frame.address, frame.options) + frame.payload
    if isinstance(frame, RxPacket):
        return struct.pack('>BHBB', _RX_PACKET, frame.source, frame.rssi, frame.options) + frame.payload
    return struct.pack('>BBB', _TX_STATUS, frame.frame_id, frame.status)


def _frame(data: bytes) -> Frame | None:
    """Make a frame from data with a good checksum; None for other types and for lengths that do not fit the type."""
    if data[0] == _TX_REQUEST and len(data) >= 5:
        _, frame_id, address, options = struct.unpack('>BBHB', data[:5])
        return TxRequest(frame_id, address, options, data[5:])
    if data[0] == _RX_PACKET and len(data) >= 5:
        _, source, rssi, options = struct.unpack('>BHBB', data[:5])
        return RxPacket(source, rssi, options, data[5:])
    if data[0] == _TX_STATUS and len(data) == 3:
        return TxStatus(data[1], data[2])
    return None
