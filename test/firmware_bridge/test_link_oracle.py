"""Frames against digi-xbee's own packet classes, and the fuzz corpus against what its script found with them."""

import itertools
import json
import random
import runpy
from pathlib import Path

import pytest
from digi.xbee.models.address import XBee16BitAddress
from digi.xbee.models.mode import OperatingMode
from digi.xbee.models.status import TransmitStatus
from digi.xbee.packets.factory import build_frame
from digi.xbee.packets.raw import RX16Packet, TX16Packet, TXStatusPacket
from hypothesis import given
from hypothesis import strategies as st
from robots import imageproc

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import ManualClock
from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.link import Link
from firmware_bridge.packet_codec import decode_command, decode_reply, encode
from firmware_bridge.packets import PacketError
from firmware_bridge.transports.memory import MemoryTransport
from firmware_bridge.xbee import MAX_PAYLOAD, RxPacket, StreamParser, TxRequest, TxStatus, encode_frame
from millirobot_adapt.core.robot.drivers import RadioConfig

CORPUS = Path(__file__).parents[1] / 'data' / 'fuzz'
STREAMS = json.loads((CORPUS / 'streams.json').read_text())
PAYLOADS = json.loads((CORPUS / 'payloads.json').read_text())
MODES = {False: OperatingMode.API_MODE, True: OperatingMode.ESCAPED_API_MODE}
STATUSES = sorted(status.code for status in TransmitStatus if status is not TransmitStatus.UNKNOWN)
BYTE, WORD = st.integers(0, 255), st.integers(0, 65535)
PAYLOAD = st.binary(min_size=1, max_size=MAX_PAYLOAD)


def digis(frame, mode):
    """The same frame made of digi-xbee's classes."""
    if isinstance(frame, TxStatus):
        return TXStatusPacket(frame.frame_id, TransmitStatus.get(frame.status), mode)
    payload = bytearray(frame.payload)
    if isinstance(frame, TxRequest):
        address = XBee16BitAddress(bytearray(frame.address.to_bytes(2, 'big')))
        return TX16Packet(frame.frame_id, address, frame.options, payload, mode)
    address = XBee16BitAddress(bytearray(frame.source.to_bytes(2, 'big')))
    return RX16Packet(address, frame.rssi, frame.options, payload, mode)


@given(
    st.one_of(
        st.builds(TxRequest, BYTE, WORD, BYTE, PAYLOAD),
        st.builds(RxPacket, WORD, BYTE, BYTE, PAYLOAD),
        st.builds(TxStatus, BYTE, st.sampled_from(STATUSES)),
    ),
    st.booleans(),
)
def test_our_frames_are_those_of_digi_xbee_both_ways(frame, escaped):
    packet = digis(frame, MODES[escaped])
    raw = bytes(packet.output(escaped=escaped))
    assert encode_frame(frame, escaped) == raw
    assert StreamParser(escaped).feed(raw) == [frame]
    # Theirs reads ours: the factory takes plain bytes and raises where length or checksum is wrong.
    assert build_frame(bytearray(encode_frame(frame)), MODES[escaped]).output() == encode_frame(frame)


def test_the_corpus_is_what_its_script_makes(tmp_path):
    runpy.run_path(str(CORPUS / 'make_fuzz.py'))['make'](tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob('*') if path.is_file()}
    kept = {
        path.relative_to(CORPUS): path.read_bytes() for path in CORPUS.rglob('*') if path.suffix in ('.json', '.bin')
    }
    assert made == kept


def frame_data(frame):
    return encode_frame(frame)[3:-1].hex()


@pytest.mark.parametrize('name', STREAMS)
def test_a_damaged_stream_yields_its_good_frames_in_any_pieces(name):
    data, escaped = (CORPUS / 'streams' / name).read_bytes(), name.endswith('_escaped.bin')
    rng = random.Random(name)
    for size in (len(data), 1, 7, 64):
        cuts = [*range(0, len(data), size), len(data)]
        if size == 64:
            cuts = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(20))})
        parser = StreamParser(escaped)
        found = [frame for begin, end in itertools.pairwise(cuts) for frame in parser.feed(data[begin:end])]
        found += parser.resync()
        assert [frame_data(frame) for frame in found] == STREAMS[name]
        assert parser.pending == 0


@pytest.mark.parametrize('row', PAYLOADS, ids=lambda row: row['payload'][:12] or 'empty')
def test_a_payload_decodes_to_its_type_or_is_refused(row):
    payload = bytes.fromhex(row['payload'])
    for decode, expected in ((decode_command, row['command']), (decode_reply, row['reply'])):
        if expected is None:
            with pytest.raises(PacketError):
                decode(payload)
            continue
        packet = decode(payload)
        assert encode(packet)[1] == expected
        if expected != 0x90:  # the data of ZERO_POS mean nothing and are not kept
            assert encode(packet) == payload


class Babbler:
    """A radio that answers every write with the next piece of a damaged stream."""

    def __init__(self, data):
        self.data = data
        self.place = 0

    def receive(self, data):
        self.place += 50
        return [(0.01, self.data[self.place - 50 : self.place] or self.data[:50])]


@pytest.mark.parametrize('name', STREAMS)
def test_a_link_that_hears_garbage_is_lost_and_nothing_worse(name):
    robot = imageproc(radio=RadioConfig(escaped=name.endswith('_escaped.bin')))
    clock = ManualClock()
    babbler = Babbler((CORPUS / 'streams' / name).read_bytes())
    link = Link(lambda: MemoryTransport(babbler, clock), robot, LinkConfig(tries=3), clock)
    with pytest.raises(LinkLost):
        link.start()
    assert link.motors_on, 'nobody has confirmed anything'
