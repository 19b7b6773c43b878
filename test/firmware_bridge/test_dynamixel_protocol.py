"""Protocol 2.0: our packets are the vendor's, and damage never passes for a value."""

import random
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware_bridge.dynamixel import protocol2
from firmware_bridge.dynamixel.protocol2 import (
    HEADER,
    Protocol2Parser,
    ServoError,
    ServoInstruction,
    ServoStatus,
    crc16,
    encode_instruction,
    encode_status,
)
from firmware_bridge.dynamixel.registers import GOAL_VELOCITY, PRESENT, ServoReading

ids = st.integers(0, 252)
# Bytes among which headers and stuffing are frequent.
data = st.lists(st.one_of(st.sampled_from([0xFF, 0xFD, 0x00]), st.integers(0, 255)), max_size=60).map(bytes)
statuses = st.builds(ServoStatus, ids, st.integers(0, 127), data, st.booleans())
instructions = st.builds(ServoInstruction, st.integers(0, 254), st.sampled_from([1, 2, 3, 8, 0x82, 0x83]), data)


def test_the_crc_is_that_of_the_manual():
    """The example of the manual's chapter on the CRC: READ of 4 bytes at 132 from servo 1."""
    packet = bytes.fromhex('fffffd00010700028400 0400'.replace(' ', ''))
    assert crc16(packet) == 0x151D
    assert encode_instruction(protocol2.read(1, 132, 4)) == packet + bytes.fromhex('1d15')


@given(st.lists(st.one_of(statuses, instructions), max_size=5), st.lists(st.integers(0, 200), max_size=6))
def test_what_is_encoded_comes_back_however_it_is_cut(packets, cuts):
    stream = b''.join(encode_status(p) if isinstance(p, ServoStatus) else encode_instruction(p) for p in packets)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    parser, found = Protocol2Parser(), []
    for begin, end in pairwise(places):
        found += parser.feed(stream[begin:end])
    assert found == packets
    assert parser.bad_packets == 0


@given(statuses)
def test_no_header_stands_inside_a_packet(packet):
    assert encode_status(packet).find(HEADER[:3], 1, -2) in (-1, *_stuffed(encode_status(packet)))


def _stuffed(encoded):
    """Where FF FF FD stands before another FD."""
    return [at for at in range(len(encoded) - 3) if encoded[at : at + 4] == b'\xff\xff\xfd\xfd']


@given(statuses, st.data())
def test_a_burst_of_up_to_16_bits_is_always_seen(packet, draw):
    """What a CRC-16 promises, for damage that leaves the length alone."""
    encoded = int.from_bytes(good := encode_status(packet), 'big')
    length_bits = range(len(good) * 8 - 56, len(good) * 8 - 40)
    burst = draw.draw(st.integers(1, 0xFFFF))
    at = draw.draw(st.integers(0, len(good) * 8 - 16))
    flipped = burst << at
    if flipped >> length_bits.start & 0xFFFF:
        return
    damaged = (encoded ^ flipped).to_bytes(len(good), 'big')
    parser = Protocol2Parser()
    assert packet not in (found := parser.feed(damaged) + parser.resync()) or damaged == good
    assert not [each for each in found if isinstance(each, ServoStatus)]


def corpus():
    """Six servos' answers to a cycle, damaged in every way a bus damages them; (what was sent, what arrives)."""
    rng = random.Random(7)
    for _ in range(500):
        sent = [
            ServoStatus(servo, 0, bytes(rng.choice((0, 0xFF, 0xFD, rng.randrange(256))) for _ in range(PRESENT.size)))
            for servo in range(1, 7)
        ]
        stream = bytearray(b''.join(map(encode_status, sent)))
        for _ in range(rng.randrange(1, 5)):
            at = rng.randrange(len(stream))
            match rng.randrange(6):
                case 0:
                    stream[at] ^= 1 << rng.randrange(8)
                case 1:
                    stream[at] = rng.randrange(256)
                case 2:
                    del stream[at : at + rng.randrange(1, 40)]
                case 3:
                    stream[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 20)))
                case 4:
                    stream[at:at] = stream[at : at + rng.randrange(1, 60)]
                case 5:
                    stream[at:at] = HEADER + bytes([rng.randrange(8), rng.randrange(256), rng.randrange(2)])
            if not stream:
                break
        yield sent, bytes(stream)


def test_damage_never_gives_a_wrong_value_and_spares_the_rest():
    lost = sent_in_all = 0
    for sent, arrives in corpus():
        parser = Protocol2Parser()
        found = [each for each in parser.feed(arrives) + parser.resync() if isinstance(each, ServoStatus)]
        assert all(each in sent for each in found)
        lost += len(set(range(1, 7)) - {each.servo for each in found})
        sent_in_all += len(sent)
    assert 0 < lost < 0.5 * sent_in_all, 'at most those that were hit are lost'


@given(st.binary(max_size=400))
def test_noise_is_no_packet(noise):
    parser = Protocol2Parser()
    assert parser.feed(noise) + parser.resync() == []


def test_a_damaged_length_hides_the_packets_behind_it_no_longer_than_the_wait():
    good = [ServoStatus(servo, 0, bytes(26)) for servo in (1, 2, 3)]
    stream = bytearray(b''.join(map(encode_status, good)))
    stream[5] = 0xF0  # of the first packet: 240 bytes to come
    parser = Protocol2Parser()
    assert parser.feed(bytes(stream)) == []
    assert parser.resync() == good[1:]
    assert parser.bad_packets >= 1


def test_a_length_that_cannot_be_does_not_wait():
    good = ServoStatus(2, 0, bytes(26))
    parser = Protocol2Parser()
    assert parser.feed(HEADER + b'\x01\xff\x7f' + encode_status(good)) == [good]


def test_errors_and_the_alert_are_told_apart():
    (packet,) = Protocol2Parser().feed(encode_status(ServoStatus(3, ServoError.ACCESS, b'', alert=True)))
    assert packet == ServoStatus(3, ServoError.ACCESS, b'', alert=True)


def test_a_value_of_another_size_is_refused():
    with pytest.raises(ValueError, match='4 bytes'):
        protocol2.sync_write({1: b'\0\0'}, GOAL_VELOCITY.address, GOAL_VELOCITY.size)


@given(
    st.builds(
        ServoReading, st.integers(0, 32767), st.integers(-885, 885), st.integers(-1750, 1750),
        st.integers(-2047, 2047), st.integers(-(2**31), 2**31 - 1), st.integers(0, 65535),
    )
)  # fmt: skip
def test_a_reading_comes_back(reading):
    assert len(reading.encode()) == PRESENT.size
    assert ServoReading.decode(reading.encode()) == reading


class Wire:
    """A port for the vendor's handler that keeps what is written and gives what a test puts in."""

    def __init__(self, coming=b''):
        self.is_using, self.written, self.coming = False, b'', coming

    def writePort(self, packet):
        self.written += bytes(packet)
        return len(packet)

    def readPort(self, length):
        taken, self.coming = self.coming[:length], self.coming[length:]
        return list(taken)

    def clearPort(self): ...
    def setPacketTimeout(self, length): ...
    def setPacketTimeoutMillis(self, milliseconds): ...

    def isPacketTimeout(self):
        return not self.coming


class TestAgainstTheVendor:
    """dynamixel-sdk writes the same bytes and reads ours."""

    sdk = None

    @pytest.fixture(autouse=True)
    def vendor(self):
        self.sdk = pytest.importorskip('dynamixel_sdk', reason='needs the extra test (dynamixel-sdk)')
        self.handler = self.sdk.PacketHandler(2.0)
        # Its txPacket throws away what its addStuffing returns, so a header inside a packet would go out as it is.
        add_stuffing = self.handler.addStuffing
        self.handler.addStuffing = lambda packet: packet.__setitem__(slice(None), add_stuffing(list(packet)))
        self.handler.removeStuffing = self.without_stuffing

    @staticmethod
    def without_stuffing(packet):
        """Take out the stuffing, as the vendor's removeStuffing does, which looks back at bytes it has moved already.

        So it takes `FF FF FD FD FF FD FD` for one stuffed byte more than there is.
        """
        length = packet[5] + 256 * packet[6]
        body = bytes(packet[7 : 7 + length - 2]).replace(b'\xff\xff\xfd\xfd', b'\xff\xff\xfd')
        short = len(body) + 2
        return [*packet[:5], short % 256, short // 256, *body, *packet[7 + length - 2 :]]

    @given(st.integers(0, 252), st.integers(0, 150), st.integers(1, 40))
    def test_reads(self, servo, address, size):
        wire = Wire()
        self.handler.readTx(wire, servo, address, size)
        assert wire.written == encode_instruction(protocol2.read(servo, address, size))

    @given(st.integers(0, 252), st.integers(0, 150), data.filter(len))
    def test_writes(self, servo, address, values):
        wire = Wire()
        self.handler.writeTxOnly(wire, servo, address, len(values), list(values))
        assert wire.written == encode_instruction(protocol2.write(servo, address, values))

    def test_pings(self):
        wire = Wire()
        self.handler.ping(wire, 5)
        assert wire.written == encode_instruction(protocol2.ping(5))

    @given(st.lists(ids, min_size=1, max_size=8, unique=True), st.integers(0, 150), st.integers(1, 40))
    def test_sync_reads(self, servos, address, size):
        wire = Wire()
        self.handler.syncReadTx(wire, address, size, list(servos), len(servos), False)
        assert wire.written == encode_instruction(protocol2.sync_read(servos, address, size))

    @given(st.dictionaries(ids, st.binary(min_size=4, max_size=4), min_size=1, max_size=8))
    def test_sync_writes(self, values):
        wire = Wire()
        body = [byte for servo, value in values.items() for byte in (servo, *value)]
        self.handler.syncWriteTxOnly(wire, 104, 4, body, len(body))
        assert wire.written == encode_instruction(protocol2.sync_write(values, 104, 4))

    @given(ids, st.integers(0, 7), data)
    @example(0, 0, b'\xff\xff\xfd\xff\xfd\xfd')
    def test_statuses(self, servo, error, values):
        wire = Wire(encode_status(ServoStatus(servo, error, values)))
        packet, result = self.handler.rxPacket(wire, False)
        assert result == self.sdk.COMM_SUCCESS
        assert (packet[4], packet[8]) == (servo, error)
        length = packet[5] + 256 * packet[6]
        assert bytes(packet[9 : 7 + length - 2]) == values
