"""The checks of `link-test` against the mock, in simulated time."""

import numpy as np
import pytest
from noting_guardian import NotingGuardian

from firmware_bridge.channel import SLICE, Channel
from firmware_bridge.console import Console
from firmware_bridge.link_check import JOG_RATE, LinkCheck
from firmware_bridge.packets import SetTimeout, decode_command
from firmware_bridge.transports import TransportLost
from millirobot_adapt.benchmarks.link.simulated_link import RadioTransport, SimulatedClock
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.wireless_robot import WirelessRobot
from millirobot_adapt.sim.world import World


class Bench:
    """A robot on a stand, and the console."""

    def __init__(self, **faults):
        robot = RobotConfig()
        self.clock = SimulatedClock()
        self.world = World(robot, Condition(), 0)
        self.radio = Radio(robot.radio, RadioFaults(**faults), True, np.random.default_rng(0))
        peer = WirelessRobot(self.world, self.radio)
        self.guardian = NotingGuardian()
        self.guardian.beat = lambda motors_on: self.beats.append((self.clock.steady(), motors_on))
        self.beats = []
        transport = RadioTransport(peer, self.clock)
        transport.fileno = lambda: 99
        channel = Channel(lambda: transport, robot, self.clock, lambda descriptor, words: self.guardian)
        channel.open()
        self.check = LinkCheck(Console(channel, self.clock), robot, self.clock)

    @property
    def stands(self):
        return self.world.microcontroller.command == (0, 0)

    def deaf_to(self, kind):
        """Let the firmware ignore a packet."""
        microcontroller = self.world.microcontroller
        receive = microcontroller.receive
        microcontroller.receive = lambda payload: (
            None if isinstance(decode_command(payload), kind) else receive(payload)
        )


def test_name_gains_and_round_trips_of_a_sound_robot():
    bench = Bench()
    assert 'mock' in bench.check.name()
    assert bench.check.gains_echoed()
    trips = bench.check.round_trips(20, lambda: None)
    assert trips == pytest.approx([0.0165] * 20, abs=0.001)
    assert bench.world.microcontroller.first_motion is None


def test_lost_packets_are_round_trips_without_an_answer():
    trips = Bench(loss=0.3).check.round_trips(100, lambda: None)
    assert 30 < trips.count(None) < 70


def test_a_robot_that_is_off_has_no_name_and_no_round_trips():
    bench = Bench(loss=1.0)
    assert bench.check.name() is None
    assert not bench.check.gains_echoed()
    assert bench.check.round_trips(3, lambda: None) == [None] * 3


def test_the_live_view_shows_legs_and_gyro():
    bench = Bench()
    seen = []
    assert bench.check.watch(0.5, seen.append) == len(seen) >= 4
    assert np.abs(seen[-1].legs).max() < 0.05
    assert 800 < seen[-1].battery < 900


@pytest.mark.parametrize('side', ['left', 'right'])
def test_a_jog_turns_one_side_and_leaves_the_motors_off(side):
    bench = Bench()
    jog = bench.check.jog(side)
    assert jog.passed
    assert jog.rate == pytest.approx(JOG_RATE, rel=0.3)
    assert abs(jog.other) < 0.3
    assert bench.stands


def test_a_jog_without_gains_does_not_pass():
    bench = Bench()
    bench.check.gains_echoed = lambda: False
    assert not bench.check.jog('left').passed


def test_a_robot_that_honours_its_timeout_is_seen_to_stop_by_itself():
    bench = Bench()
    watchdog = bench.check.watchdog('left')
    assert watchdog.passed
    assert watchdog.standing
    assert 0.3 < watchdog.travel < JOG_RATE * 0.95
    assert bench.stands


def test_a_robot_that_ignores_its_timeout_is_found_out_and_stopped():
    bench = Bench()
    bench.deaf_to(SetTimeout)
    watchdog = bench.check.watchdog('right')
    assert not watchdog.passed
    assert not watchdog.standing
    assert watchdog.travel > 2.5
    assert bench.stands


def test_a_leg_that_the_guardian_stopped_proves_nothing():
    bench = Bench()
    bench.guardian.said = 'the serial guardian has stopped the motors: the link was silent'
    with pytest.raises(TransportLost, match='guardian'):
        bench.check.watchdog('left')
    assert bench.stands


def test_the_guardian_watches_over_a_jog_and_the_silence_that_is_meant():
    bench = Bench()
    bench.check.watchdog('left')
    assert np.diff([time for time, _ in bench.beats]).max() <= SLICE + 1e-9
    assert bench.check.motors_off
    bench.radio.faults = RadioFaults(loss=1.0)
    bench.check.jog('left')
    assert not bench.check.motors_off, 'nobody has confirmed it'


@pytest.mark.parametrize('when', [0.3, 0.8, 1.5, 2.5])
def test_ctrl_c_at_any_time_stops_the_motors(when):
    def interrupt():
        raise KeyboardInterrupt

    bench = Bench()
    bench.clock.at(when, interrupt)
    with pytest.raises(KeyboardInterrupt):
        bench.check.watchdog('left')
    assert bench.world.microcontroller.first_motion is not None
    assert bench.stands
