import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from robots import LAYOUT, NX, STATE_NAMES, assemble_state

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.geometry import quaternion_from_rpy, roll_pitch_yaw, rotate, rotate_back, wrap
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.state import StateView

angle = st.floats(-3.1, 3.1)
tilt = st.floats(-1.5, 1.5)


def test_the_order_of_the_state_is_the_one_models_are_trained_on():
    assert NX == len(LAYOUT.state_units) == 24
    state = assemble_state(
        np.array([1.0, 2.0, 3.0]),
        np.array([4.0, 5.0, 6.0]),
        np.array([0.1, 0.2, 0.3]),
        np.array([7.0, 8.0, 9.0]),
        np.array([0.4, 0.5]),
        np.array([10.0, 11.0]),
        np.array([12.0, 13.0]),
        14.0,
    )
    named = dict(zip(STATE_NAMES, state, strict=True))
    assert named['x'] == 1
    assert named['vz'] == 6
    assert named['wx'] == 7
    assert named['sin_yaw'] == pytest.approx(np.sin(0.3))
    assert named['cos_left'] == pytest.approx(np.cos(0.4))
    assert named['sin_right'] == pytest.approx(np.sin(0.5))
    assert (named['left_velocity'], named['right_velocity']) == (10, 11)
    assert (named['left_back_emf'], named['right_back_emf'], named['battery']) == (12, 13, 14)


@given(tilt, tilt, angle)
def test_views_give_back_what_was_assembled(roll, pitch, yaw):
    zeros = np.zeros(3)
    state = assemble_state(zeros, zeros, np.array([roll, pitch, yaw]), zeros, zeros[:2], zeros[:2], zeros[:2], 0.0)
    view = StateView(state)
    np.testing.assert_allclose([view.roll, view.pitch, view.yaw], [roll, pitch, yaw], atol=1e-12)


@given(tilt, tilt, angle)
def test_angles_and_quaternions_convert_both_ways(roll, pitch, yaw):
    quaternion = quaternion_from_rpy([roll, pitch, yaw])
    np.testing.assert_allclose(roll_pitch_yaw(quaternion), [roll, pitch, yaw], atol=1e-9)
    np.testing.assert_allclose(roll_pitch_yaw(-quaternion), [roll, pitch, yaw], atol=1e-9)
    vector = np.array([0.3, -2.0, 0.7])
    np.testing.assert_allclose(rotate_back(quaternion, rotate(quaternion, vector)), vector, atol=1e-9)


def test_a_quarter_turn_to_the_left_takes_forward_to_left():
    np.testing.assert_allclose(rotate(quaternion_from_rpy([0, 0, np.pi / 2]), [1, 0, 0]), [0, 1, 0], atol=1e-12)


@given(st.floats(-1e4, 1e4))
def test_wrapping_keeps_the_direction(value):
    wrapped = float(wrap(value))
    assert -np.pi <= wrapped < np.pi
    np.testing.assert_allclose([np.cos(wrapped), np.sin(wrapped)], [np.cos(value), np.sin(value)], atol=1e-8)


def test_the_shipped_robot_has_the_labs_range_and_units():
    robot = load_robot('velociroach')
    assert robot.counts_per_ms * 2 * np.pi == pytest.approx(65.536)
    np.testing.assert_allclose(robot.action_low * robot.counts_per_ms, 131.072)
    np.testing.assert_allclose(robot.action_high * robot.counts_per_ms, 589.824)


def test_an_unknown_robot_lists_the_known_ones():
    with pytest.raises(UserError, match=r'known are .*velociroach'):
        load_robot('octopus')
