import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from firmware_bridge import xbee
from firmware_bridge.xbee import MAX_PAYLOAD, RxPacket, StreamParser, TxRequest, TxStatus, encode_frame

GOLDEN = yaml.safe_load((Path(__file__).parent / 'golden.yaml').read_text())['frames']
BYTE = st.integers(0, 255)
WORD = st.integers(0, 65535)
PAYLOAD = st.binary(max_size=MAX_PAYLOAD)
FRAME = st.one_of(
    st.builds(TxRequest, BYTE, WORD, BYTE, PAYLOAD), st.builds(RxPacket, WORD, BYTE, BYTE, PAYLOAD),
    st.builds(TxStatus, BYTE, BYTE),
)  # fmt: skip
LONGEST = 2 * (MAX_PAYLOAD + 9)
"""Raw bytes of the longest frame, every byte escaped."""


def pieces(data, cuts):
    """Cut data at the given places."""
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@pytest.mark.parametrize('case', GOLDEN, ids=lambda case: case['bytes'])
def test_golden_bytes(case):
    *numbers, last = case['fields']
    frame = getattr(xbee, case['frame'])(*numbers, bytes.fromhex(last) if isinstance(last, str) else last)
    escaped = case.get('escaped', False)
    assert encode_frame(frame, escaped) == bytes.fromhex(case['bytes'])
    assert StreamParser(escaped).feed(bytes.fromhex(case['bytes'])) == [frame]


@given(st.lists(FRAME, max_size=5), st.booleans(), st.lists(st.integers(0, 500), max_size=20))
def test_frames_survive_the_wire_in_any_pieces(frames, escaped, cuts):
    parser = StreamParser(escaped)
    stream = b''.join(encode_frame(frame, escaped) for frame in frames)
    found = [frame for piece in pieces(stream, cuts) for frame in parser.feed(piece)]
    assert found == frames
    assert (parser.bad_frames, parser.pending) == (0, 0)


@given(st.binary(max_size=600), st.booleans(), st.lists(st.integers(0, 600), max_size=20))
@example(b'\x7e' * 600, False, [])
@example(b'\x7e\x00\x64' * 200, True, [])
def test_garbage_never_raises_nor_yields_a_frame_that_was_not_there(garbage, escaped, cuts):
    parser = StreamParser(escaped)
    for piece in pieces(garbage, cuts):
        for frame in parser.feed(piece):
            # A frame that comes out stands in the stream with its checksum: encoded again it is found there.
            assert escaped or encode_frame(frame) in garbage
        assert parser.pending <= LONGEST


@given(st.lists(st.binary(max_size=150) | FRAME.map(encode_frame) | st.just('resync'), max_size=30))
def test_every_byte_is_part_of_a_frame_or_skipped_or_held_back_whatever_comes(steps):
    parser, frames, fed = StreamParser(), [], 0
    for step in steps:
        if step == 'resync':
            frames += parser.resync()
            assert parser.pending == 0
        else:
            frames += parser.feed(step)
            fed += len(step)
        assert parser.pending <= MAX_PAYLOAD + 9
    unknown = fed - parser.skipped - parser.pending - sum(len(encode_frame(frame)) for frame in frames)
    assert unknown >= 5 * sum(parser.other_kinds.values())
    assert unknown == 0 or parser.other_kinds


@given(st.binary(max_size=300), FRAME, st.booleans())
def test_the_next_good_frames_after_garbage_are_found(garbage, frame, escaped):
    parser = StreamParser(escaped)
    good = encode_frame(frame, escaped)
    # A damaged header may claim as much as one whole frame of what follows.
    copies = LONGEST // len(good) + 3
    found = parser.feed(garbage + good * copies) + parser.resync()
    assert found.count(frame) >= 2


@given(FRAME, st.data())
def test_a_damaged_byte_never_yields_another_frame_of_the_same_length(frame, data):
    stream = bytearray(encode_frame(frame))
    place = data.draw(st.integers(3, len(stream) - 1))
    stream[place] ^= data.draw(st.integers(1, 255))
    assert all(len(encode_frame(found)) < len(stream) for found in StreamParser().feed(bytes(stream)))


def test_a_good_frame_swallowed_by_a_damaged_header_is_found():
    good = encode_frame(TxStatus(5, 0))
    parser = StreamParser()
    assert parser.feed(b'\x7e\x00\x05\x89' + good) == [TxStatus(5, 0)]
    assert parser.bad_frames == 1


def test_a_frame_behind_an_unfinished_one_is_found_when_the_line_falls_silent():
    parser = StreamParser()
    assert parser.feed(b'\x7e\x00\x30\x81' + encode_frame(TxStatus(5, 0))) == []
    assert parser.resync() == [TxStatus(5, 0)]
    assert parser.resync() == []


def test_a_frame_of_another_type_is_counted_and_left_out():
    modem_status = bytes.fromhex('7E 00 02 8A 06 6F')
    parser = StreamParser()
    assert parser.feed(modem_status) == []
    assert (parser.other_kinds, parser.bad_frames) == ({0x8A: 1}, 0)


@pytest.mark.parametrize(
    'frame', [TxRequest(0, 1, 0, bytes(MAX_PAYLOAD + 1)), TxStatus(256, 0), TxRequest(0, 65536, 0, b'')]
)
def test_what_does_not_fit_a_frame_is_refused(frame):
    with pytest.raises(ValueError, match=r'fit|format|range|<='):
        encode_frame(frame)
