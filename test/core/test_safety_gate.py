import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.core.safety.gate import Gate, GateConfig
from millirobot_adapt.core.safety.inputs import GateInputs, Seen, tilt_of

ROBOT = RobotConfig()
REVOLUTION = 2 * math.pi
WALK = np.array([4.0, 5.0]) * REVOLUTION
HOST = 1.7e9


def inputs(now=100.0, **changes):
    """Everything healthy at steady time `now` [s]; ages are given by `<name>_age` [s]."""
    ages = {name: changes.pop(f'{name}_age', 0.01) for name in ('setpoint', 'pose', 'odometry', 'telemetry')}
    seen = {f'{name}_seen': Seen(now - age, HOST + now - age) for name, age in ages.items()}
    healthy = GateInputs(
        steady=now, host=HOST + now, link_up=True, setpoint=WALK, position=np.zeros(3), tilt=0.1, battery_counts=880,
        **seen,
    )  # fmt: skip
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
        ({'setpoint_seen': Seen(100.0, HOST + 99.7)}, 'no setpoint for 0.2 s'),
        ({'setpoint_seen': Seen(99.7, HOST + 100.0)}, 'no setpoint for 0.2 s'),
        ({'setpoint_seen': Seen(100.0, HOST + 105.0)}, 'no setpoint for 0.2 s'),
        ({'setpoint_seen': Seen(100.0, math.nan)}, 'no setpoint for 0.2 s'),
        ({'setpoint': None}, 'no setpoint for 0.2 s'),
        ({'telemetry_age': 0.23}, 'no telemetry for 0.22 s'),
        ({'telemetry_seen': None}, 'no telemetry for 0.22 s'),
        ({'setpoint': np.array([np.nan, 30.0])}, 'the setpoint is not finite'),
        ({'setpoint': np.array([30.0, np.inf])}, 'the setpoint is not finite'),
        ({'setpoint': np.array([30.0])}, 'the setpoint is not finite'),
        ({'pose_age': 0.31}, 'no mocap pose for 0.3 s'),
        ({'odometry_age': 0.51}, 'no odometry for 0.5 s'),
    ],
)
def test_a_hold_gives_zero_and_ends_with_its_cause(changes, reason):
    gate = armed()
    decision = gate.decide(inputs(**changes))
    assert (list(decision.setpoint), decision.reason, decision.stop) == ([0, 0], reason, False)
    assert gate.armed
    assert list(gate.decide(inputs()).setpoint) == list(WALK)


STOPS = [
    ({'link_up': False}, 'the link is not up'),
    ({'objection': 'not this model'}, 'not this model'),
    ({'pose_age': 1.01}, 'no mocap pose for 1 s'),
    ({'odometry_age': 1.51}, 'no odometry for 1.5 s'),
    ({'position': np.array([2.45, 0.0, 0.0])}, 'outside the fence'),
    ({'position': np.array([np.nan, 0.0, 0.0])}, 'outside the fence'),
    ({'position': None}, 'outside the fence'),
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
        ({'pose_age': 0.31}, 'no mocap pose for 0.3 s'),
        ({'odometry_age': 0.51}, 'no odometry for 0.5 s'),
        ({'telemetry_age': 0.23}, 'no telemetry for 0.22 s'),
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
    low = ROBOT.scales.battery_low_counts - 1
    for counts in (low, low, 880, low, None, low):
        assert not gate.decide(inputs(battery_counts=counts)).stop
    decision = gate.decide(inputs(battery_counts=low))
    assert (decision.stop, decision.reason) == (True, 'battery below 780 counts')
    assert gate.arm(inputs()) == 'battery below 780 counts'


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
        ('odometry_hold', 1.0, {'odometry_age': 0.7}),
        ('odometry_stop', 3.0, {'odometry_age': 2.0}),
        ('fence', (-5.0, -5.0, 5.0, 5.0), {'position': np.array([3.0, 0.0, 0.0])}),
        ('fence_margin', 0.0, {'position': np.array([2.45, 0.0, 0.0])}),
        ('tilt', 2.0, {'tilt': 1.5}),
        ('battery_samples', 1, {'battery_counts': 0}),
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
        ({'odometry_age': 0.4}, 0.1),
        ({'telemetry_age': 0.3}, 0.0),
        ({'setpoint_seen': Seen(100.0, HOST + 99.85)}, 0.05),
    ],
)
def test_it_tells_for_how_long_a_motion_is_allowed(ages, left):
    gate, given = armed(), inputs(**ages)
    assert gate.good_for(given) is None, 'it has let nothing through yet'
    gate.decide(inputs())
    assert gate.good_for(given) == pytest.approx(left, abs=1e-6)
    later = dataclasses.replace(given, steady=given.steady + left + 1e-3, host=given.host + left + 1e-3)
    assert gate.decide(later).reason.startswith('no ')
    assert gate.good_for(later) is None


ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
AGE = st.one_of(st.none(), st.floats(-1, 3))
STEP = st.fixed_dictionaries(
    {
        'act': st.sampled_from(['decide', 'decide', 'decide', 'arm', 'disarm']),
        'setpoint': st.one_of(st.none(), st.tuples(ANY_FLOAT, ANY_FLOAT), st.tuples(*[st.floats(-10, 80)] * 2)),
        'ages': st.tuples(AGE, AGE, AGE, AGE),
        'healthy': st.booleans(),
        'position': st.tuples(ANY_FLOAT, ANY_FLOAT, ANY_FLOAT),
        'tilt': st.one_of(st.none(), ANY_FLOAT),
        'battery': st.one_of(st.none(), st.integers(-10, 1023)),
        'link_up': st.booleans(),
    }
)


@given(st.lists(STEP, max_size=30), st.floats(0.01, 20.0))
def test_whatever_comes_the_output_is_zero_or_in_range_and_zero_unarmed(steps, slew):
    gate = Gate(GateConfig(slew=slew), ROBOT)
    low, high = ROBOT.action_low, ROBOT.action_high
    for step in steps:
        setpoint = None if step['setpoint'] is None else np.array(step['setpoint'])
        given = inputs(setpoint=setpoint)
        if not step['healthy']:
            seen = [None if age is None else Seen(100.0 - age, HOST + 100.0 - age) for age in step['ages']]
            given = dataclasses.replace(
                given, setpoint_seen=seen[0], pose_seen=seen[1], odometry_seen=seen[2], telemetry_seen=seen[3],
                tilt=step['tilt'], position=np.array(step['position']), battery_counts=step['battery'],
                link_up=step['link_up'],
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
    half = 0.4 / 2
    assert tilt_of(np.array([math.sin(half), 0, 0, math.cos(half)])) == pytest.approx(0.4)
    assert tilt_of(np.array([0, 0, math.sin(half), math.cos(half)])) == pytest.approx(0.0)
    assert tilt_of(np.array([0, 3.0, 0, 0])) == pytest.approx(math.pi)


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
    assert not gate.decide(inputs(position=place)).stop
    gate.limit(GateConfig(fence=(-1.0, -1.0, 1.0, 1.0), fence_margin=0.3))
    assert gate.decide(inputs(position=place)).reason == 'outside the fence'


def test_the_reason_of_the_last_stop_outlives_what_comes_after_it():
    gate = Gate(GateConfig(), RobotConfig())
    gate.disarm('never was armed', StopCause.OPERATOR)
    assert gate.last_stop == 'none'
    gate.armed = True
    gate.disarm('outside the fence', StopCause.OPERATOR)
    gate.disarm('the link is up; not armed', StopCause.OPERATOR)
    assert (gate.reason, gate.last_stop) == ('the link is up; not armed', 'outside the fence')
