import contextlib
import dataclasses
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import packets
from firmware_bridge.packet_codec import decode_command, decode_reply, encode
from firmware_bridge.packets import PacketError

GOLDEN = yaml.safe_load((Path(__file__).parent / 'golden.yaml').read_text())['payloads']
COMMANDS = get_args(packets.CommandPacket)
REPLIES = get_args(packets.ReplyPacket)
UNSIGNED = {(packets.StartTimedRun, 'milliseconds'): 16, (packets.TelemetryReply, 'index'): 32,
            (packets.TelemetryReply, 'timestamp'): 32}  # fmt: skip
WIDE = {(packets.PositionReply, 'position'), (packets.TelemetryReply, 'position'), (packets.TelemetryReply, 'command')}


def integers(cls, name):
    """The numbers that a field holds on the wire."""
    if (cls, name) in UNSIGNED:
        return st.integers(0, 2 ** UNSIGNED[cls, name] - 1)
    bits = 31 if (cls, name) in WIDE else 15
    return st.integers(-(2**bits), 2**bits - 1)


def any_packet(cls):
    if cls is packets.WhoAmIReply:
        return st.builds(cls, st.text(st.characters(max_codepoint=255), max_size=40))
    hints = get_type_hints(cls)
    fields = {}
    for field in dataclasses.fields(cls):
        width = len(get_args(hints[field.name]))
        number = integers(cls, field.name)
        fields[field.name] = st.tuples(*[number] * width) if width else number
    return st.builds(cls, **fields)


def made(case):
    cls = getattr(packets, case['packet'])
    return cls(*(tuple(value) if isinstance(value, list) else value for value in case['fields']))


@pytest.mark.parametrize('case', GOLDEN, ids=lambda case: case['packet'])
def test_golden_bytes(case):
    packet, payload = made(case), bytes.fromhex(case['bytes'])
    assert encode(packet) == payload
    if case['direction'] in ('command', 'both'):
        assert decode_command(payload) == packet
    if case['direction'] in ('reply', 'both'):
        assert decode_reply(payload) == packet


def test_every_packet_has_a_golden_vector():
    assert {case['packet'] for case in GOLDEN} == {cls.__name__ for cls in COMMANDS + REPLIES}


@given(st.one_of([any_packet(cls) for cls in COMMANDS]))
def test_commands_survive_the_wire(packet):
    assert decode_command(encode(packet)) == packet


@given(st.one_of([any_packet(cls) for cls in REPLIES]), st.booleans())
def test_replies_survive_the_wire(packet, index_first):
    assert decode_reply(encode(packet, index_first), index_first) == packet


def test_the_order_of_index_and_timestamp_is_the_robots():
    payload = bytes.fromhex(next(case['bytes'] for case in GOLDEN if case['packet'] == 'TelemetryReply'))
    assert (decode_reply(payload, True).index, decode_reply(payload, True).timestamp) == (258, 1000000)
    assert (decode_reply(payload, False).index, decode_reply(payload, False).timestamp) == (1000000, 258)


@given(st.binary(max_size=60))
def test_any_bytes_decode_or_are_refused_as_a_packet_error(payload):
    for decode in (decode_command, decode_reply):
        with contextlib.suppress(PacketError):
            decode(payload)


@pytest.mark.parametrize(
    ('payload', 'reason'),
    [
        ('', 'no status'),
        ('00', 'no status'),
        ('01 96 00 00 00 00', 'status is 0x01'),
        ('00 33', 'unknown type 0x33'),
        ('00 96 00 00 00', '4 bytes of data, not 3'),
        ('00 96 00 00 00 00 00', '4 bytes of data, not 5'),
    ],
)
def test_a_refusal_says_what_is_wrong(payload, reason):
    with pytest.raises(PacketError, match=reason):
        decode_command(bytes.fromhex(payload))


def test_zero_position_ignores_its_data():
    assert decode_command(bytes.fromhex('00 90 7A 65 72 6F')) == packets.ZeroPosition()


@pytest.mark.parametrize(
    'packet', [packets.SetVelocity((0, 32768)), packets.StartTimedRun(-1), packets.WhoAmIReply('€')]
)
def test_a_number_that_does_not_fit_is_refused(packet):
    with pytest.raises(PacketError):
        encode(packet)


def test_the_start_sequence_of_the_motors_on_the_wire():
    sequence = packets.start_sequence((1800, 200, 100, 0, 0, 1801, 201, 101, 1, 2))
    assert [encode(packet).hex(' ') for packet in sequence] == [
        '00 97 01 00',
        '00 81',
        '00 90',
        '00 82 08 07 c8 00 64 00 00 00 00 00 09 07 c9 00 65 00 01 00 02 00',
    ]


@pytest.mark.parametrize('count', [0, 5, 9, 11])
def test_gains_are_ten(count):
    with pytest.raises(PacketError, match=f'10 gains, not {count}'):
        packets.gains_packet([1] * count)
