"""What `link-test` makes of six servos on a bus, in simulated time."""

import dataclasses

import numpy as np
import pytest
from servo_bench import START, RigTransport

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import ManualClock
from firmware_bridge.dynamixel.registers import BUS_WATCHDOG, GOAL_VELOCITY, TORQUE_ENABLE
from firmware_bridge.dynamixel.servo_check import ServoCheck
from firmware_bridge.dynamixel.servo_setup import last_words
from firmware_bridge.dynamixel.servo_verdict import judge_bus, judge_servo_jog, judge_servo_watchdog, judge_servos
from firmware_bridge.guarded_port import GuardedPort
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.sim.servo_rig import FreeShafts, ServoRig


class Bench:
    """A check over a simulated line; reading moves the clock, and so does waiting."""

    def __init__(self, **config):
        self.config = DynamixelConfig(**config)
        self.clock = ManualClock()
        self.shafts = FreeShafts(START)
        self.rig = ServoRig(self.config, self.shafts, generator(0))
        port = GuardedPort(lambda: RigTransport(self.rig, self.clock), last_words(self.config), None)
        port.open()
        self.check = ServoCheck(port, self.config, LinkConfig(), self.clock)

    def register(self, number, register):
        return register.decode(self.rig.servos[number].read(register.address, register.size))

    def problems(self):
        return judge_servos(self.check.servos(), self.config, low=4.5)


def test_six_sound_servos_say_who_they_are():
    bench = Bench()
    found = bench.check.servos()
    assert [servo.servo for servo in found] == [1, 2, 3, 4, 5, 6]
    assert {servo.model for servo in found} == {1190}
    assert found[0].voltage == pytest.approx(5.0)
    assert bench.problems() == []
    trips = bench.check.round_trips(20, lambda: None)
    assert all(trip.missing == () and 0.0 < trip.seconds < 0.01 for trip in trips)
    assert judge_bus(trips, bench.check.bus.bad_packets, bench.config, []) == []


def test_the_live_view_shows_where_the_legs_stand():
    bench, seen = Bench(), []
    assert bench.check.watch(0.35, seen.append) == len(seen) == 4
    assert seen[-1] == pytest.approx(START, abs=2e-3)


@pytest.mark.parametrize('side', ['left', 'right'])
def test_a_side_turns_alone_and_the_watchdogs_stop_it_when_the_bus_is_silent(side):
    bench = Bench()
    jog = bench.check.jog(side)
    assert (jog.rate, jog.other) == (pytest.approx(1.0, abs=0.05), pytest.approx(0.0, abs=0.02))
    assert judge_servo_jog(jog) == []
    passed, why = judge_servo_watchdog(jog, bench.config.servos)
    assert passed, why
    assert 0.1 < jog.travel < 0.5
    assert bench.check.motors_off
    assert [bench.register(number, TORQUE_ENABLE) for number in range(6)] == [0] * 6
    assert [bench.register(number, GOAL_VELOCITY) for number in range(6)] == [0] * 6


def test_a_servo_that_does_not_stop_by_itself_is_found(monkeypatch):
    bench = Bench()
    deaf = bench.rig.servos[1]
    tick = deaf.tick

    def fed(now, angle, velocity):
        deaf.hear(now)
        return tick(now, angle, velocity)

    monkeypatch.setattr(deaf, 'tick', fed)
    jog = bench.check.jog('left')
    passed, why = judge_servo_watchdog(jog, bench.config.servos)
    assert not passed
    assert 'servo 2 has not expired' in why
    assert jog.travel > 0.5, 'it went on turning'
    assert bench.check.motors_off, 'the check itself stops it'
    assert bench.register(0, BUS_WATCHDOG) == 255


@pytest.mark.parametrize(
    ('break_it', 'complaint'),
    [
        (lambda servos: setattr(servos[2], 'dead', True), 'servo 3 (rear left) does not answer'),
        (lambda servos: servos[4].fail(32), 'servo 5 (middle right) reports a hardware error (overload)'),
        (lambda servos: [setattr(servo, 'dead', True) for servo in servos], 'no servo answers at 1000000 bit/s'),
        (lambda servos: setattr(servos[0], 'supply', 4.2), 'servo 1 (front left) is supplied with 4.2 V, below 4.5 V'),
    ],
)
def test_each_fault_of_a_servo_is_one_line_with_its_place(break_it, complaint):
    bench = Bench()
    break_it(bench.rig.servos)
    (problem,) = bench.problems()
    assert complaint in problem


def test_servos_of_another_model_are_named():
    problems = Bench(model='xl330-m288').problems()
    assert len(problems) == 6
    assert problems[0].startswith('servo 1 (front left) is of model 1190, not 1200')


def test_a_line_that_damages_packets_is_found():
    bench = Bench()
    bench.rig.line.faults.corrupt = 0.2
    trips = bench.check.round_trips(60, lambda: None)
    problems = judge_bus(trips, bench.check.bus.bad_packets, bench.config, [])
    assert any('packets were damaged' in problem for problem in problems)
    assert any('requests unanswered' in problem for problem in problems)


def test_a_bus_that_is_too_slow_for_its_rate_is_found():
    bench = Bench(baud=57600)
    trips = bench.check.round_trips(10, lambda: None)
    (problem,) = judge_bus(trips, 0, bench.config, [])
    assert 'took longer than the 10 ms of a cycle' in problem


def test_a_jog_that_reaches_another_rate_is_no_pass():
    jog = Bench().check.jog('left')
    assert 'turned at 0.60 rev/s' in judge_servo_jog(dataclasses.replace(jog, rate=0.6))[0]
    assert 'left and right swapped' in judge_servo_jog(dataclasses.replace(jog, rate=0.0, other=1.0))[0]
    assert not judge_servo_watchdog(dataclasses.replace(jog, step=np.nan), (1, 2, 3, 4, 5, 6))[0]


def test_a_side_that_loses_its_servos_breaks_the_jog_off_with_the_torque_off():
    bench = Bench()
    for number in (0, 1):
        bench.rig.servos[number].dead = True
    jog = bench.check.jog('left')
    assert 'too few servos' in judge_servo_jog(jog)[0]
    assert bench.check.motors_off
    assert not bench.rig.driven
