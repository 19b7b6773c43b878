import dataclasses
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from robots import assemble_state
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.quality import PoseFault, StateQuality, StateSample
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.safety.causes import HoldCause, StopCause
from millirobot_adapt.core.safety.gate import Gate, GateConfig
from millirobot_adapt.core.safety.inputs import GateInputs, LegReading, Seen, tilt_of

ROBOT = RobotConfig()
REVOLUTION = 2 * math.pi
WALK = np.array([4.0, 5.0]) * REVOLUTION
GOOD = StateQuality(pose_age=0.0, position_sd=0.001, heading_sd=0.01, coasting=False)


def state(position=(0.0, 0.0, 0.0), tilt=0.1, **quality):
    array = np.zeros(24)
    array[:3] = position
    array[[6, 8, 10]] = 1.0
    array[6:8] = math.cos(tilt), math.sin(tilt)
    return StateSample(0, 0.0, array, dataclasses.replace(GOOD, **quality))


def inputs(now=100.0, **changes):
    """Everything healthy at steady time `now` [s]; ages are given by `<name>_age` [s], that of the pose as well."""
    pose_age = changes.pop('pose_age', 0.01)
    ages = {name: changes.pop(f'{name}_age', 0.01) for name in ('setpoint', 'state', 'telemetry')}
    seen = {f'{name}_seen': Seen(now - age, 0.0) for name, age in ages.items()}
    known_of = ('position', 'tilt', 'position_sd', 'heading_sd', 'fault')
    about = {name: changes.pop(name) for name in known_of if name in changes}
    known = state(pose_age=pose_age - ages['state'], **about)
    healthy = GateInputs(steady=now, link_up=True, setpoint=WALK, state=known, battery=4.0, **seen)
    return dataclasses.replace(healthy, **changes)


def armed(**config):
    gate = Gate(GateConfig(**config), ROBOT)
    gate.decide(inputs())
    assert gate.arm(inputs()) is None
    return gate


def test_nothing_passes_before_it_is_armed():
    gate = Gate(GateConfig(), ROBOT)
    decision = gate.decide(inputs())
    assert (list(decision.setpoint), decision.reason, decision.stop) == ([0, 0], 'not armed yet', False)


def test_an_armed_gate_lets_a_good_setpoint_pass_unchanged():
    decision = armed().decide(inputs())
    assert list(decision.setpoint) == list(WALK)
    assert (decision.reason, decision.stop) == ('as wanted', False)


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'setpoint_age': 0.21}, 'no setpoint for 0.2 s'),
        ({'setpoint_seen': Seen(100.0, 0.3)}, 'no setpoint for 0.2 s'),
        ({'setpoint_seen': Seen(99.7, 0.0)}, 'no setpoint for 0.2 s'),
        ({'setpoint_seen': Seen(99.9, 0.11)}, 'no setpoint for 0.2 s'),
        ({'setpoint_seen': Seen(100.0, -5.0)}, 'no setpoint for 0.2 s'),
        ({'setpoint_seen': Seen(100.0, math.nan)}, 'no setpoint for 0.2 s'),
        ({'setpoint_age': 0.3, 'setpoint_refused': 'teleop drives'}, 'no setpoint for 0.2 s: teleop drives'),
        ({'setpoint': None}, 'no setpoint for 0.2 s'),
        ({'telemetry_age': 0.23}, 'no telemetry for 0.22 s'),
        ({'telemetry_seen': None}, 'no telemetry for 0.22 s'),
        ({'setpoint': np.array([np.nan, 30.0])}, 'the setpoint is not finite'),
        ({'setpoint': np.array([30.0, np.inf])}, 'the setpoint is not finite'),
        ({'setpoint': np.array([30.0])}, 'the setpoint is not finite'),
        ({'pose_age': 0.31}, 'no accepted pose for 0.3 s'),
        ({'pose_age': math.nan}, 'no accepted pose for 0.3 s'),
        ({'pose_age': math.inf, 'position': (np.nan,) * 3, 'tilt': math.nan}, 'no accepted pose for 0.3 s'),
        ({'pose_age': 0.31, 'fault': PoseFault.JUMPED}, f'no accepted pose for 0.3 s: {PoseFault.JUMPED.words}'),
        ({'state_age': 0.51}, 'no state from the estimator for 0.5 s'),
        ({'state_seen': Seen(100.0, 5.0)}, 'no state from the estimator for 0.5 s'),
        ({'state_seen': Seen(100.0, -5.0)}, 'no state from the estimator for 0.5 s'),
        ({'position_sd': 0.12}, 'the position is known to 0.12 m (sd) only'),
        ({'position_sd': math.nan}, 'the position is known to nan m (sd) only'),
        ({'heading_sd': 0.6}, 'the heading is known to 0.6 rad (sd) only'),
    ],
)
def test_a_hold_gives_zero_and_ends_with_its_cause(changes, reason):
    gate = armed()
    decision = gate.decide(inputs(**changes))
    assert (list(decision.setpoint), decision.reason, decision.stop) == ([0, 0], reason, False)
    assert gate.armed
    assert decision.hold is not HoldCause.NONE
    after = gate.decide(inputs())
    assert (list(after.setpoint), after.hold) == (list(WALK), HoldCause.NONE)


STOPS = [
    ({'link_up': False}, 'the link is not up'),
    ({'objection': 'not this model'}, 'not this model'),
    ({'pose_age': 1.01}, 'no accepted pose for 1 s'),
    ({'pose_age': 1.01, 'fault': PoseFault.FROZEN}, f'no accepted pose for 1 s: {PoseFault.FROZEN.words}'),
    ({'state_age': 1.51}, 'no state from the estimator for 1.5 s'),
    ({'state': None}, 'no state from the estimator yet'),
    ({'position': (2.45, 0.0, 0.0)}, 'outside the fence'),
    ({'position': (np.nan, 0.0, 0.0)}, 'outside the fence'),
    ({'tilt': 1.01}, 'tilted more than 1 rad'),
    ({'tilt': math.nan}, 'tilted more than 1 rad'),
]


@pytest.mark.parametrize(('changes', 'reason'), STOPS)
def test_a_stop_disarms_once_and_lasts_until_the_operator_arms_again(changes, reason):
    gate = armed()
    decision = gate.decide(inputs(**changes))
    assert (list(decision.setpoint), decision.reason, decision.stop) == ([0, 0], reason, True)
    later = gate.decide(inputs())
    assert (list(later.setpoint), later.reason, later.stop) == ([0, 0], reason, False)
    assert gate.arm(inputs()) is None
    assert list(gate.decide(inputs()).setpoint) == list(WALK)


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        *STOPS,
        ({'pose_age': 0.31}, 'no accepted pose for 0.3 s'),
        ({'state_age': 0.51}, 'no state from the estimator for 0.5 s'),
        ({'telemetry_age': 0.23}, 'no telemetry for 0.22 s'),
        ({'heading_sd': 0.6}, 'the heading is known to 0.6 rad (sd) only'),
    ],
)
def test_arming_is_refused_with_the_reason(changes, reason):
    gate = Gate(GateConfig(), ROBOT)
    gate.decide(inputs())
    assert gate.arm(inputs(**changes)) == reason
    assert not gate.armed


def test_arming_needs_a_battery_reading_but_no_setpoint():
    gate = Gate(GateConfig(), ROBOT)
    assert gate.arm(inputs()) == 'no battery reading yet'
    gate.decide(inputs(setpoint=None, setpoint_seen=None))
    assert gate.arm(inputs(setpoint=None, setpoint_seen=None)) is None


def test_only_low_battery_readings_in_a_row_stop():
    gate = armed(battery_samples=3)
    low = 779 * ROBOT.imageproc.scales.battery
    for volts in (low, low, 780 * ROBOT.imageproc.scales.battery, low, None, low):
        assert not gate.decide(inputs(battery=volts)).stop
    decision = gate.decide(inputs(battery=low))
    assert (decision.stop, decision.reason) == (True, 'battery below 3.51 V')
    assert gate.arm(inputs()) == 'battery below 3.51 V'


@pytest.mark.parametrize(
    ('wanted', 'sent'), [((1, 10), (2, 9)), ((-3, 4), (0, 4)), ((0, 0), (0, 0)), ((0, 5), (0, 5)), ((2, 9), (2, 9))]
)
def test_out_of_range_is_clamped_and_zero_stays_zero(wanted, sent):
    decision = armed().decide(inputs(setpoint=np.array(wanted, dtype=float) * REVOLUTION))
    assert decision.setpoint == pytest.approx(np.array(sent) * REVOLUTION)
    assert (decision.reason == 'as wanted') == (wanted == sent)


def test_slew_limits_changes_but_neither_start_nor_stop():
    gate = armed(slew=1.0)
    steps = [((5, 5), (5, 5)), ((9, 3), (6, 4)), ((9, 3), (7, 3)), ((0, 0), (0, 0)), ((9, 2), (9, 2))]
    for wanted, sent in steps:
        decision = gate.decide(inputs(setpoint=np.array(wanted, dtype=float) * REVOLUTION))
        assert decision.setpoint == pytest.approx(np.array(sent) * REVOLUTION)


def test_starting_is_exempt_from_slew_after_a_stop_too():
    gate = armed(slew=1.0)
    gate.decide(inputs(setpoint=np.full(2, 2 * REVOLUTION)))
    gate.disarm('test', StopCause.OPERATOR)
    assert gate.arm(inputs()) is None
    assert list(gate.decide(inputs()).setpoint) == list(WALK)


@pytest.mark.parametrize(
    ('name', 'value', 'changes'),
    [
        ('setpoint_timeout', 0.5, {'setpoint_age': 0.3}),
        ('pose_hold', 0.6, {'pose_age': 0.4}),
        ('pose_stop', 3.0, {'pose_age': 2.0}),
        ('telemetry_hold', 0.5, {'telemetry_age': 0.3}),
        ('position_sd_hold', 0.2, {'position_sd': 0.15}),
        ('heading_sd_hold', 0.9, {'heading_sd': 0.7}),
        ('state_hold', 1.0, {'state_age': 0.7, 'pose_age': 0.1}),
        ('state_stop', 3.0, {'state_age': 2.0, 'pose_age': 0.1}),
        ('fence', (-5.0, -5.0, 5.0, 5.0), {'position': (3.0, 0.0, 0.0)}),
        ('fence_margin', 0.0, {'position': (2.45, 0.0, 0.0)}),
        ('tilt', 2.0, {'tilt': 1.5}),
        ('battery_samples', 1, {'battery': 0.0}),
        ('slew', 0.5, {'setpoint': WALK * 1.3}),
    ],
)
def test_every_limit_matters(name, value, changes):
    gates = armed(), armed(**{name: value})
    for gate in gates:
        gate.decide(inputs())
    first, second = (gate.decide(inputs(**changes)) for gate in gates)
    assert (first.reason, first.stop) != (second.reason, second.stop)


@pytest.mark.parametrize(
    ('ages', 'left'),
    [
        ({}, 0.19),
        ({'telemetry_age': 0.2}, 0.02),
        ({'pose_age': 0.25}, 0.05),
        ({'state_age': 0.4}, 0.1),
        ({'telemetry_age': 0.3}, 0.0),
        ({'setpoint_seen': Seen(100.0, 0.15)}, 0.05),
        ({'setpoint_seen': Seen(99.95, 0.1)}, 0.05),
    ],
)
def test_it_tells_for_how_long_a_motion_is_allowed(ages, left):
    gate, given = armed(), inputs(**ages)
    assert gate.good_for(given) is None, 'it has let nothing through yet'
    gate.decide(inputs())
    assert gate.good_for(given) == pytest.approx(left, abs=1e-6)
    later = dataclasses.replace(given, steady=given.steady + left + 1e-3)
    assert gate.decide(later).reason.startswith('no ')
    assert gate.good_for(later) is None


ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
AGE = st.one_of(st.none(), st.floats(-1, 3))
STEP = st.fixed_dictionaries(
    {
        'act': st.sampled_from(['decide', 'decide', 'decide', 'arm', 'disarm']),
        'setpoint': st.one_of(st.none(), st.tuples(ANY_FLOAT, ANY_FLOAT), st.tuples(*[st.floats(-10, 80)] * 2)),
        'ages': st.tuples(AGE, AGE, AGE),
        'quality': st.builds(StateQuality, ANY_FLOAT, ANY_FLOAT, ANY_FLOAT, st.booleans(), st.sampled_from(PoseFault)),
        'legs': st.none() | st.tuples(ANY_FLOAT, ANY_FLOAT, st.floats(-1, 3)),
        'healthy': st.booleans(),
        'position': st.tuples(ANY_FLOAT, ANY_FLOAT, ANY_FLOAT),
        'tilt': st.floats(-4, 4),
        'battery': st.one_of(st.none(), st.integers(-10, 1023)),
        'link_up': st.booleans(),
    }
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(STEP, max_size=30), st.floats(0.01, 20.0))
def test_whatever_comes_the_output_is_zero_or_in_range_and_zero_unarmed(steps, slew):
    gate = Gate(GateConfig(slew=slew), ROBOT)
    low, high = ROBOT.action_low, ROBOT.action_high
    for step in steps:
        setpoint = None if step['setpoint'] is None else np.array(step['setpoint'])
        given = inputs(setpoint=setpoint)
        if not step['healthy']:
            seen = [None if age is None else Seen(100.0 - age, 0.0) for age in step['ages']]
            sample = dataclasses.replace(state(step['position'], step['tilt']), quality=step['quality'])
            legs = step['legs']
            given = dataclasses.replace(
                given, setpoint_seen=seen[0], state_seen=seen[1], telemetry_seen=seen[2], state=sample,
                battery=step['battery'], link_up=step['link_up'],
                legs=legs and LegReading(WALK, np.array(legs[:2]), legs[2]),
            )  # fmt: skip
        if step['act'] == 'arm':
            gate.arm(given)
        elif step['act'] == 'disarm':
            gate.disarm('test', StopCause.OPERATOR)
        else:
            output = gate.decide(given).setpoint
            assert output.shape == (2,)
            assert np.all((output == 0) | ((output >= low) & (output <= high)))
            assert gate.armed or np.all(output == 0)


def test_tilt_is_the_angle_between_the_vertical_axes():
    for roll, pitch, yaw in ((0.4, 0.0, 1.0), (0.0, -0.4, 2.0), (0.3, 0.5, -1.0), (math.pi, 0.0, 0.0), (0.0, 0.0, 3.0)):
        array = assemble_state(*np.zeros((2, 3)), np.array([roll, pitch, yaw]), np.zeros(3), *np.zeros((3, 2)), 4.0)
        vertical = Rotation.from_euler('ZYX', [yaw, pitch, roll]).apply([0.0, 0.0, 1.0])[2]
        assert tilt_of(array) == pytest.approx(math.acos(np.clip(vertical, -1.0, 1.0)), abs=1e-6)


def test_a_step_of_the_hosts_clock_holds_for_a_message_and_does_not_stop():
    gate = armed()
    for delay in (5.0, -5.0, 3600.0):
        stepped = inputs(setpoint_seen=Seen(100.0, delay), state_seen=Seen(100.0, delay))
        decision = gate.decide(stepped)
        assert (decision.stop, list(decision.setpoint)) == (False, [0, 0])
        assert list(gate.decide(inputs()).setpoint) == list(WALK)


def legs(left, right, told=WALK, seconds=0.1):
    return LegReading(np.asarray(told), np.array([left, right]) * told, seconds)


def walked(gate, seconds, left=1.0, right=1.0, **changes):
    """Let the gate decide ten times a second while the legs turn at these shares of their setpoint."""
    for _ in range(round(10 * seconds)):
        decision = gate.decide(inputs(legs=legs(left, right), **changes))
    return decision


@pytest.mark.parametrize(
    ('left', 'right', 'named'),
    [(0.0, 1.0, 'left'), (1.0, 0.1, 'right'), (0.0, 0.0, 'left'), (1.0, -1.0, 'right'), (math.nan, 1.0, 'left')],
)
def test_a_leg_that_does_not_follow_is_held_and_named_and_not_tried_again_by_itself(left, right, named):
    gate = armed()
    assert walked(gate, 0.9, left, right).hold is HoldCause.NONE
    decision = walked(gate, 0.3, left, right)
    assert (list(decision.setpoint), decision.hold) == ([0, 0], HoldCause.LEGS)
    assert f'the {named} leg does not follow' in decision.reason
    assert walked(gate, 3.0).hold is HoldCause.LEGS, 'that they turn now proves nothing: they were told zero'
    gate.decide(inputs(setpoint=np.zeros(2)))
    assert list(gate.decide(inputs()).setpoint) == list(WALK), 'nobody asked them to turn: the next wish is tried'


@pytest.mark.parametrize('changes', [{'setpoint_age': 0.3}, {'setpoint': np.zeros(2)}, {'setpoint': None}])
def test_the_hold_of_the_legs_ends_when_nobody_asks_them_to_turn(changes):
    gate = armed()
    assert walked(gate, 1.5, 0.0, 0.0).hold is HoldCause.LEGS
    gate.decide(inputs(**changes))
    assert gate.decide(inputs()).hold is HoldCause.NONE


def test_arming_again_tries_the_legs_again():
    gate = armed()
    walked(gate, 1.5, 0.0, 0.0)
    assert gate.arm(inputs()) is None
    assert gate.decide(inputs()).hold is HoldCause.NONE


def test_legs_that_are_slow_or_late_or_told_to_stand_are_no_fault():
    gate = armed()
    assert walked(gate, 5.0, 0.3, 0.25).hold is HoldCause.NONE, 'uphill, with a weak battery'
    for _ in range(10):
        walked(gate, 0.9, 0.0, 0.0)  # a start takes its time
        assert walked(gate, 0.1).hold is HoldCause.NONE
    for _ in range(50):
        decision = gate.decide(inputs(setpoint=WALK * [1, 0], legs=legs(1.0, 0.0, told=WALK * [1, 0])))
    assert decision.hold is HoldCause.NONE, 'the right leg is told to stand'


def test_replies_far_apart_say_nothing_of_the_legs():
    gate = armed()
    for _ in range(20):
        assert gate.decide(inputs(legs=legs(0.0, 0.0, seconds=1.0))).hold is HoldCause.NONE


def test_the_limits_in_force_can_be_told_in_one_line():
    words = GateConfig(tilt=0.7, fence=(0.0, 0.0, 3.0, 2.0)).words
    assert '\n' not in words
    for limit in ('tilt 0.7 rad', 'fence [0 0 3 2] less 0.1 m', 'accepted pose 0.3/1 s', 'slew 20 rev/s'):
        assert limit in words


@pytest.mark.parametrize('fence', [(0.0, 0.0), (1.0, 0.0, -1.0, 2.0), (0.0, 0.0, 1.0, 1.0, 2.0)])
def test_a_fence_without_an_area_is_a_users_mistake(fence):
    with pytest.raises(UserError, match='fence'):
        Gate(GateConfig(fence=fence), ROBOT)


def test_a_limit_tightened_on_the_way_holds_from_the_next_decision_on():
    gate = armed()
    assert not gate.decide(inputs(tilt=0.7)).stop
    gate.limit(GateConfig(tilt=0.5))
    assert gate.decide(inputs(tilt=0.7)).reason == 'tilted more than 0.5 rad'
    assert not gate.armed


def test_a_wider_margin_moves_the_fence_inwards():
    gate = armed(fence=(-1.0, -1.0, 1.0, 1.0), fence_margin=0.1)
    place = np.array([0.8, 0.0, 0.03])
    assert not gate.decide(inputs(position=tuple(place))).stop
    gate.limit(GateConfig(fence=(-1.0, -1.0, 1.0, 1.0), fence_margin=0.3))
    assert gate.decide(inputs(position=tuple(place))).reason == 'outside the fence'


def test_the_reason_of_the_last_stop_outlives_what_comes_after_it():
    gate = Gate(GateConfig(), RobotConfig())
    gate.disarm('never was armed', StopCause.OPERATOR)
    assert gate.last_stop == 'none'
    gate.armed = True
    gate.disarm('outside the fence', StopCause.OPERATOR)
    gate.disarm('the link is up; not armed', StopCause.OPERATOR)
    assert (gate.reason, gate.last_stop) == ('the link is up; not armed', 'outside the fence')


@pytest.mark.parametrize('age', [math.inf, math.nan])
def test_states_without_a_pose_hold_at_once_and_stop_a_second_after_the_last_accepted_one(age):
    gate, lost = armed(), {'pose_age': age, 'position': (np.nan,) * 3, 'tilt': math.nan, 'fault': PoseFault.JUMPED}
    gate.decide(inputs(100.0))
    for now in np.arange(100.1, 100.95, 0.1):
        decision = gate.decide(inputs(now, **lost))
        assert (decision.hold, list(decision.setpoint)) == (HoldCause.POSE, [0, 0])
    decision = gate.decide(inputs(101.05, **lost))
    assert (decision.stop, decision.reason) == (True, f'no accepted pose for 1 s: {PoseFault.JUMPED.words}')


def test_before_the_first_pose_nobody_arms():
    gate = Gate(GateConfig(), ROBOT)
    unknown = {'pose_age': math.inf, 'position': (np.nan,) * 3, 'tilt': math.nan, 'fault': PoseFault.NO_POSE}
    gate.decide(inputs(**unknown))
    assert gate.arm(inputs(**unknown)) == f'no accepted pose for 1 s: {PoseFault.NO_POSE.words}'
