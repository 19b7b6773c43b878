"""The estimator's mathematics against scipy and plain matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.motion import BodyRate, MotionModel
from millirobot_adapt.core.estimation.pose_input import BodyPose
from millirobot_adapt.core.estimation.swing_model import SwingModel

NUMBER = st.floats(-3.0, 3.0)
VECTOR = st.tuples(NUMBER, NUMBER, NUMBER)
TAU, MEAN_NOISE, SWING_NOISE = 0.02, 0.3, 1.5
SWING = SwingModel(TAU, np.full((1, 1, 1), MEAN_NOISE), np.full((1, 1, 1), SWING_NOISE))
MODEL = MotionModel(EstimatorConfig())


@given(VECTOR)
def test_exp_agrees_with_scipy(rotation):
    expected = Rotation.from_rotvec(rotation)
    np.testing.assert_allclose((Rotation.from_quat(quat.exp(rotation)) * expected.inv()).magnitude(), 0, atol=1e-9)


@given(VECTOR)
def test_log_finds_the_shorter_rotation_whatever_the_sign(rotation):
    q = quat.exp(rotation)
    expected = Rotation.from_rotvec(rotation).as_rotvec()
    for same in (q, tuple(-number for number in q)):
        found = np.array(quat.log(same))
        # At half a turn both directions are the shorter one.
        assert min(np.abs(found - expected).max(), np.abs(found + expected).max()) < 1e-6 or np.allclose(
            found, expected
        )
        assert np.linalg.norm(found) <= np.pi + 1e-9


def test_tiny_rotations_keep_their_size():
    np.testing.assert_allclose(quat.log(quat.exp((1e-12, -2e-12, 3e-12))), (1e-12, -2e-12, 3e-12), rtol=1e-9)


@given(VECTOR, VECTOR, VECTOR)
def test_product_rotation_and_inverse_agree_with_scipy(a, b, v):
    p, q = quat.exp(a), quat.exp(b)
    product = Rotation.from_quat(p) * Rotation.from_quat(q)
    np.testing.assert_allclose(quat.rotate(quat.multiply(p, q), v), product.apply(v), atol=1e-9)
    np.testing.assert_allclose(quat.rotate(quat.inverse(p), quat.rotate(p, v)), v, atol=1e-9)


def van_loan(dt, A, G):
    """Integrate dx = A x dt + G dw over dt: F and Q (Van Loan 1978, by one matrix exponential)."""
    n = len(A)
    exponential = expm(np.block([[-A, G @ G.T], [np.zeros((n, n)), A.T]]) * dt)
    F = exponential[n:, n:].T
    return F, F @ exponential[:n, n:]


@pytest.mark.parametrize('dt', [1e-4, 1e-3, 0.01, 0.1, 0.2])
def test_the_transition_is_the_integral_of_the_process(dt):
    A = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, -1 / TAU]])
    F, Q = van_loan(dt, A, np.array([[0.0, 0.0], [MEAN_NOISE, 0.0], [0.0, SWING_NOISE]]))
    found = SWING.transition(dt)
    np.testing.assert_allclose(found.F, F, atol=1e-12)
    np.testing.assert_allclose(found.Q[0], Q, rtol=2e-3, atol=1e-15)


def test_a_transition_in_two_halves_is_the_same_as_in_one():
    one, two, both = SWING.transition(0.03), SWING.transition(0.02), SWING.transition(0.05)
    np.testing.assert_allclose(two.F @ one.F, both.F)
    np.testing.assert_allclose(two.F @ one.Q[0] @ two.F.T + two.Q[0], both.Q[0], atol=1e-18)


def test_going_back_in_time_goes_back_in_space_and_makes_less_certain():
    found = SWING.transition(-0.05)
    assert found.F[0, 1] == -0.05
    assert -0.05 < found.F[0, 2] < 0
    assert np.all(np.linalg.eigvalsh(found.Q[0]) > -1e-18)


def test_a_transition_over_no_time_changes_nothing():
    found = SWING.transition(0.0)
    np.testing.assert_array_equal(found.F, np.eye(3))
    np.testing.assert_array_equal(found.Q[0], np.zeros((3, 3)))


def moving():
    """Return a motion after a few poses of a body that walks and turns."""
    motion = MODEL.start(BodyPose(10.0, (0.0, 0.0, 0.05), (0.0, 0.0, 0.0, 1.0)))
    for i in range(1, 6):
        turned = quat.exp((0.01 * i, 0.0, 0.02 * i))
        motion = MODEL.correct(motion, BodyPose(10.0 + 0.01 * i, (0.003 * i, 0.0, 0.05), turned))
    return motion


def test_a_pose_is_taken_by_the_matrix_equations():
    motion = moving()
    predicted = MODEL.predict(motion, 10.06)
    pose = BodyPose(10.06, (0.02, 0.001, 0.05), quat.exp((0.05, 0.0, 0.11)))
    corrected = MODEL.correct(motion, pose)
    error = predicted.difference(pose)
    config, H = EstimatorConfig(), np.array([[1.0, 0.0, 0.0]])
    for axis in range(6):
        P, R = predicted.covariance[axis], (config.position_noise if axis < 3 else config.rotation_noise) ** 2
        K = P @ H.T / (H @ P @ H.T + R)
        np.testing.assert_allclose(corrected.covariance[axis], (np.eye(3) - K @ H) @ P, atol=1e-12)
        np.testing.assert_allclose(corrected.rates[axis], predicted.rates[axis] + K[1:, 0] * error[axis])
    left = corrected.difference(pose)
    assert np.all(np.abs(left) <= np.abs(error) + 1e-12)


def test_an_angular_velocity_corrects_the_rotation_alone():
    motion = moving()
    corrected = MODEL.correct(motion, BodyRate(motion.stamp, (0.0, 0.0, 9.0), 0.01))
    assert corrected.angular_velocity[2] > motion.angular_velocity[2] + 1
    np.testing.assert_array_equal(corrected.position, motion.position)
    np.testing.assert_array_equal(corrected.rates[:3], motion.rates[:3])
    np.testing.assert_array_equal(corrected.covariance[:3], motion.covariance[:3])


def test_smoothing_is_the_matrix_equation_and_makes_more_certain():
    motion = moving()
    later = MODEL.correct(motion, BodyPose(10.06, (0.02, 0.001, 0.05), quat.exp((0.05, 0.0, 0.11))))
    smoothed, gain = MODEL.smooth(motion, later)
    predicted = MODEL.predict(motion, 10.06)
    F = SwingModel(EstimatorConfig().swing_time, np.ones((6, 1, 1)), np.ones((6, 1, 1))).transition(0.01).F
    for axis in range(6):
        P = motion.covariance[axis]
        G = P @ F.T @ np.linalg.inv(predicted.covariance[axis])
        np.testing.assert_allclose(gain[axis], G, rtol=1e-6)
        expected = P + G @ (later.covariance[axis] - predicted.covariance[axis]) @ G.T
        np.testing.assert_allclose(smoothed.covariance[axis], expected, rtol=1e-6, atol=1e-15)
    assert np.all(smoothed.covariance[:, 0, 0] <= motion.covariance[:, 0, 0])
