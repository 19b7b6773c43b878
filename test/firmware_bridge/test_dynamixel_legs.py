"""Six legs on simulated servos, driven by the driver `dynamixel` in simulated time."""

import math

import numpy as np
import pytest
from servo_bench import ServoBench

from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.dynamixel.leg_clock import OFFSETS, Stance, mean_phase, wrapped
from firmware_bridge.dynamixel.leg_sample import SidePhases
from firmware_bridge.dynamixel.registers import (
    BUS_WATCHDOG,
    DRIVE_MODE,
    GOAL_VELOCITY,
    OPERATING_MODE,
    RETURN_DELAY,
    TORQUE_ENABLE,
    WATCHDOG_EXPIRED,
)
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.sim.servo import SimulatedServo

DEGREE = math.pi / 180


def standing(bench):
    return np.abs(bench.shafts.velocity).max() < 0.05


def test_start_up_sets_every_servo_up_and_turns_nothing():
    bench = ServoBench()
    before = bench.shafts.angle.copy()
    bench.driver.start()
    for number in range(6):
        assert bench.register(number, RETURN_DELAY) == 0
        assert bench.register(number, OPERATING_MODE) == 1
        assert bench.register(number, DRIVE_MODE) == (number >= 3), 'the right side is reversed'
        assert bench.register(number, TORQUE_ENABLE) == 0
    bench.walk((1.0, 1.0), 0.5)
    assert bench.driver.state is LinkState.UP
    assert not bench.driver.motors_on
    assert np.array_equal(bench.shafts.angle, before)


def test_the_motors_go_on_with_the_watchdog_and_off_again():
    bench = ServoBench().on()
    assert bench.driver.motors_on
    assert [bench.register(number, BUS_WATCHDOG) for number in range(6)] == [10] * 6
    bench.walk((1.0, 1.0), 0.5)
    assert bench.rig.driven
    assert bench.driver.stop()
    assert not bench.driver.motors_on
    assert [bench.register(number, TORQUE_ENABLE) for number in range(6)] == [0] * 6
    bench.live(0.3)
    assert standing(bench)


@pytest.mark.parametrize('rate', [(0.5, 0.5), (1.0, 2.0), (3.0, 3.0)])
def test_the_legs_keep_the_phases_of_a_tripod(rate):
    """Rms of the phase error below 5 degrees while legs are loaded and unloaded, as on the ground."""
    bench = ServoBench().on()
    rng, errors = np.random.default_rng(1), []
    bench.walk(rate, 2.5)

    def disturb():
        bench.shafts.load = 0.04 * rng.random(6)
        errors.append(bench.driver.phase_error)

    bench.walk(rate, 2.0, disturb)
    rms = np.sqrt(np.mean(np.square(errors)))
    assert rms < 5 * DEGREE, f'{rms / DEGREE:.1f} degrees'
    relative = wrapped(bench.legs() - OFFSETS)
    assert np.all(np.abs(wrapped(relative - mean_phase(bench.legs())[:, None])) < 10 * DEGREE)


def test_without_the_loop_they_drift_apart():
    """So that the test above can fail."""
    bench = ServoBench(gain=0.0).on()
    bench.shafts.load = np.array([0.0, 0.02, 0.04, 0.0, 0.02, 0.04])
    bench.walk((2.0, 2.0), 3.0)
    relative = wrapped(bench.legs() - OFFSETS)
    assert np.abs(wrapped(relative - mean_phase(bench.legs())[:, None])).max() > 20 * DEGREE


def test_the_telemetry_tells_phase_and_rate_of_each_side():
    bench = ServoBench().on()
    bench.walk((1.0, 2.0), 3.0)
    last = bench.exchanges[-1]
    assert last.telemetry.joint_velocity / (2 * math.pi) == pytest.approx([1.0, 2.0], rel=0.03)
    turned = (last.telemetry.joint_angle - bench.exchanges[-11].telemetry.joint_angle) / (2 * math.pi)
    assert turned == pytest.approx([1.0, 2.0], rel=0.03)
    assert last.telemetry.battery == pytest.approx(5.0)
    assert last.round_trip < 0.01
    stamps = np.diff([each.telemetry.stamp for each in bench.exchanges])
    assert stamps == pytest.approx(0.1, abs=0.002)
    indices = [each.telemetry.index for each in bench.exchanges]
    assert np.all(np.diff(indices) == 1)


def test_a_side_told_to_stand_stands():
    bench = ServoBench().on()
    bench.walk((1.0, 1.0), 1.0)
    bench.walk((0.0, 1.0), 0.5)
    left, right = bench.leg_rates()
    assert np.abs(left).max() < 0.05
    assert right.mean() == pytest.approx(2 * math.pi, rel=0.1)


def test_an_action_that_is_200_ms_old_stops_the_legs():
    bench = ServoBench().on()
    bench.walk((2.0, 2.0), 1.0)
    bench.live(0.08)
    assert bench.rig.driven, 'it is 180 ms old'
    bench.live(0.05)
    assert not bench.rig.driven
    bench.walk((2.0, 2.0), 0.5)
    assert bench.leg_rates().mean() == pytest.approx(4 * math.pi, rel=0.1), 'the clocks go on'


@pytest.mark.parametrize('chained', [False, True])
def test_five_legs_go_on_when_a_servo_dies(chained):
    bench = ServoBench().on()
    bench.rig.line.faults.chained = chained
    bench.walk((1.5, 1.5), 1.0)
    bench.rig.servos[1].dead = True
    begun, cycles = bench.clock.steady(), bench.driver.counts()['cycles']
    bench.walk((1.5, 1.5), 2.0)
    rate = (bench.driver.counts()['cycles'] - cycles) / (bench.clock.steady() - begun)
    assert rate > 97
    assert [event for event in bench.events if 'out' in event] == [
        'the middle left leg is out: servo 2 does not answer; the others go on'
    ]
    assert bench.driver.counts()['legs_out'] == 'middle left: servo 2 does not answer'
    others = np.delete(bench.leg_rates().ravel(), 1)
    assert others == pytest.approx(3 * math.pi, rel=0.15)
    assert all(each.telemetry is not None for each in bench.exchanges[-10:])
    assert bench.exchanges[-1].telemetry.joint_velocity == pytest.approx(3 * math.pi, rel=0.05)


def test_a_servo_that_was_only_silent_comes_back_by_itself():
    bench = ServoBench().on()
    bench.walk((1.0, 1.0), 0.5)
    bench.rig.servos[4].mute = True
    bench.walk((1.0, 1.0), 0.5)
    assert 'middle right' in bench.driver.counts()['legs_out']
    assert bench.leg_rates()[1, 1] == pytest.approx(2 * math.pi, rel=0.1), 'it still hears its goals'
    bench.rig.servos[4].mute = False
    bench.walk((1.0, 1.0), 0.7)
    assert bench.driver.counts()['legs_out'] == 'none'
    assert bench.events[-1] == 'the middle right leg answers again'


def test_a_servo_that_has_restarted_stays_out_until_the_motors_are_switched_on_again():
    bench = ServoBench().on()
    bench.walk((1.0, 1.0), 2.3)
    bench.rig.brown_out([0])
    bench.walk((1.0, 1.0), 1.0)
    assert 'servo 1 has restarted' in bench.driver.counts()['legs_out']
    assert bench.register(0, TORQUE_ENABLE) == 0
    assert bench.driver.stop()
    bench.driver.start_motors()
    assert bench.driver.counts()['legs_out'] == 'none'
    bench.walk((1.0, 1.0), 1.0)
    assert bench.leg_rates()[0] == pytest.approx(2 * math.pi, rel=0.1)


@pytest.mark.parametrize('pause', [0.03, 0.12, 0.19])
@pytest.mark.parametrize('before', [True, False], ids=['before the request', 'before the answers are read'])
def test_a_thread_that_pauses_between_request_and_answer_is_no_restart(pause, before):
    """A reading is of some time between the two; the next one seems to come early by as much as the pause was long."""
    bench = ServoBench(watchdog=2000).on()
    bench.walk((2.0, 2.0), 1.0)
    write, pauses = bench.transport.write, [pause]

    def slow_write(data):
        def sleep():
            bench.clock.sleep(pauses.pop())
            bench.rig.advance(bench.clock.steady())

        if pauses and before:
            sleep()
        write(data)
        if pauses:
            sleep()

    bench.transport.write = slow_write
    bench.walk((2.0, 2.0), 1.0)
    assert not pauses
    assert bench.driver.counts()['legs_out'] == 'none'


def test_with_all_servos_restarted_the_link_is_lost():
    bench = ServoBench().on()
    bench.walk((1.0, 1.0), 2.0)
    bench.rig.brown_out(range(6))
    with pytest.raises(LinkLost, match='has restarted: look at its supply voltage'):
        bench.walk((1.0, 1.0), 1.0)
    assert bench.driver.state is LinkState.LOST
    assert not bench.rig.driven


def test_with_two_of_a_side_gone_the_link_is_lost():
    bench = ServoBench().on()
    bench.walk((1.0, 1.0), 1.0)
    bench.rig.servos[3].dead = bench.rig.servos[5].dead = True
    with pytest.raises(LinkLost, match='too few servos are left on the right'):
        bench.walk((1.0, 1.0), 1.0)
    bench.rig.advance(bench.clock.steady() + 0.3)
    assert not bench.rig.driven


def test_silence_of_all_servos_is_a_lost_link_and_blames_none():
    bench = ServoBench().on()
    bench.walk((1.0, 1.0), 0.5)
    for servo in bench.rig.servos:
        servo.mute = True
    with pytest.raises(LinkLost, match='no servo has answered 10 times in a row'):
        bench.walk((1.0, 1.0), 3.0)
    assert not [event for event in bench.events if 'out' in event]


def test_a_servo_that_answers_late_is_not_out():
    """As on a machine that is too busy to pass answers on in time."""
    bench = ServoBench().on()
    bench.walk((1.0, 1.0), 0.5)
    bench.rig.line.delay = {6: 0.006}  # beyond the wait; it comes before the next request
    bench.walk((1.0, 1.0), 1.0)
    assert bench.driver.counts()['late'] > 50
    assert bench.driver.counts()['legs_out'] == 'none'


def test_the_watchdog_stops_the_servos_and_is_read_back():
    bench = ServoBench().on()
    bench.walk((2.0, 2.0), 1.0)
    bench.clock.sleep(0.6)  # the host hangs
    bench.rig.advance(bench.clock.steady())
    assert [bench.register(number, BUS_WATCHDOG) for number in range(6)] == [WATCHDOG_EXPIRED] * 6
    assert standing(bench)
    with pytest.raises(LinkLost, match='watchdog of servo 1 has expired'):
        bench.walk((2.0, 2.0), 1.0)
    assert standing(bench), 'goals were ignored'
    bench.driver.start()
    bench.driver.start_motors()
    bench.walk((2.0, 2.0), 1.0)
    assert bench.leg_rates().mean() == pytest.approx(4 * math.pi, rel=0.1)


def test_a_servo_that_switches_itself_off_is_named_with_its_error():
    bench = ServoBench().on()
    bench.walk((1.0, 1.0), 1.0)
    bench.rig.servos[2].fail(1 << 5)
    bench.walk((1.0, 1.0), 1.0)
    assert bench.driver.counts()['legs_out'] == (
        'rear left: servo 3 has switched its torque off: a hardware error (overload)'
    )


def test_damage_on_the_line_never_gives_a_wrong_angle():
    bench = ServoBench(seed=3).on()
    bench.rig.line.faults.corrupt = 0.05
    bench.rig.line.faults.lost = 0.02
    truth = []

    def compare():
        sample = bench.exchanges[-1].telemetry
        if sample is not None:
            truth.append(sample.joint_velocity)

    bench.walk((2.0, 2.0), 1.0)
    bench.walk((2.0, 2.0), 4.0, compare)
    assert bench.driver.counts()['bad_packets'] > 50
    assert np.max(np.abs(np.array(truth) - 4 * math.pi)) < 0.1 * 4 * math.pi
    assert bench.driver.counts()['legs_out'] == 'none'


def test_the_last_words_stop_the_robot_and_switch_it_off():
    bench = ServoBench().on()
    bench.walk((2.0, 2.0), 1.0)
    bench.transport.write(bench.driver.last_words)
    bench.clock.sleep(0.01)
    bench.rig.advance(bench.clock.steady())
    assert not bench.rig.driven
    assert [bench.register(number, TORQUE_ENABLE) for number in range(6)] == [0] * 6
    assert [bench.register(number, GOAL_VELOCITY) for number in range(6)] == [0] * 6


def test_a_pulled_plug_is_a_lost_link():
    bench = ServoBench().on()
    bench.walk((1.0, 1.0), 0.5)
    bench.transport.lost = True
    with pytest.raises(LinkLost, match='unplugged'):
        bench.walk((1.0, 1.0), 0.2)
    assert bench.driver.state is LinkState.LOST
    bench.clock.sleep(0.6)
    bench.rig.advance(bench.clock.steady())
    assert standing(bench), 'by their own watchdog'


def test_a_servo_of_another_model_is_refused():
    bench = ServoBench()
    bench.rig.line.servos[2] = SimulatedServo(3, model=1200)
    with pytest.raises(UserError, match=r'servo 3 is of model number 1200, not 1190 \(xl330-m077\)'):
        bench.driver.start()


def test_it_starts_with_a_leg_less_and_says_so():
    bench = ServoBench()
    bench.rig.servos[0].dead = True
    bench.on().walk((1.0, 1.0), 1.0)
    assert bench.events == ['the front left leg is out: servo 1 does not answer']
    assert bench.leg_rates()[0, 1:] == pytest.approx(2 * math.pi, rel=0.1)


def test_the_buehler_clock_is_slow_on_the_ground_below_1_hz():
    bench = ServoBench(sweep=1.0, duty=0.6).on()
    bench.walk((0.5, 0.5), 3.0)
    slow, fast = [], []

    def look():
        near = np.abs(wrapped(bench.legs()))
        slow.extend(bench.leg_rates()[near < 0.3])
        fast.extend(bench.leg_rates()[near > 2.0])

    bench.walk((0.5, 0.5), 4.0, look)
    assert np.mean(slow) == pytest.approx(math.pi * 1.0 / (2 * math.pi * 0.6), rel=0.15)
    assert np.mean(fast) > 1.8 * np.mean(slow)


@pytest.mark.parametrize(('sweep', 'duty'), [(1.0, 0.6), (math.pi, 0.5), (2.5, 0.3)])
def test_a_stance_turns_once_a_stride_without_a_jump(sweep, duty):
    phase = np.linspace(-2 * math.pi, 2 * math.pi, 20001)
    angle, slope = Stance(sweep, duty).leg(phase)
    assert angle[-1] - angle[0] == pytest.approx(4 * math.pi)
    steady = slope[:-1] == slope[1:]  # not where it changes from slow to fast
    assert np.allclose((np.diff(angle) / np.diff(phase))[steady], slope[:-1][steady])
    assert np.mean(steady) > 0.999
    assert np.all(np.diff(angle) > 0)
    assert np.max(np.diff(angle)) < 1.01 * slope.max() * (phase[1] - phase[0])


def test_phases_count_turns_through_a_pause_and_without_a_leg():
    phases, angle = SidePhases(), OFFSETS + np.array([[0.2], [1.0]])
    first = phases.follow(angle)
    assert first == pytest.approx([0.2, 1.0])
    later = angle + np.array([[9.5], [-4.0]])
    later[0, 1] = np.nan
    assert phases.follow(later) == pytest.approx([9.7, -3.0])
    later[0] = np.nan
    assert phases.follow(later + 1.0) == pytest.approx([9.7, -2.0]), 'a side that nobody answers for stays'


@pytest.mark.parametrize(
    ('values', 'why'),
    [
        ({'left': (1, 2, 4)}, 'servo id 4 is given twice'),
        ({'watchdog': 210}, 'no multiple of 20 ms'),
        ({'baud': 250_000}, 'an XL330 knows 9600, 57600'),
    ],
)
def test_a_bad_description_is_refused(values, why):
    with pytest.raises(UserError, match=why):
        DynamixelConfig(**values)
