import numpy as np
import pytest

from firmware_bridge import packet_codec, packets
from firmware_bridge.xbee import RxPacket, StreamParser, TxRequest, encode_frame
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.realtime import LONGEST_WAIT, RealtimeRobot
from millirobot_adapt.sim.world import World

ROBOT = load_robot('velociroach')
EPOCH = 1_700_000_000.0


class Bench:
    """A mock on a fake clock: waiting for the port is what lets time pass."""

    def __init__(self) -> None:
        self.time = 500.0
        self.input = b''
        self.output: list[tuple[float, bytes]] = []
        self.waits: list[float] = []
        self.world = World(ROBOT, Condition(), seed=0)
        radio = Radio(ROBOT.imageproc.radio, RadioFaults(), True, np.random.default_rng(0))
        self.mock = RealtimeRobot(
            self.world, radio, self, clock=lambda: self.time, host_clock=lambda: EPOCH + self.time
        )

    def read(self, timeout: float) -> bytes:
        self.waits.append(timeout)
        if self.input:
            data, self.input = self.input, b''
            return data
        self.time += max(timeout, 1e-4)
        return b''

    def write(self, data: bytes) -> None:
        self.output.append((self.time, data))

    def run(self, seconds: float) -> list:
        poses = []
        end = self.time + seconds
        while self.time < end:
            poses += self.mock.turn()
        return poses

    def send(self, packet) -> None:
        self.input += encode_frame(TxRequest(0, 1, 0, packet_codec.encode(packet)))


def test_a_packet_is_answered_after_the_time_of_wire_and_air():
    bench = Bench()
    bench.send(packets.WhoAmI())
    start = bench.time
    bench.run(0.1)
    ((time, data),) = bench.output
    (frame,) = StreamParser().feed(data)
    assert isinstance(frame, RxPacket)
    assert isinstance(packet_codec.decode_reply(frame.payload), packets.WhoAmIReply)
    assert 0.008 < time - start < 0.02


def test_the_world_keeps_up_with_the_clock_and_poses_carry_host_time():
    bench = Bench()
    start = bench.time
    poses = bench.run(1.0)
    assert bench.world.time == pytest.approx(bench.time - start, abs=0.002)
    assert 95 <= len(poses) <= 101
    assert poses[0].stamp == pytest.approx(EPOCH + start)
    assert max(bench.waits) <= LONGEST_WAIT
    assert bench.mock.time.lost_time == 0.0


def test_after_a_long_pause_time_is_let_go_and_stamps_stay_right():
    bench = Bench()
    bench.run(0.2)
    before = bench.world.time
    bench.time += 2.0
    bench.mock.turn()
    assert bench.world.time == pytest.approx(before, abs=0.01)
    assert bench.mock.time.lost_time == pytest.approx(2.0, abs=0.01)
    poses = bench.run(0.2)
    assert poses[-1].stamp == pytest.approx(EPOCH + bench.time, abs=0.02)


def test_a_short_pause_is_caught_up_with():
    bench = Bench()
    bench.run(0.2)
    bench.time += 0.3
    bench.mock.turn()
    assert bench.mock.time.lost_time == 0.0
    assert bench.world.time == pytest.approx(bench.time - 500.0, abs=0.002)


def test_the_motors_follow_what_comes_over_the_port():
    bench = Bench()
    for packet in (
        packets.PidGains(ROBOT.imageproc.pid_gains[:5], ROBOT.imageproc.pid_gains[5:]),
        packets.StartMotors(),
    ):
        bench.send(packet)
    bench.send(packets.SetVelocity((400, 400)))
    bench.run(0.4)
    assert min(bench.world.hexapod.leg_velocity()) > 20.0
