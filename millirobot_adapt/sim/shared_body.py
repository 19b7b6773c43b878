"""The memory in which the mock's body and a board that runs the reference firmware meet.

The layout is that of `firmware/boards/body.h`, which says why angles carry the board's time.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass

from firmware_bridge.packets import Pair, Triple

SIZE = 16 << 20
"""All of the memory that QEMU's mps2-an385 shares [bytes]; what nobody writes takes no room."""
ANGLE_STEPS = 256
"""Steps of an angle here in one step of the encoder."""
_MAGIC = 0x59444F42
_MAGIC_AT, _RESETS_AT, _MEASURED_AT = 0, 4, 8
_SEQUENCE = struct.Struct('<I')
_MEASURED = struct.Struct('<III ii 3h 3h 2h h 2x')
_DRIVEN_AT = _MEASURED_AT + _SEQUENCE.size + _MEASURED.size
_DRIVEN = struct.Struct('<II ii I ii I I')
_TRIES = 1000


@dataclass(frozen=True)
class Driven:
    """What the firmware does with its motors; times are the board's [ms since its power-up]."""

    resets: int
    """How many resets it had been asked for when it started."""
    milliseconds: int
    """Its last tick."""
    command: Pair
    """Leg velocity [counts/ms], or duty [counts] under 0x95; zero while the motors are off. Left, right."""
    commanded_since: int
    duty: Pair
    """Of FULL_DUTY. Left, right."""
    last_packet: int
    """When it heard the last packet."""
    last_duty: int
    """The last tick in which it drove a motor."""


class SharedBody:
    """Anonymous memory that this process shares with a board; the board opens `path`."""

    def __init__(self) -> None:
        self.file = os.memfd_create('millirobot_body')
        """Descriptor of the memory, to be passed on to the board's process."""
        os.ftruncate(self.file, SIZE)
        self.resets = 0
        """How many resets the board has been asked for."""
        self._memory = mmap.mmap(self.file, SIZE)
        _SEQUENCE.pack_into(self._memory, _MAGIC_AT, _MAGIC)

    @property
    def path(self) -> str:
        """Path of the memory in a process that inherits `file`."""
        return f'/proc/self/fd/{self.file}'

    def measure(
        self, at: int, angle: Pair, speed: Pair, gyro: Triple, accel: Triple, back_emf: Pair, battery: int
    ) -> None:
        """Tell the board how the body is.

        Args:
            at: When the legs stood at `angle` [ms since the board's power-up].
            angle: Of the legs, left and right [1/256 encoder steps].
            speed: Of the legs, left and right [1/256 encoder steps/ms].
            gyro: Angular velocity [counts].
            accel: Acceleration [counts].
            back_emf: Of the motors, left and right [counts].
            battery: Its voltage [counts].
        """
        left, right = (value & 0xFFFFFFFF for value in angle)
        data = _MEASURED.pack(at & 0xFFFFFFFF, left, right, *speed, *gyro, *accel, *back_emf, battery)
        (sequence,) = _SEQUENCE.unpack_from(self._memory, _MEASURED_AT)
        _SEQUENCE.pack_into(self._memory, _MEASURED_AT, sequence + 1 & 0xFFFFFFFF)
        self._memory[_MEASURED_AT + _SEQUENCE.size : _DRIVEN_AT] = data
        _SEQUENCE.pack_into(self._memory, _MEASURED_AT, sequence + 2 & 0xFFFFFFFF)

    def driven(self) -> Driven | None:
        """Return what the board wrote last; None while it is writing, or was interrupted there."""
        begin = _DRIVEN_AT + _SEQUENCE.size
        for _ in range(_TRIES):
            before = _SEQUENCE.unpack_from(self._memory, _DRIVEN_AT)[0]
            data = self._memory[begin : begin + _DRIVEN.size]
            if before % 2 == 0 and before == _SEQUENCE.unpack_from(self._memory, _DRIVEN_AT)[0]:
                resets, now, left, right, since, duty_left, duty_right, packet, duty = _DRIVEN.unpack(data)
                return Driven(resets, now, (left, right), since, (duty_left, duty_right), packet, duty)
        return None

    def reset(self) -> None:
        """Let the board reset, as after a brown-out."""
        self.resets = self.resets + 1 & 0xFFFFFFFF
        _SEQUENCE.pack_into(self._memory, _RESETS_AT, self.resets)

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()
        os.close(self.file)
