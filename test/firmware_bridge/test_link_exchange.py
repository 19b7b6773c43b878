import math

import numpy as np
import pytest
from robot_peer import RobotPeer

from firmware_bridge import packets
from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import ManualClock
from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.link import Link
from firmware_bridge.transports.memory import MemoryTransport
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.robot.description import RobotConfig

REVOLUTION = 2 * math.pi
WALK = np.array([4.0, 5.0]) * REVOLUTION
STILL = np.zeros(2)


class Bench:
    """A link, a robot and what lies between them."""

    def __init__(self, **config):
        self.clock = ManualClock()
        self.robot = RobotPeer(self.clock)
        self.transport = None
        self.link = Link(self.opener, RobotConfig(), LinkConfig(**config), self.clock)

    def opener(self):
        self.transport = MemoryTransport(self.robot, self.clock)
        return self.transport

    def exchange(self, setpoint=WALK):
        self.clock.sleep(0.09)
        return self.link.exchange(setpoint)


@pytest.fixture
def bench():
    bench = Bench()
    bench.link.start()
    return bench


def test_start_up_sends_zero_then_the_documented_sequence():
    bench = Bench()
    bench.link.start()
    assert bench.link.state is LinkState.UP
    assert [type(packet) for packet in bench.robot.heard] == [
        packets.SetVelocity, packets.SetPidOutputChannel, packets.StartMotors, packets.ZeroPosition, packets.PidGains,
        packets.SetTimeout, *[packets.SetVelocity] * 5,
    ]  # fmt: skip
    assert {packet.velocity for packet in bench.robot.heard if isinstance(packet, packets.SetVelocity)} == {(0, 0)}
    assert packets.PidGains((1800, 200, 100, 0, 0), (1800, 200, 100, 0, 0)) in bench.robot.heard
    assert packets.SetTimeout(250) in bench.robot.heard


def only_zeros(robot):
    return {type(packet) for packet in robot.heard} == {packets.SetVelocity} and not any(
        any(packet.velocity) for packet in robot.heard
    )


@pytest.mark.parametrize('attempts', [1, 3])
def test_a_robot_whose_replies_are_lost_is_sent_nothing_but_zero(attempts):
    bench = Bench()
    bench.robot.change = lambda reply: None
    for _ in range(attempts):
        with pytest.raises(LinkLost, match='firmware does not answer'):
            bench.link.start()
    switched_off = [packet for packet in bench.robot.heard if isinstance(packet, packets.StopMotors)]
    assert len(switched_off) == attempts, 'the stop of each attempt'
    bench.robot.heard = [packet for packet in bench.robot.heard if packet not in switched_off]
    assert only_zeros(bench.robot)
    bench.robot.change = lambda reply: reply
    bench.link.start()
    assert bench.robot.motors


def test_a_reply_to_an_earlier_command_does_not_begin_the_start_up():
    bench = Bench()
    bench.robot.change = lambda reply: packets.TelemetryReply(**{**vars(reply), 'command': (262, 328)})
    with pytest.raises(LinkLost):
        bench.link.start()
    assert not bench.robot.motors


def test_a_robot_that_is_silent_at_first_is_started_up_as_soon_as_it_answers():
    bench = Bench()
    answers = iter(range(3))
    bench.robot.change = lambda reply: None if next(answers, None) is not None else reply
    bench.link.start()
    assert bench.link.state is LinkState.UP
    types = [type(packet) for packet in bench.robot.heard]
    assert types[: types.index(packets.SetPidOutputChannel)] == [packets.SetVelocity] * 4


def test_a_start_up_says_why_the_replies_that_come_do_not_count():
    bench = Bench()
    bench.robot.battery = 3200
    with pytest.raises(LinkLost, match=r'no reply to a setpoint counts; .*battery reading 3200 is no 10-bit number'):
        bench.link.start()


def test_a_lost_link_says_why_the_last_reply_did_not_count(bench):
    bench.robot.battery = 3200
    for _ in range(9):
        bench.exchange()
    with pytest.raises(LinkLost, match=r'10 setpoints in a row; .*battery reading 3200'):
        bench.exchange()


def test_a_second_master_loses_the_link(bench):
    bench.exchange()
    for _ in range(9):
        bench.robot.telemetry((0, 0))  # the answer to somebody else
        assert bench.exchange().telemetry is not None
    bench.robot.telemetry((0, 0))
    with pytest.raises(LinkLost, match='requests that are not ours'):
        bench.exchange()


def test_a_request_that_the_radio_repeats_now_and_then_is_no_second_master(bench):
    for number in range(60):
        if number % 3:
            bench.robot.telemetry((262, 328))
        bench.exchange()
    assert bench.link.counters.as_dict()['foreign'] == 40


@pytest.mark.parametrize('rate', [1e-3, 0.5, 2.0, 1e3])
def test_a_robot_whose_clock_runs_at_another_rate_is_refused_with_the_parameter_to_set(rate):
    bench = Bench()
    bench.robot.change = lambda reply: packets.TelemetryReply(
        **{**vars(reply), 'timestamp': round(reply.timestamp * rate) % 2**32}
    )
    with pytest.raises(LinkLost, match=r'clock ran .* set scales\.clock \(or index_before_timestamp\)'):
        bench.link.start()


def test_the_drift_of_the_robots_clock_is_nan_until_it_is_known(bench):
    bench.robot.change = lambda reply: packets.TelemetryReply(
        **{**vars(reply), 'timestamp': round(reply.timestamp * (1 - 50e-6)) % 2**32}
    )

    def drift():
        return bench.link.counters.as_dict()['clock_drift_ppm']

    for _ in range(80):
        bench.exchange()
        assert math.isnan(drift())
    for _ in range(100):
        bench.exchange()
    assert drift() == pytest.approx(50.0, abs=1.0)
    bench.link.close()
    bench.robot.restart()
    bench.link.start()
    assert math.isnan(drift()), 'after a restart it is another clock'


@pytest.mark.parametrize('rate', [0.8, 1.2])
def test_a_clock_that_stalled_for_a_moment_is_not_refused(rate):
    bench = Bench()
    bench.robot.change = lambda reply: packets.TelemetryReply(
        **{**vars(reply), 'timestamp': round(reply.timestamp * rate) % 2**32}
    )
    bench.link.start()


def test_start_up_holds_off_after_zeroing_the_encoders():
    short, long = Bench(zero_hold_off=0.2), Bench(zero_hold_off=1.0)
    short.link.start()
    long.link.start()
    assert long.clock.steady() - short.clock.steady() == pytest.approx(0.8)


def test_start_up_repeats_the_gains_until_they_are_echoed():
    bench = Bench(tries=8)
    bench.robot.gains_ignored = 7
    bench.link.start()
    assert sum(isinstance(packet, packets.PidGains) for packet in bench.robot.heard) == 8
    deaf = Bench(tries=8)
    deaf.robot.gains_ignored = 8
    with pytest.raises(LinkLost, match='gains'):
        deaf.link.start()
    assert deaf.link.state is LinkState.LOST


def test_start_up_fails_where_no_radio_acknowledges():
    bench = Bench()
    bench.robot.tx_status = 1
    with pytest.raises(LinkLost, match='does not acknowledge'):
        bench.link.start()


def test_exchange_returns_what_was_sent_and_what_came_back(bench):
    before = bench.clock.host()
    exchange = bench.exchange()
    assert bench.robot.velocity == (262, 328)  # 4 and 5 rev/s at 65.536 counts/ms
    assert exchange.sent == pytest.approx(np.array([262, 328]) / 65.536 * REVOLUTION)
    assert exchange.stamp == pytest.approx(before + 0.09)
    assert exchange.round_trip == pytest.approx(0.01)
    # The request is 15 bytes of 10 bits at 57600 baud, then 2 ms on the air: the robot samples when it has arrived.
    assert exchange.telemetry.stamp - exchange.stamp == pytest.approx(150 / 57600 + 0.002, abs=1e-6)
    assert exchange.telemetry.battery == pytest.approx(880 * 0.0045)
    assert bench.link.counters.as_dict()['rtt_p50_ms'] == pytest.approx(10.0)


def test_the_sampling_time_is_never_after_the_arrival(bench):
    bench.robot.delay = 0.001
    exchange = bench.exchange()
    assert exchange.telemetry.stamp == pytest.approx(exchange.stamp + 0.001, abs=1e-6)


def test_a_reply_that_is_late_is_lost_and_does_not_answer_the_next_setpoint(bench):
    bench.robot.delay = 0.07
    assert bench.exchange().telemetry is None
    bench.robot.delay = 0.01
    exchange = bench.exchange()
    assert exchange.telemetry is not None
    assert exchange.round_trip == pytest.approx(0.01)
    counters = bench.link.counters
    assert (counters.lost, counters.rejected) == (1, 1)


@pytest.mark.parametrize(
    'change',
    [
        lambda reply: packets.TelemetryReply(**{**vars(reply), 'command': (262, 329)}),
        lambda reply: packets.TelemetryReply(**{**vars(reply), 'index': reply.index - 1}),
        lambda reply: packets.TelemetryReply(**{**vars(reply), 'position': (10_000_000, 0)}),
        lambda reply: packets.PositionReply((0, 0)),
    ],
    ids=['other command', 'stale index', 'encoder leaps', 'other type'],
)
def test_a_reply_that_does_not_fit_is_rejected(bench, change):
    bench.exchange()
    bench.robot.change = change
    assert bench.exchange().telemetry is None
    bench.robot.change = lambda reply: reply
    assert bench.exchange().telemetry is not None
    assert bench.link.counters.rejected == 1


def test_a_reply_of_another_robot_is_not_ours(bench):
    bench.robot.source = 2
    assert bench.exchange().telemetry is None


def test_a_firmware_that_echoes_the_previous_command_is_a_parameter():
    bench = Bench(echoes_previous=True)
    bench.link.start()
    told = [(0, 0)]

    def late_echo(reply):
        told.append(reply.command)
        return packets.TelemetryReply(**{**vars(reply), 'command': told[-2]})

    bench.robot.change = late_echo
    assert bench.exchange().telemetry is not None
    assert bench.exchange(WALK * 1.1).telemetry is not None
    assert bench.link.stop()


def test_many_missing_replies_in_a_row_lose_the_link(bench):
    bench.robot.silent = True
    for _ in range(9):
        assert bench.exchange().telemetry is None
    with pytest.raises(LinkLost, match='10 setpoints'):
        bench.exchange()
    assert bench.link.state is LinkState.LOST


def test_a_robot_that_starts_anew_loses_the_link_and_can_be_started_up_again(bench):
    for _ in range(5):
        bench.exchange()
    bench.robot.restart()
    for _ in range(2):
        assert bench.exchange().telemetry is None
    with pytest.raises(LinkLost, match='restarted'):
        bench.exchange()
    bench.link.start()
    assert bench.exchange().telemetry is not None
    assert bench.robot.motors


def test_a_transport_that_vanishes_loses_the_link_and_can_be_opened_again(bench):
    bench.robot.step = (100_000, 120_000)  # 1.5 revolutions in 0.1 s
    for _ in range(20):
        angle = bench.exchange().telemetry.joint_angle
    bench.transport.lost = True
    with pytest.raises(LinkLost):
        bench.exchange()
    bench.link.start()
    again = bench.exchange().telemetry
    assert again is not None  # the zeroed encoders do not pass for an encoder step
    assert again.joint_angle == pytest.approx(angle)
    assert again.joint_velocity == pytest.approx(0)


def test_stop_repeats_zero_until_it_is_echoed_then_switches_off(bench):
    bench.exchange()
    bench.robot.heard.clear()
    lost = iter([True, True, False])
    answer = bench.robot.receive
    bench.robot.receive = lambda data: [] if next(lost, False) else answer(data)
    assert bench.link.stop()
    assert bench.robot.heard == [packets.SetVelocity((0, 0)), packets.StopMotors()]
    assert not bench.link.motors_on
    assert not bench.robot.turning
    bench.link.start_motors()
    assert bench.robot.motors
    assert bench.link.motors_on


def test_a_zero_echoed_by_a_reply_of_long_ago_is_no_proof_of_a_stop(bench):
    old = bench.robot.telemetry((0, 0))
    bench.exchange()
    bench.robot.change = lambda reply: old
    assert not bench.link.stop()
    assert bench.link.motors_on


def test_a_stop_that_cannot_be_confirmed_says_so_and_never_raises(bench):
    bench.exchange()
    bench.robot.silent = True
    assert not bench.link.stop()
    assert bench.link.state is LinkState.LOST
    assert bench.link.motors_on
    assert not bench.link.stop()
    gone = Bench()
    gone.link.start()
    gone.transport.lost = True
    assert not gone.link.stop()


def test_a_leg_velocity_is_the_encoder_step_over_the_robots_clock(bench):
    bench.exchange()
    sample = bench.exchange().telemetry
    # 1000 counts in the 0.1 s from one request to the next (0.09 s of waiting and the 0.01 s of the round trip).
    assert sample.joint_velocity == pytest.approx(1000 / 65536 * REVOLUTION / 0.1, rel=1e-4)
