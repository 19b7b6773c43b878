"""The one line that all servos share: bytes in, bytes out at the times at which the baud rate lets them come.

No port, no clock, no sleeping: all times are the caller's [s]. Frames appear whole, at their last byte.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firmware_bridge.dynamixel.protocol2 import (
    BROADCAST,
    Instruction,
    Protocol2Parser,
    ServoError,
    ServoInstruction,
    ServoStatus,
    encode_status,
)
from firmware_bridge.dynamixel.registers import MODEL_NUMBER
from millirobot_adapt.sim.servo import SimulatedServo

BITS_A_BYTE = 10
GAP = 20e-6
"""From one servo's answer to the next one's, beside the return delay, nominal [s]."""


@dataclass
class LineFaults:
    """What happens to what servos send; shares are of status packets."""

    corrupt: float = 0.0
    """One byte is changed."""
    lost: float = 0.0
    """The packet does not come."""
    chained: bool = False
    """A servo answers a sync read only after it has heard the one before it: a silent one silences the rest."""


class ServoLine:
    """Carry instructions to servos and their answers back."""

    def __init__(
        self, servos: Sequence[SimulatedServo], baud: int, rng: np.random.Generator, wire_time: bool = True
    ) -> None:
        """`wire_time` False makes the line instant."""
        self.servos = list(servos)
        self.faults = LineFaults()
        self.delay: dict[int, float] = {}
        """What the host's adapter adds to the answers of a servo, by its id [s]."""
        self.happened: Counter[str] = Counter()
        """How often each fault has struck, and how many instructions came, by name."""
        self._second_a_byte = BITS_A_BYTE / baud if wire_time else 0.0
        self._rng = rng
        self._parser = Protocol2Parser()
        self._free = 0.0
        self._to_servos: deque[tuple[float, ServoInstruction]] = deque()
        self._to_host: deque[tuple[float, bytes]] = deque()

    def make_instant(self) -> None:
        """Let bytes take no time."""
        self._second_a_byte = 0.0

    def write(self, data: bytes, now: float) -> None:
        """Take bytes that the host wrote at `now`."""
        self._free = max(self._free, now) + len(data) * self._second_a_byte
        for packet in self._parser.feed(data):
            if isinstance(packet, ServoInstruction):
                self._to_servos.append((self._free, packet))

    def arrived(self, now: float) -> tuple[float, ServoInstruction] | None:
        """Take the next instruction that has reached the servos by `now`, with the time of its arrival."""
        if not self._to_servos or self._to_servos[0][0] > now:
            return None
        return self._to_servos.popleft()

    def read(self, now: float) -> bytes:
        """Return what has come down the line by `now`."""
        read = b''
        while self._to_host and self._to_host[0][0] <= now:
            read += self._to_host.popleft()[1]
        return read

    def next_due(self) -> float | None:
        """Return when `arrived` or `read` has something next; None while nothing is under way."""
        return min((queue[0][0] for queue in (self._to_servos, self._to_host) if queue), default=None)

    def obey(self, packet: ServoInstruction, now: float) -> None:
        """Let the servos act on an instruction that has arrived, and answer."""
        self._free = max(self._free, now)
        for servo in self.servos:
            if servo.present(now):
                servo.hear(now)
        address, rest = int.from_bytes(packet.parameters[:2], 'little'), packet.parameters[2:]
        there = {servo.servo: servo for servo in self.servos if servo.present(now)}
        addressed = [there[packet.servo]] if packet.servo in there else []
        match packet.instruction:
            case Instruction.PING:
                for servo in list(there.values()) if packet.servo == BROADCAST else addressed:
                    model = servo.read(MODEL_NUMBER.address, MODEL_NUMBER.size)
                    assert isinstance(model, bytes)
                    self._answer(servo, model + b'\x34')
            case Instruction.READ:
                for servo in addressed:
                    self._answer(servo, servo.read(address, int.from_bytes(rest[:2], 'little')))
            case Instruction.WRITE:
                for servo in list(there.values()) if packet.servo == BROADCAST else addressed:
                    error = servo.write(address, rest)
                    if packet.servo != BROADCAST:
                        self._answer(servo, error or b'')
            case Instruction.SYNC_READ:
                self._sync_read(there, address, int.from_bytes(rest[:2], 'little'), rest[2:])
            case Instruction.SYNC_WRITE:
                size = int.from_bytes(rest[:2], 'little')
                for place in range(2, len(rest) - size, size + 1):
                    if rest[place] in there:  # an error is not answered
                        there[rest[place]].write(address, rest[place + 1 : place + 1 + size])
            case _:
                for servo in addressed:
                    self._answer(servo, int(ServoError.INSTRUCTION))

    def _sync_read(self, there: dict[int, SimulatedServo], address: int, size: int, ids: bytes) -> None:
        for servo in ids:
            heard = servo in there and not there[servo].mute
            if heard:
                self._answer(there[servo], there[servo].read(address, size))
            elif self.faults.chained:
                return

    def _answer(self, servo: SimulatedServo, content: bytes | int) -> None:
        if servo.mute:
            return
        error, parameters = (content, b'') if isinstance(content, int) else (0, content)
        data = encode_status(ServoStatus(servo.servo, error, parameters, servo.alert))
        self._free += servo.return_delay + (GAP if self._second_a_byte else 0.0) + len(data) * self._second_a_byte
        if self._strikes('lost', self.faults.lost):
            return
        if self._strikes('corrupt', self.faults.corrupt):
            place = int(self._rng.integers(len(data)))
            data = data[:place] + bytes([data[place] ^ int(self._rng.integers(1, 256))]) + data[place + 1 :]
        self._to_host.append((self._free + self.delay.get(servo.servo, 0.0), data))

    def _strikes(self, fault: str, share: float) -> bool:
        if not share or self._rng.random() >= share:
            return False
        self.happened[fault] += 1
        return True
