"""Packets to bytes and back: the RF payload inside an XBee frame.

A payload is `status u8 (always 0)`, `type u8`, then little-endian data. `_TABLE` gives the layout of each packet;
`encode` and the two decoders use nothing else.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from firmware_bridge.packets import (
    Command,
    CommandPacket,
    GetPosition,
    Packet,
    PacketError,
    PidGains,
    PositionReply,
    ReplyPacket,
    SetPidOutputChannel,
    SetThrust,
    SetThrustOpenLoop,
    SetTimeout,
    SetVelocity,
    SetVelocityProfile,
    StartMotors,
    StartTimedRun,
    StopMotors,
    TelemetryReply,
    WhoAmI,
    WhoAmIReply,
    ZeroPosition,
)


@dataclass(frozen=True)
class _Row:
    """Wire layout of one packet; `shape` counts the numbers of each field, in order."""

    command: Command
    packet: type[Any]
    layout: struct.Struct
    shape: tuple[int, ...]
    is_command: bool
    is_reply: bool


def _row(command: Command, packet: type[Any], layout: str, shape: tuple[int, ...], direction: str) -> _Row:
    return _Row(command, packet, struct.Struct('<' + layout), shape, 'command' in direction, 'reply' in direction)


_TABLE: tuple[_Row, ...] = (
    _row(Command.SET_THRUST_OPEN_LOOP, SetThrustOpenLoop, '2h', (1, 1), 'command'),
    _row(Command.PID_START_MOTORS, StartMotors, '', (), 'command'),
    _row(Command.PID_STOP_MOTORS, StopMotors, '', (), 'command'),
    _row(Command.SET_PID_GAINS, PidGains, '10h', (5, 5), 'command, reply'),
    _row(Command.GET_AMS_POS, GetPosition, '', (), 'command'),
    _row(Command.GET_AMS_POS, PositionReply, '2l', (2,), 'reply'),
    _row(Command.SET_TIMEOUT, SetTimeout, 'h', (1,), 'command'),
    _row(Command.SET_VEL_PROFILE, SetVelocityProfile, '12h', (6, 6), 'command'),
    _row(Command.WHO_AM_I, WhoAmI, '', (), 'command'),
    _row(Command.START_TIMED_RUN, StartTimedRun, 'H', (1,), 'command'),
    _row(Command.SET_THRUST_GET_IMU, SetThrust, '2h', (2,), 'command'),
    _row(Command.SET_VEL_GET_IMU, SetVelocity, '2h', (2,), 'command'),
    _row(Command.SET_PID_OUTPUT_CHANNEL, SetPidOutputChannel, 'h', (1,), 'command'),
    _row(Command.ZERO_POS, ZeroPosition, '', (), 'command'),
    _row(Command.TELEMETRY, TelemetryReply, '2L4l11h', (1, 1, 2, 2, 2, 3, 3, 2, 1), 'reply'),
)  # fmt: skip
_BY_PACKET = {row.packet: row for row in _TABLE}
_COMMANDS: dict[int, _Row] = {row.command: row for row in _TABLE if row.is_command}
_REPLIES: dict[int, _Row] = {row.command: row for row in _TABLE if row.is_reply}


def encode(packet: Packet, index_first: bool = True) -> bytes:
    """Encode a packet as an RF payload; `index_first` is the robot's order of the first two telemetry fields.

    Raises:
        PacketError: a number does not fit its field.
    """
    if isinstance(packet, WhoAmIReply):
        try:
            return bytes((0, Command.WHO_AM_I)) + packet.text.encode('latin-1')
        except UnicodeEncodeError as error:
            raise PacketError(f'{packet}: {error}') from None
    row = _BY_PACKET[type(packet)]
    if isinstance(packet, TelemetryReply) and not index_first:
        packet = _swapped(packet)
    try:
        return bytes((0, row.command)) + row.layout.pack(*_numbers(packet))
    except struct.error as error:
        raise PacketError(f'{packet}: {error}') from None


def decode_command(payload: bytes) -> CommandPacket:
    """Decode what the host sends to the robot.

    Raises:
        PacketError: an unknown type, a wrong length, a status other than 0.
    """
    kind, data = _split(payload)
    if kind == Command.ZERO_POS:
        return ZeroPosition()
    packet: CommandPacket = _unpack(_COMMANDS, kind, data)
    return packet


def decode_reply(payload: bytes, index_first: bool = True) -> ReplyPacket:
    """Decode what the robot sends to the host; `index_first` as for `encode`.

    Raises:
        PacketError: an unknown type, a wrong length, a status other than 0.
    """
    kind, data = _split(payload)
    if kind == Command.WHO_AM_I:
        return WhoAmIReply(data.decode('latin-1'))
    packet: ReplyPacket = _unpack(_REPLIES, kind, data)
    if isinstance(packet, TelemetryReply) and not index_first:
        return _swapped(packet)
    return packet


def _swapped(reply: TelemetryReply) -> TelemetryReply:
    return dataclasses.replace(reply, index=reply.timestamp, timestamp=reply.index)


def _split(payload: bytes) -> tuple[int, bytes]:
    if len(payload) < 2:
        raise PacketError(f'a payload of {len(payload)} bytes holds no status and type')
    if payload[0] != 0:
        raise PacketError(f'status is 0x{payload[0]:02x}, not 0')
    return payload[1], bytes(payload[2:])


def _unpack(rows: dict[int, _Row], kind: int, data: bytes) -> Any:
    row = rows.get(kind)
    if row is None:
        raise PacketError(f'unknown type 0x{kind:02x}')
    if len(data) != row.layout.size:
        raise PacketError(f'0x{kind:02x} carries {row.layout.size} bytes of data, not {len(data)}')
    numbers = iter(row.layout.unpack(data))
    return row.packet(*(_field(numbers, width) for width in row.shape))


def _field(numbers: Iterator[int], width: int) -> int | tuple[int, ...]:
    return next(numbers) if width == 1 else tuple(next(numbers) for _ in range(width))


def _numbers(packet: Packet) -> Iterator[int]:
    for value in dataclasses.astuple(packet):
        if isinstance(value, tuple):
            yield from value
        else:
            yield value
