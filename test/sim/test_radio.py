import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.xbee import RxPacket, StreamParser, TxRequest, TxStatus, encode_frame
from millirobot_adapt.core.robot.drivers import RadioConfig
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults

CONFIG = RadioConfig()
COMMAND = b'\x00\x96\x01\x02\x03\x04'
REPLY = bytes(48)


def made(wire_time: bool = True, config: RadioConfig = CONFIG) -> Radio:
    return Radio(config, RadioFaults(), wire_time, np.random.default_rng(0))


def request(frame_id: int = 7, address: int = 1, payload: bytes = COMMAND) -> bytes:
    return encode_frame(TxRequest(frame_id, address, 0, payload))


def heard(radio: Radio, now: float) -> list:
    return StreamParser().feed(radio.read(now))


def test_a_request_reaches_the_robot_and_is_acknowledged():
    radio = made(wire_time=False)
    radio.write(request(), 1.0)
    assert radio.arrived(1.0) == (1.0, COMMAND)
    assert radio.arrived(1.0) is None
    assert heard(radio, 1.0) == [TxStatus(7, 0)]


def test_without_a_frame_id_there_is_no_status():
    radio = made(wire_time=False)
    radio.write(request(frame_id=0), 0.0)
    assert radio.arrived(0.0) is not None
    assert heard(radio, 0.0) == []


def test_another_address_gets_nothing_and_the_status_says_so():
    radio = made(wire_time=False)
    radio.write(request(address=2), 0.0)
    assert radio.arrived(1.0) is None
    assert heard(radio, 1.0) == [TxStatus(7, 1)]


def test_an_exchange_takes_the_time_of_its_bytes_and_of_the_air():
    radio = made()
    up, down = request(frame_id=0), encode_frame(RxPacket(1, 40, 0, REPLY))
    radio.write(up, 0.0)
    arrival = len(up) * 10 / 57600 + CONFIG.air_time
    assert radio.arrived(arrival - 1e-6) is None
    assert radio.next_due() == pytest.approx(arrival)
    assert radio.arrived(arrival + 1e-9) is not None
    radio.answer(REPLY, arrival)
    end = arrival + CONFIG.air_time + len(down) * 10 / 57600
    assert radio.read(end - 1e-6) == b''
    assert radio.next_due() == pytest.approx(end)
    assert radio.read(end + 1e-9) == down
    assert radio.next_due() is None
    assert end - 2 * CONFIG.air_time == pytest.approx(0.0125, abs=0.001)


def test_frames_queue_on_the_line():
    radio = made()
    radio.answer(REPLY, 0.0)
    radio.answer(REPLY, 0.0)
    length = len(encode_frame(RxPacket(1, 40, 0, REPLY))) * 10 / 57600
    assert len(heard(radio, CONFIG.air_time + 1.5 * length)) == 1
    assert len(heard(radio, CONFIG.air_time + 2.01 * length)) == 1


def test_escaped_mode_is_spoken_both_ways():
    radio = made(wire_time=False, config=RadioConfig(escaped=True))
    radio.write(encode_frame(TxRequest(1, 1, 0, b'\x00\x96\x7e\x7d\x11\x13'), escaped=True), 0.0)
    assert radio.arrived(0.0)[1] == b'\x00\x96\x7e\x7d\x11\x13'
    radio.answer(b'\x7e' * 10, 0.0)
    frames = StreamParser(escaped=True).feed(radio.read(0.0))
    assert frames[-1].payload == b'\x7e' * 10


@given(garbage=st.binary(max_size=60), cuts=st.integers(1, 10))
def test_a_request_behind_garbage_in_pieces_is_never_lost(garbage, cuts):
    radio = made(wire_time=False)
    # Two requests: the garbage may announce a frame that swallows bytes of the first, and waits for more.
    data = garbage + request() * 12
    for start in range(0, len(data), cuts):
        radio.write(data[start : start + cuts], 0.0)
    assert radio.arrived(0.0)[1] == COMMAND
