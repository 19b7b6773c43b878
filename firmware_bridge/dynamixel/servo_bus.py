"""One bus of servos over a transport: ask and collect, with bounded waits and everything odd counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from firmware_bridge.clock import Clock
from firmware_bridge.dynamixel import protocol2
from firmware_bridge.dynamixel.protocol2 import (
    Protocol2Parser,
    ServoError,
    ServoInstruction,
    ServoStatus,
    encode_instruction,
)
from firmware_bridge.dynamixel.registers import PRESENT, Register, ServoReading
from firmware_bridge.transports import Transport

_BITS_PER_BYTE = 10
"""On the bus: start bit, eight data bits, stop bit."""
SETTLING = 5
"""Waits for this many times the latency after a single servo did not answer."""
_STATUS_SIZE = 11
"""Bytes of a status packet without parameters."""


class ServoRefused(Exception):  # noqa: N818 - it names an event, not a mistake
    """A servo answered that it did not do what it was asked."""


class ServoBus:
    """Talk to servos by their ids; for one thread at a time. Every method may raise TransportLost."""

    def __init__(
        self, transport: Transport, baud: int, latency: float, clock: Clock, beat: Callable[[], None] = lambda: None
    ) -> None:
        """`latency` is the longest wait for an answer beyond its time on the wire [s]; `beat` is called often."""
        self._transport = transport
        self._beat = beat
        self._second_a_byte = _BITS_PER_BYTE / baud
        self._latency = latency
        self._clock = clock
        self._parser = Protocol2Parser()
        self.requests = 0
        """Instructions sent."""
        self.late = 0
        """Status packets that came when nobody waited for them, or from a servo that was not asked."""
        self.late_from: set[int] = set()
        """Servos whose answer came after the wait for it, when the last request was made."""
        self.refused = 0
        """Status packets with an error."""
        self.last_refusal = ''
        """What was wrong with the last of them."""
        self.missing: Counter[int] = Counter()
        """Answers that did not come, by servo."""
        self.alerts: set[int] = set()
        """Servos whose last answer reported a hardware error."""

    @property
    def bad_packets(self) -> int:
        """Packets that were damaged on the bus."""
        return self._parser.bad_packets

    def ping(self, servo: int) -> int | None:
        """Return the model number of a servo, None when it does not answer."""
        answer = self._answer(protocol2.ping(servo), servo, 3)
        return None if answer is None else int.from_bytes(answer[:2], 'little')

    def read(self, servo: int, register: Register) -> int | None:
        """Return a register's value, None when no answer comes."""
        answer = self._answer(protocol2.read(servo, register.address, register.size), servo, register.size)
        return None if answer is None else register.decode(answer)

    def write(self, servo: int, register: Register, value: int) -> bool:
        """Set a register; return whether the servo confirmed it.

        Raises:
            ServoRefused: it answered with an error.
        """
        refused = self.refused
        packet = protocol2.write(servo, register.address, register.encode(value))
        answered = self._answer(packet, servo, 0) is not None
        if self.refused != refused:
            raise ServoRefused(f'servo {servo} refused {value} for register {register.address}: {self.last_refusal}')
        return answered

    def read_all(self, servos: Sequence[int], register: Register) -> dict[int, int]:
        """Return a register of several servos; those that do not answer are absent."""
        packet = protocol2.sync_read(servos, register.address, register.size)
        answers = self._answers(packet, servos, register.size)
        return {servo: register.decode(data) for servo, data in answers.items()}

    def set_all(self, register: Register, values: Mapping[int, int], tries: int) -> set[int]:
        """Set a register of several servos, at most `tries` times; return those that do not read back what was set."""
        left = dict(values)
        for _ in range(tries):
            if not left:
                break
            self.write_all(register, left)
            for servo, value in self.read_all(tuple(left), register).items():
                if value == left[servo]:
                    del left[servo]
        return set(left)

    def readings(self, servos: Sequence[int]) -> dict[int, ServoReading]:
        """Return what several servos measure now; those that do not answer are absent."""
        answers = self._answers(protocol2.sync_read(servos, PRESENT.address, PRESENT.size), servos, PRESENT.size)
        return {servo: ServoReading.decode(data) for servo, data in answers.items()}

    def write_all(self, register: Register, values: Mapping[int, int]) -> None:
        """Set a register of several servos at once; no servo answers, so read back what matters."""
        data = {servo: register.encode(value) for servo, value in values.items()}
        self.send(encode_instruction(protocol2.sync_write(data, register.address, register.size)))

    def send(self, data: bytes) -> None:
        """Write the bytes of an instruction."""
        self._beat()
        self.requests += 1
        self._transport.write(data)

    def _answer(self, packet: ServoInstruction, servo: int, size: int) -> bytes | None:
        """Send an instruction to one servo and return its answer of `size` bytes; None when none comes.

        Packets have no number, so an answer that comes after all is waited for: it must not pass for the next one.
        """
        answer = self._answers(packet, [servo], size).get(servo)
        if answer is None:
            self._clock.sleep(SETTLING * self._latency)
        return answer

    def _answers(self, packet: ServoInstruction, servos: Sequence[int], size: int) -> dict[int, bytes]:
        """Send an instruction and collect one answer of `size` bytes from each of these servos."""
        self._drop_late()
        data = encode_instruction(packet)
        self.send(data)
        wire = (len(data) + len(servos) * (_STATUS_SIZE + size)) * self._second_a_byte
        answers: dict[int, bytes] = {}
        heard: set[int] = set()
        for status in self._statuses(self._clock.steady() + wire + self._latency, heard, servos):
            fits = len(status.parameters) == (0 if status.error else size)
            if status.servo not in servos or status.servo in heard or not fits:
                self.late += 1  # an answer to an earlier request, most likely
                continue
            heard.add(status.servo)
            (self.alerts.add if status.alert else self.alerts.discard)(status.servo)
            if status.error:
                self.refused += 1
                self.last_refusal = _error_name(status.error)
            else:
                answers[status.servo] = status.parameters
        self.missing.update(set(servos) - heard)
        return answers

    def _statuses(self, deadline: float, heard: Collection[int], wanted: Collection[int]) -> Iterator[ServoStatus]:
        """Yield status packets until all that are wanted have been heard, or the deadline [s, steady clock]."""
        over = False
        while len(heard) < len(wanted) and not over:
            left = deadline - self._clock.steady()
            over = left <= 0.0  # what has come by now counts, however late this thread looks
            yield from _only_statuses(self._parser.feed(self._transport.read(max(0.0, left))))
        if len(heard) < len(wanted):
            yield from _only_statuses(self._parser.resync())

    def _drop_late(self) -> None:
        """Drop what came since the last request: it must not pass for an answer to the next one."""
        came = self._parser.feed(self._transport.read(0.0)) + self._parser.resync()
        self.late_from = {status.servo for status in _only_statuses(came)}
        self.late += len(self.late_from)


def _only_statuses(packets: Sequence[ServoInstruction | ServoStatus]) -> Iterator[ServoStatus]:
    """Leave out instructions: on a bus with one data line an adapter may return our own bytes."""
    return (packet for packet in packets if isinstance(packet, ServoStatus))


def _error_name(error: int) -> str:
    try:
        return ServoError(error).name.lower().replace('_', ' ') + ' error'
    except ValueError:
        return f'error {error}'
