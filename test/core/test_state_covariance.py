"""The covariance of the state against states drawn at random."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.estimation.assembly import state_of
from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.estimation.state_covariance import state_covariance
from millirobot_adapt.core.geometry import rotate
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.samples import Telemetry

ROBOT = load_robot('velociroach')
DRAWS = 4000


def spread(rng, n, size):
    """Return a covariance with correlations, shape (n, n), of standard deviations about `size`."""
    root = size * (np.eye(n) + 0.3 * rng.standard_normal((n, n)))
    return root @ root.T


def draw(rng, turn, pose_covariance, twist_covariance):
    """Draw an estimate and a reply whose errors have the covariances they are said to have."""
    noise = ROBOT.sensor_noise
    pose = rng.multivariate_normal(np.zeros(6), pose_covariance)
    body_velocity = np.array([0.3, 0.02, -0.01]) + rng.multivariate_normal(np.zeros(3), twist_covariance[:3, :3])
    truth = Rotation.from_euler('xyz', turn)
    orientation = (Rotation.from_rotvec(pose[3:]) * truth).as_quat()
    estimate = Estimate(
        0.0, np.array([1.0, 2.0, 0.03]) + pose[:3], orientation, rotate(truth.as_quat(), body_velocity),
        np.zeros(3), pose_covariance, twist_covariance, 0.0,
    )  # fmt: skip
    angles = np.array([[0.4, 2.0], [1.9, 5.0]]) + noise.joint_angle * rng.standard_normal((2, 2))
    telemetry = Telemetry(
        0.0, angles[1], (angles[1] - angles[0]) / ROBOT.dt, noise.gyro * rng.standard_normal(3), np.zeros(3),
        noise.effort * rng.standard_normal(2), 4.0 + noise.battery * rng.standard_normal(),
    )  # fmt: skip
    return estimate, telemetry


@pytest.mark.parametrize('turn', [(0.0, 0.0, 0.0), (0.2, -0.3, 2.5), (-0.4, 0.5, -1.2)])
def test_states_scatter_as_their_covariance_says(turn):
    rng = generator(3)
    pose_covariance = np.zeros((6, 6))
    pose_covariance[:3, :3], pose_covariance[3:, 3:] = spread(rng, 3, 0.001), spread(rng, 3, 0.01)
    twist_covariance = np.zeros((6, 6))
    twist_covariance[:3, :3] = spread(rng, 3, 0.02)
    drawn = [draw(rng, turn, pose_covariance, twist_covariance) for _ in range(DRAWS)]
    found = np.cov(np.array([state_of(*pair, ROBOT) for pair in drawn]).T)
    # The derivatives are taken at the true attitude, about which the drawn ones scatter.
    undisturbed = replace(drawn[0][0], quaternion=Rotation.from_euler('xyz', turn).as_quat())
    told = state_covariance(undisturbed, drawn[0][1], ROBOT)
    # A cosine near its top is flat: to first order it does not scatter at all.
    scale = np.sqrt(np.diag(found))
    scale[6:12] = np.maximum(scale[6:12], 0.002)
    difference = (found - told) / np.outer(scale, scale)
    # Leg angle and leg velocity share their noise; that cross term is not kept.
    difference[15:19, 19:21] = difference[19:21, 15:19] = 0.0
    # An entry of a sample correlation is off by about 1 / sqrt(draws).
    assert np.abs(difference).max() < 0.1


def test_it_is_a_covariance_also_on_the_nose():
    rng = generator(4)
    pose_covariance = np.diag([1e-6] * 3 + [1e-4] * 3)
    told = state_covariance(*draw(rng, (0.0, np.pi / 2, 0.3), pose_covariance, np.diag([1e-4] * 6)), ROBOT)
    assert np.all(np.isfinite(told))
    np.testing.assert_allclose(told, told.T, rtol=1e-9, atol=1e-15)
    assert np.linalg.eigvalsh(told).min() > -1e-9 * np.abs(told).max()


def test_noisier_sensors_and_estimates_make_a_less_certain_state():
    rng = generator(5)
    pair = draw(rng, (0.1, 0.2, 0.3), np.diag([1e-6] * 6), np.diag([1e-4] * 6))
    told = state_covariance(*pair, ROBOT)
    noisier = replace(
        ROBOT, sensor_noise=replace(ROBOT.sensor_noise, joint_angle=1e-3, gyro=0.1, effort=1.0, battery=0.5)
    )
    legs, rest = np.diag(state_covariance(*pair, noisier))[12:], np.diag(told)[12:]
    assert np.all(legs > rest)
    np.testing.assert_array_equal(np.diag(state_covariance(*pair, noisier))[:12], np.diag(told)[:12])
