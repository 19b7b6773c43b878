"""What `link-test` measures, against the mock in simulated time."""

import numpy as np
import pytest
from check_bench import Bench

from firmware_bridge.channel import SLICE
from firmware_bridge.link_check import GIVE_UP_AFTER
from firmware_bridge.link_measurements import JOG_RATE
from firmware_bridge.link_verdict import judge_jog, judge_watchdog
from firmware_bridge.packets import GetPosition, PidGains, SetTimeout, StartMotors, WhoAmI
from firmware_bridge.transports import TransportLost
from millirobot_adapt.sim.radio_faults import RadioFaults


def test_name_gains_and_round_trips_of_a_sound_robot():
    bench = Bench()
    assert 'mock' in bench.check.name()
    assert bench.check.gains_echoed()
    trips = bench.check.round_trips(20, lambda: None)
    assert [trip.round_trip for trip in trips] == pytest.approx([0.0165] * 20, abs=0.001)
    assert bench.microcontroller.first_motion is None


def test_lost_packets_are_round_trips_without_an_answer():
    trips = Bench(loss=0.3).check.round_trips(100, lambda: None)
    assert 30 < sum(trip.reply is None for trip in trips) < 70


def test_a_robot_that_is_off_has_no_name_and_few_round_trips():
    bench = Bench(loss=1.0)
    assert bench.check.name() is None
    assert not bench.check.gains_echoed()
    trips = bench.check.round_trips(200, lambda: None)
    assert [trip.reply for trip in trips] == [None] * GIVE_UP_AFTER


def test_a_lost_question_for_the_name_is_asked_again():
    bench = Bench()
    told = []
    receive = bench.microcontroller.receive
    bench.microcontroller.receive = lambda payload: (
        told.append(payload) or (None if len(told) == 1 else receive(payload))
    )
    assert 'mock' in bench.check.name()


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
    assert judge_jog(jog) == []
    assert jog.rate == pytest.approx(JOG_RATE, rel=0.3)
    assert abs(jog.other) < 0.3
    assert bench.stands
    assert bench.check.motors_off


def test_a_jog_without_gains_turns_nothing():
    bench = Bench()
    bench.deaf_to(PidGains)
    jog = bench.check.jog('left')
    assert judge_jog(jog) == ['nothing was turned: the robot does not echo its PID gains']
    assert bench.microcontroller.first_motion is None


def test_a_robot_that_honours_its_timeout_is_seen_to_stop_by_itself():
    bench = Bench()
    watchdog = bench.check.watchdog('left')
    assert judge_watchdog(watchdog)[0] is True
    assert watchdog.rate_before == pytest.approx(JOG_RATE, rel=0.3)
    assert abs(watchdog.step) < 0.02
    assert 0.3 < watchdog.travel < JOG_RATE * 0.95
    assert bench.stands


def test_a_robot_that_ignores_its_timeout_is_found_out_and_stopped():
    bench = Bench()
    bench.deaf_to(SetTimeout)
    watchdog = bench.check.watchdog('right')
    stopped, reason = judge_watchdog(watchdog)
    assert stopped is False
    assert 'still turned' in reason
    assert watchdog.travel > 2.5
    assert bench.stands


def test_a_timeout_is_not_certified_by_a_leg_that_never_turned():
    bench = Bench()
    bench.deaf_to(StartMotors)
    bench.deaf_to(SetTimeout)
    stopped, reason = judge_watchdog(bench.check.watchdog('left'))
    assert stopped is None
    assert 'turned at 0.00 rev/s before the silence' in reason


def test_nor_by_a_leg_that_stopped_before_the_silence():
    bench = Bench()
    bench.deaf_to(SetTimeout)
    bench.clock.at(1.9, lambda: bench.deaf_to(object))  # the firmware hangs while the leg turns ...
    bench.clock.at(1.9, bench.microcontroller.power_up)  # ... and its motors are off
    stopped, _ = judge_watchdog(bench.check.watchdog('left'))
    assert stopped is None


def test_nor_by_a_robot_that_restarted_in_the_silence():
    bench = Bench()
    bench.deaf_to(SetTimeout)
    bench.clock.at(2.6, bench.microcontroller.power_up)
    stopped, reason = judge_watchdog(bench.check.watchdog('left'))
    assert stopped is None
    assert 'restarted' in reason
    assert bench.check.motors_off


def test_a_robot_that_does_not_answer_0x84_is_not_said_to_turn():
    bench = Bench()
    bench.deaf_to(GetPosition)
    stopped, reason = judge_watchdog(bench.check.watchdog('left'))
    assert stopped is None
    assert '0x84' in reason
    assert 'None' not in reason


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
    jog = bench.check.jog('left')
    assert judge_jog(jog) == ["nothing was turned: the robot's radio does not acknowledge SetPidOutputChannel"]
    assert bench.check.motors_off, 'nothing has switched them on'


def test_a_stop_that_nobody_confirms_is_told():
    bench = Bench()
    bench.clock.at(1.9, lambda: setattr(bench.radio, 'faults', RadioFaults(loss=1.0)))
    bench.check.jog('left')
    assert not bench.check.motors_off


@pytest.mark.parametrize('when', [1.3, 1.8, 2.5, 3.5])
def test_ctrl_c_at_any_time_stops_the_motors(when):
    def interrupt():
        raise KeyboardInterrupt

    bench = Bench()
    bench.clock.at(when, interrupt)
    with pytest.raises(KeyboardInterrupt):
        bench.check.watchdog('left')
    assert bench.microcontroller.first_motion is not None
    assert bench.stands


def test_without_a_jog_nothing_turns_even_if_the_robot_does_not_know_a_packet():
    bench = Bench()
    bench.deaf_to(WhoAmI)
    assert bench.check.name() is None
    assert bench.check.gains_echoed()
    assert bench.microcontroller.first_motion is None
