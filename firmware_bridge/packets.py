"""ImageProc packets, both directions: the RF payload inside an XBee frame; and the start sequence of the motors.

A payload is `status u8 (always 0)`, `type u8`, then little-endian data. Every packet is a frozen dataclass of raw
integers. `_TABLE` gives the wire layout of each; `encode` and the two decoders use nothing else.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

Pair: TypeAlias = tuple[int, int]
Triple: TypeAlias = tuple[int, int, int]
Gains: TypeAlias = tuple[int, int, int, int, int]
Profile: TypeAlias = tuple[int, int, int, int, int, int]


class Command(IntEnum):
    """The type byte of a payload."""

    TELEMETRY = 0x20
    SET_THRUST_OPEN_LOOP = 0x80
    PID_START_MOTORS = 0x81
    SET_PID_GAINS = 0x82
    GET_AMS_POS = 0x84
    SET_TIMEOUT = 0x85
    SET_VEL_PROFILE = 0x8D
    WHO_AM_I = 0x8E
    ZERO_POS = 0x90
    START_TIMED_RUN = 0x91
    PID_STOP_MOTORS = 0x92
    SET_THRUST_GET_IMU = 0x95
    SET_VEL_GET_IMU = 0x96
    SET_PID_OUTPUT_CHANNEL = 0x97


class PacketError(ValueError):
    """The payload is no packet of the table, or a number does not fit its field."""


@dataclass(frozen=True)
class SetThrustOpenLoop:
    """0x80: drive one motor open loop."""

    channel: int
    duty: int


@dataclass(frozen=True)
class StartMotors:
    """0x81: switch the PID on."""


@dataclass(frozen=True)
class StopMotors:
    """0x92: switch the PID and the motors off; the robot does not reply."""


@dataclass(frozen=True)
class PidGains:
    """0x82: Kp Ki Kd Kaw Kff of each side; the robot echoes it as the acknowledgement."""

    left: Gains
    right: Gains


@dataclass(frozen=True)
class GetPosition:
    """0x84: ask for the encoders."""


@dataclass(frozen=True)
class PositionReply:
    """0x84, answer: cumulative encoder counts left, right."""

    position: Pair


@dataclass(frozen=True)
class SetTimeout:
    """0x85: set the robot's own watchdog [ms]; its effect is not documented."""

    milliseconds: int


@dataclass(frozen=True)
class SetVelocityProfile:
    """0x8D: per side period [ms], four deltas (0x4000 = 1 revolution), flag."""

    left: Profile
    right: Profile


@dataclass(frozen=True)
class WhoAmI:
    """0x8E: ask for the firmware's name."""


@dataclass(frozen=True)
class WhoAmIReply:
    """0x8E, answer: the firmware's name, one character a byte."""

    text: str


@dataclass(frozen=True)
class ZeroPosition:
    """0x90: zero the encoders; the robot ignores any data. Wait about 1 s before the next command."""


@dataclass(frozen=True)
class StartTimedRun:
    """0x91: run for a time [ms]."""

    milliseconds: int


@dataclass(frozen=True)
class SetThrust:
    """0x95: duty left, right; the robot answers with telemetry."""

    duty: Pair


@dataclass(frozen=True)
class SetVelocity:
    """0x96: leg velocity left, right [counts/ms]; the robot answers with telemetry."""

    velocity: Pair


@dataclass(frozen=True)
class SetPidOutputChannel:
    """0x97: choose the PID's output channel (the lab uses 1)."""

    channel: int


@dataclass(frozen=True)
class TelemetryReply:
    """0x20: the answer to 0x95 and 0x96, raw; pairs are left, right."""

    index: int
    timestamp: int
    position: Pair
    command: Pair
    duty: Pair
    gyro: Triple
    accel: Triple
    back_emf: Pair
    battery: int


CommandPacket: TypeAlias = (
    SetThrustOpenLoop | StartMotors | StopMotors | PidGains | GetPosition | SetTimeout | SetVelocityProfile | WhoAmI
    | ZeroPosition | StartTimedRun | SetThrust | SetVelocity | SetPidOutputChannel
)  # fmt: skip
ReplyPacket: TypeAlias = TelemetryReply | PidGains | PositionReply | WhoAmIReply
Packet: TypeAlias = CommandPacket | ReplyPacket


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


PID_OUTPUT_CHANNEL = 1
"""What the lab sends with 0x97."""


def start_sequence(pid_gains: Sequence[int]) -> tuple[CommandPacket, ...]:
    """Return the commands that make the robot ready to walk, in order: 0x97, 0x81, 0x90, 0x82.

    The motors stand after it: 0x81 begins with a setpoint of zero. `pid_gains` are Kp Ki Kd Kaw Kff, left then right.
    """
    return SetPidOutputChannel(PID_OUTPUT_CHANNEL), StartMotors(), ZeroPosition(), gains_packet(pid_gains)


def gains_packet(pid_gains: Sequence[int]) -> PidGains:
    """Return 0x82 with ten gains: Kp Ki Kd Kaw Kff, left then right.

    Raises:
        PacketError: there are not ten.
    """
    if len(pid_gains) != 10:
        raise PacketError(f'0x82 carries 10 gains, not {len(pid_gains)}')
    a, b, c, d, e, f, g, h, i, j = pid_gains
    return PidGains((a, b, c, d, e), (f, g, h, i, j))


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
