"""The gate for robots other than VelociRoACH: a range around zero, a neutral value that is not zero, no battery."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from millirobot_adapt.core.estimation.quality import PoseFault, StateQuality, StateSample
from millirobot_adapt.core.robot.description import load_robot, robot_from
from millirobot_adapt.core.safety.gate import Gate, GateConfig
from millirobot_adapt.core.safety.inputs import GateInputs, Seen

ROVER = load_robot('rover')
SERVO = robot_from(
    {
        'name': 'servo', 'driver': {'kind': 'twist'},
        'actions': [
            {'name': 'forward', 'unit': 'm/s', 'low': 0.2, 'high': 1.0, 'neutral': 0.5},
            {'name': 'turn', 'unit': 'rad/s', 'low': -2.0, 'high': -1.0},
        ],
    },
    'servo',
)  # fmt: skip


def inputs(robot, setpoint, **changes):
    layout = robot.layout
    zeros = np.zeros(3)
    state = layout.assemble(zeros, zeros, zeros, zeros)
    quality = StateQuality(0.01, 0.001, 0.01, coasting=False, fault=PoseFault.NONE)
    seen = Seen(100.0, 0.0)
    given = {
        'steady': 100.0, 'link_up': True, 'setpoint': np.asarray(setpoint, dtype=float), 'setpoint_seen': seen,
        'state': StateSample(1, 100.0, state, quality), 'state_seen': seen, 'telemetry_seen': seen,
    }  # fmt: skip
    return GateInputs(**{**given, **changes})


def armed(robot):
    gate = Gate(GateConfig(), robot)
    assert gate.arm(inputs(robot, robot.layout.neutral)) is None, 'no battery reading is asked for where there is none'
    return gate


@pytest.mark.parametrize(
    ('wanted', 'sent'),
    [((0.1, 0.5), (0.1, 0.5)), ((-0.1, -0.5), (-0.1, -0.5)), ((9.0, 9.0), (0.2, 1.0)), ((0.0, 0.0), (0.0, 0.0))],
)
def test_a_rover_drives_both_ways_and_starts_no_faster_than_it_may_change(wanted, sent):
    decision = armed(ROVER).decide(inputs(ROVER, wanted))
    np.testing.assert_allclose(decision.setpoint, sent)


def test_it_speeds_up_step_by_step_and_stops_at_once():
    gate = armed(ROVER)
    speeds = [gate.decide(inputs(ROVER, (0.5, 0.0))).setpoint[0] for _ in range(4)]
    np.testing.assert_allclose(speeds, [0.2, 0.4, 0.5, 0.5])
    assert gate.decide(inputs(ROVER, (0.0, 0.0))).setpoint[0] == 0.0


def test_standing_is_the_neutral_value_and_not_zero():
    gate = armed(SERVO)
    gate.decide(inputs(SERVO, (0.9, -1.5)))
    held = gate.decide(inputs(SERVO, (0.9, -1.5), telemetry_seen=None))
    np.testing.assert_array_equal(held.setpoint, [0.5, 0.0])
    gate.disarm('test', gate.stop_cause)
    np.testing.assert_array_equal(gate.decide(inputs(SERVO, (0.9, -1.5))).setpoint, [0.5, 0.0])


def test_beyond_a_range_beside_standstill_it_stands():
    gate = armed(SERVO)
    np.testing.assert_array_equal(gate.decide(inputs(SERVO, (0.6, 0.5))).setpoint, [0.6, 0.0])
    np.testing.assert_array_equal(gate.decide(inputs(SERVO, (0.6, -0.5))).setpoint, [0.6, -1.0])


def test_a_low_voltage_of_a_robot_without_battery_stops_nothing():
    gate = armed(ROVER)
    for _ in range(20):
        assert not gate.decide(inputs(ROVER, (0.1, 0.0), battery=0.0)).stop


def test_an_action_of_another_robot_is_none():
    assert 'not finite' in armed(ROVER).decide(inputs(ROVER, (0.1, 0.2, 0.3))).reason


@pytest.mark.parametrize('robot', [ROVER, SERVO], ids=['rover', 'servo'])
@given(wanted=st.lists(arrays(float, 2, elements=st.floats(allow_nan=True, allow_infinity=True)), max_size=8))
def test_whatever_comes_in_neutral_or_in_range_comes_out(robot, wanted):
    gate, layout = armed(robot), robot.layout
    for setpoint in wanted:
        sent = gate.decide(inputs(robot, setpoint)).setpoint
        inside = (sent >= layout.action_low) & (sent <= layout.action_high)
        assert (inside | (sent == layout.neutral)).all()
