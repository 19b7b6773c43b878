"""ImageProc packets, both directions, and the start sequence of the motors.

Every packet is a frozen dataclass of raw integers; `packet_codec.py` turns them into bytes and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

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
