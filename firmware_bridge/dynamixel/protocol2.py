"""Dynamixel Protocol 2.0: instructions to bytes, bytes to status packets.

A packet is `FF FF FD 00`, id, length u16, instruction, parameters, CRC-16, all little-endian. `length` counts what
follows it. Inside instruction and parameters `FF FF FD` is followed by one more `FD`, so that no header appears there.
Source: ROBOTIS e-Manual, "DYNAMIXEL Protocol 2.0".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

HEADER = b'\xff\xff\xfd\x00'
BROADCAST = 0xFE
"""Id that every servo obeys; none answers it, but for a ping."""
HIGHEST_ID = 252
_LENGTH_AT, _BODY_AT = 5, 7
_CRC_SIZE = 2
_SHORTEST = 1 + _CRC_SIZE
"""`length` of an instruction without parameters."""
LONGEST = 256
"""Longest `length` that is believed: ours are far below; a damaged length must not swallow the packets after it."""
_PATTERN, _STUFFED = b'\xff\xff\xfd', b'\xff\xff\xfd\xfd'
ALERT = 0x80
"""Bit of the error byte: the servo reports a hardware error (register 70)."""


class Instruction(IntEnum):
    """What a packet asks for; STATUS marks an answer."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    REBOOT = 0x08
    STATUS = 0x55
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


class ServoError(IntEnum):
    """Why a servo did not do what it was asked, the low seven bits of the error byte."""

    RESULT_FAIL = 1
    INSTRUCTION = 2
    CRC = 3
    DATA_RANGE = 4
    DATA_LENGTH = 5
    DATA_LIMIT = 6
    ACCESS = 7


@dataclass(frozen=True)
class ServoInstruction:
    """A packet from the host."""

    servo: int
    """Id of the servo, or `BROADCAST`."""
    instruction: int
    parameters: bytes = b''


@dataclass(frozen=True)
class ServoStatus:
    """A packet from a servo."""

    servo: int
    error: int
    """0: none; else a `ServoError`, or a number that the manual does not know."""
    parameters: bytes = b''
    alert: bool = False
    """The servo reports a hardware error; it may have switched itself off."""


def _crc_table() -> tuple[int, ...]:
    """Return the table of CRC-16 with polynomial 0x8005, most significant bit first."""
    table = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = (value << 1) ^ (0x8005 if value & 0x8000 else 0)
        table.append(value & 0xFFFF)
    return tuple(table)


_TABLE = _crc_table()


def crc16(data: bytes) -> int:
    """Return the CRC-16 of a packet's bytes up to its CRC (initial value 0, polynomial 0x8005)."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _TABLE[value >> 8 ^ byte]
    return value


def encode_instruction(packet: ServoInstruction) -> bytes:
    """Return the bytes of an instruction."""
    return _encode(packet.servo, bytes([packet.instruction]) + packet.parameters)


def encode_status(packet: ServoStatus) -> bytes:
    """Return the bytes of a status packet, as a servo sends it."""
    error = packet.error | (ALERT if packet.alert else 0)
    return _encode(packet.servo, bytes([Instruction.STATUS, error]) + packet.parameters)


def _encode(servo: int, body: bytes) -> bytes:
    stuffed = body.replace(_PATTERN, _STUFFED)
    head = HEADER + bytes([servo]) + (len(stuffed) + _CRC_SIZE).to_bytes(2, 'little') + stuffed
    return head + crc16(head).to_bytes(2, 'little')


def ping(servo: int) -> ServoInstruction:
    """Ask who a servo is: its status holds model u16 and firmware u8."""
    return ServoInstruction(servo, Instruction.PING)


def read(servo: int, address: int, size: int) -> ServoInstruction:
    """Ask for `size` bytes from `address` on."""
    return ServoInstruction(servo, Instruction.READ, _u16(address) + _u16(size))


def write(servo: int, address: int, data: bytes) -> ServoInstruction:
    """Set the bytes from `address` on."""
    return ServoInstruction(servo, Instruction.WRITE, _u16(address) + data)


def sync_read(servos: Iterable[int], address: int, size: int) -> ServoInstruction:
    """Ask several servos for the same registers; they answer one after the other, in the order given."""
    return ServoInstruction(BROADCAST, Instruction.SYNC_READ, _u16(address) + _u16(size) + bytes(servos))


def sync_write(values: Mapping[int, bytes], address: int, size: int) -> ServoInstruction:
    """Set the same registers of several servos at once, `values` by servo; nobody answers.

    Raises:
        ValueError: a value is not of that size.
    """
    if any(len(data) != size for data in values.values()):
        raise ValueError(f'every value must have {size} bytes')
    body = b''.join(bytes([servo]) + data for servo, data in values.items())
    return ServoInstruction(BROADCAST, Instruction.SYNC_WRITE, _u16(address) + _u16(size) + body)


def _u16(value: int) -> bytes:
    return value.to_bytes(2, 'little')


class Protocol2Parser:
    """Find whole packets in a stream of bytes, whatever stands between them.

    A packet counts only with the right CRC. After one that does not, the search goes on at its second byte.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.bad_packets = 0
        """Headers that began no good packet."""
        self.skipped = 0
        """Bytes outside of packets."""

    def feed(self, data: bytes) -> list[ServoInstruction | ServoStatus]:
        """Take bytes; return the packets that are complete now, those of hosts (or our own echo) included."""
        self._buffer += data
        found: list[ServoInstruction | ServoStatus] = []
        while self._seek_header():
            if len(self._buffer) < _BODY_AT:
                break
            length = int.from_bytes(self._buffer[_LENGTH_AT:_BODY_AT], 'little')
            if not _SHORTEST <= length <= LONGEST:
                self._reject()
                continue
            if len(self._buffer) < _BODY_AT + length:
                break
            packet = _decode(bytes(self._buffer[: _BODY_AT + length]))
            if packet is None:
                self._reject()
                continue
            found.append(packet)
            del self._buffer[: _BODY_AT + length]
        return found

    def resync(self) -> list[ServoInstruction | ServoStatus]:
        """Give up the packet that is under way: nothing more comes. Return what whole packets it hid."""
        found: list[ServoInstruction | ServoStatus] = []
        while len(self._buffer) >= len(HEADER):
            self._reject()
            found += self.feed(b'')
        self.skipped += len(self._buffer)
        self._buffer.clear()
        return found

    def _seek_header(self) -> bool:
        """Drop what stands before the next header; return whether one (or what may become one) is there."""
        at = self._buffer.find(HEADER)
        if at < 0:
            at = len(self._buffer) - next(n for n in (3, 2, 1, 0) if self._buffer.endswith(HEADER[:n]))
        self.skipped += at
        del self._buffer[:at]
        return len(self._buffer) >= len(HEADER)

    def _reject(self) -> None:
        self.bad_packets += 1
        self.skipped += 1
        del self._buffer[0]


def _decode(packet: bytes) -> ServoInstruction | ServoStatus | None:
    """Return what a packet of the right length says; None when its CRC or its content is wrong."""
    if crc16(packet[:-_CRC_SIZE]) != int.from_bytes(packet[-_CRC_SIZE:], 'little'):
        return None
    servo, body = packet[4], packet[_BODY_AT:-_CRC_SIZE].replace(_STUFFED, _PATTERN)
    if body[0] != Instruction.STATUS:
        return ServoInstruction(servo, body[0], body[1:])
    if len(body) < 2 or servo > HIGHEST_ID:
        return None
    return ServoStatus(servo, body[1] & ~ALERT, body[2:], bool(body[1] & ALERT))
