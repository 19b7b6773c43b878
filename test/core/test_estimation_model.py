"""The estimator's mathematics against scipy and plain matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.estimation import constant_velocity as cv
from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.constant_velocity import UNCHANGED, Covariance, Gain

NUMBER = st.floats(-3.0, 3.0)
VECTOR = st.tuples(NUMBER, NUMBER, NUMBER)
PRIOR = Covariance(2e-3, 1e-3, 4e-2)


def matrix(value: Covariance | Gain) -> np.ndarray:
    if isinstance(value, Covariance):
        return np.array([[value.value, value.cross], [value.cross, value.rate]])
    return np.array(value).reshape(2, 2)


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


@pytest.mark.parametrize('dt', [0.01, 0.1])
def test_prediction_is_the_matrix_equation(dt):
    F = np.array([[1, dt], [0, 1]])
    Q = 1.5**2 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    np.testing.assert_allclose(matrix(cv.predict(PRIOR, dt, 1.5)), F @ matrix(PRIOR) @ F.T + Q)


def test_prediction_in_two_halves_is_the_same_as_in_one():
    halves = cv.predict(cv.predict(PRIOR, 0.03, 1.5), 0.02, 1.5)
    np.testing.assert_allclose(halves, cv.predict(PRIOR, 0.05, 1.5))


def test_going_back_in_time_makes_less_certain():
    back = cv.predict(Covariance(1e-6, 0.0, 1e-2), -0.05, 1.5)
    assert back.value > 1e-6
    assert back.rate > 1e-2


@pytest.mark.parametrize(('update', 'H'), [(cv.update_value, [[1.0, 0.0]]), (cv.update_rate, [[0.0, 1.0]])])
def test_update_is_the_matrix_equation(update, H):
    P, H = matrix(PRIOR), np.array(H)
    K = P @ H.T / (H @ P @ H.T + 1e-3)
    updated, *gains = update(PRIOR, 1e-3)
    np.testing.assert_allclose(gains, K[:, 0])
    np.testing.assert_allclose(matrix(updated), (np.eye(2) - K @ H) @ P)


def test_smoother_is_the_matrix_equation():
    predicted = cv.predict(PRIOR, 0.02, 1.5)
    later, *_ = cv.update_value(predicted, 1e-4)
    F = np.array([[1, 0.02], [0, 1]])
    G = matrix(PRIOR) @ F.T @ np.linalg.inv(matrix(predicted))
    gain = cv.smoother_gain(PRIOR, 0.02, predicted)
    np.testing.assert_allclose(matrix(gain), G)
    expected = matrix(PRIOR) + G @ (matrix(later) - matrix(predicted)) @ G.T
    np.testing.assert_allclose(matrix(cv.smooth(PRIOR, gain, predicted, later)), expected)
    np.testing.assert_allclose(matrix(cv.chain(gain, gain)), G @ G)
    assert cv.chain(UNCHANGED, gain) == gain
