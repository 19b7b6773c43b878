"""Every fault of the radio is seen to happen, to the share asked for, and equally for equal seeds."""

import itertools

import numpy as np
import pytest

from firmware_bridge.xbee import RxPacket, StreamParser, TxRequest, TxStatus, encode_frame
from millirobot_adapt.core.robot.drivers import RadioConfig
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import LATEST_STALE, RadioFaults

PACKETS = 1000
PERIOD = 0.01


class Bench:
    """Send numbered packets both ways through a radio with faults and hear what arrives."""

    def __init__(self, seed=0, wire_time=False, **faults):
        self.radio = Radio(RadioConfig(), RadioFaults(**faults), wire_time, np.random.default_rng(seed))
        self.to_robot = []
        self.to_host = b''
        self.heard = []

    def run(self, packets=PACKETS, frame_id=0):
        for number in range(packets):
            self.listen(number * PERIOD)
            payload = number.to_bytes(4, 'big') + bytes(20)
            self.radio.write(encode_frame(TxRequest(frame_id, 1, 0, payload)), number * PERIOD)
            self.radio.answer(payload, number * PERIOD)
        self.listen(packets * PERIOD + 10.0)
        return self

    def listen(self, until):
        while (due := self.radio.next_due()) is not None and due <= until:
            while (packet := self.radio.arrived(due)) is not None:
                arrival, payload = packet
                self.to_robot.append((arrival, int.from_bytes(payload[:4], 'big')))
            data = self.radio.read(due)
            self.to_host += data
            if data:
                self.heard.append((due, data))

    @property
    def numbers(self):
        """Numbers of the packets that arrived, at the robot and at the host."""
        frames = StreamParser().feed(self.to_host)
        replies = [int.from_bytes(frame.payload[:4], 'big') for frame in frames if isinstance(frame, RxPacket)]
        return [number for _, number in self.to_robot], replies

    @property
    def delays(self):
        """How long each packet to the robot took."""
        return [arrival - number * PERIOD for arrival, number in self.to_robot]


def test_without_faults_everything_arrives_once_in_order():
    bench = Bench().run()
    assert bench.numbers == (list(range(PACKETS)), list(range(PACKETS)))
    assert +bench.radio.happened == {}


def test_loss_swallows_its_share_each_way_and_the_status_says_so():
    bench = Bench(loss=0.3).run(frame_id=7)
    for numbers in bench.numbers:
        assert 640 < len(numbers) < 760
    statuses = [frame for frame in StreamParser().feed(bench.to_host) if isinstance(frame, TxStatus)]
    assert sum(frame.status == 0 for frame in statuses) == len(bench.to_robot)
    assert len(statuses) == PACKETS
    assert bench.radio.happened['loss'] == 2 * PACKETS - sum(map(len, bench.numbers))


def test_replies_can_be_lost_while_requests_arrive():
    bench = Bench(reply_loss=0.3).run()
    to_robot, to_host = bench.numbers
    assert to_robot == list(range(PACKETS))
    assert 640 < len(to_host) < 760
    assert bench.radio.happened['reply_loss'] == PACKETS - len(to_host)


def test_delay_holds_every_packet_up():
    bench = Bench(delay=0.05).run()
    assert bench.delays == pytest.approx([0.05] * PACKETS)
    assert bench.heard[0][0] == pytest.approx(0.05)


def test_jitter_spreads_the_arrivals_and_lets_packets_overtake_each_other():
    bench = Bench(jitter=0.1).run()
    assert -1e-9 < min(bench.delays) < 0.01
    assert 0.09 < max(bench.delays) <= 0.1 + 1e-9
    for numbers in bench.numbers:
        assert sorted(numbers) == list(range(PACKETS)) != numbers


def test_duplication_brings_packets_twice():
    for numbers in Bench(duplication=0.2).run().numbers:
        assert 150 < len(numbers) - PACKETS < 250
        assert sorted(set(numbers)) == list(range(PACKETS))


def test_reordering_lets_the_next_packet_go_first():
    for numbers in Bench(reordering=0.2).run().numbers:
        assert len(numbers) >= PACKETS - 1  # one may still be held back at the end
        overtaken = sum(b == a - 1 for a, b in itertools.pairwise(numbers))
        assert 120 < overtaken < 220


def test_a_stale_reply_comes_again_much_later_and_commands_do_not():
    bench = Bench(stale=0.2).run()
    to_robot, to_host = bench.numbers
    assert to_robot == list(range(PACKETS))
    assert 150 < len(to_host) - PACKETS < 250
    first, last = {}, {}
    for time, data in bench.heard:
        for frame in StreamParser().feed(data):
            number = int.from_bytes(frame.payload[:4], 'big')
            first.setdefault(number, time)
            last[number] = time
    late = [last[number] - first[number] for number in first if last[number] > first[number]]
    assert min(late) >= LATEST_STALE * 0.05
    assert LATEST_STALE * 0.8 < max(late) <= LATEST_STALE


def test_corruption_changes_its_share_of_the_bytes():
    bench = Bench(corruption=1e-3).run(10 * PACKETS)
    assert bench.radio.happened['corruption'] == pytest.approx(1e-3 * bench.radio.bytes_carried, rel=0.2)
    parser = StreamParser()
    parser.feed(bench.to_host)
    assert parser.bad_frames > 100
    assert len(bench.to_robot) < 10 * PACKETS


def test_truncation_cuts_frames_short():
    bench = Bench(truncation=0.1).run()
    assert 150 < bench.radio.happened['truncation'] < 250
    whole = Bench().run()
    assert len(bench.to_host) < 0.98 * len(whole.to_host)
    assert 800 < len(bench.to_robot) < 920


def test_equal_seeds_give_equal_faults():
    faults = {'loss': 0.1, 'jitter': 0.05, 'duplication': 0.1, 'stale': 0.1, 'corruption': 1e-3, 'truncation': 0.01}
    first, again, other = (Bench(seed, **faults).run(200) for seed in (1, 1, 2))
    assert first.to_host == again.to_host
    assert first.to_robot == again.to_robot
    assert first.to_host != other.to_host


def test_faults_can_be_switched_on_and_off():
    bench = Bench()
    bench.radio.faults = RadioFaults(loss=1.0)
    bench.radio.answer(b'\x00\x20', 0.0)
    bench.radio.faults = RadioFaults()
    bench.radio.answer(b'\x00\x8e', 0.0)
    (frame,) = StreamParser().feed(bench.radio.read(0.0))
    assert frame.payload == b'\x00\x8e'
