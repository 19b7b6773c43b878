"""What the estimator does when motion capture fails, lies, or keeps another time."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from stride import FRAME, capture, telemetry, walk

from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample

ROBOT = RobotConfig()
FILTER = EstimatorConfig()
LEG_RATE = 30.0


def circling(stamp, speed=0.3, turn=1.0):
    """Return the pose of a body that walks on a circle."""
    yaw = turn * stamp
    position = np.array(
        [speed / turn * math.sin(yaw), speed / turn * (1 - math.cos(yaw)), 0.05 + 1e-6 * (stamp % 0.07)]
    )
    return PoseSample(stamp, position, Rotation.from_euler('z', yaw).as_quat())


def circle(estimator, begin, end, seen=lambda stamp: True, legs=(28.0, 32.0)):
    """Walk the circle for a while with poses at 100 Hz and telemetry at 10; return the estimates at the replies."""
    estimates = []
    for i in range(round(begin / FRAME), round(end / FRAME)):
        stamp = round(i * FRAME, 3)
        if seen(stamp):
            estimator.on_pose(circling(stamp))
        if i % 10 == 0:
            estimator.on_telemetry(telemetry(stamp, np.array([0.0, 0.0, 1.0]), np.array(legs)))
            estimates.append(estimator.estimate(stamp))
    return estimates


class TestCoasting:
    def gone(self, config=FILTER, **legs):
        """Walk for five seconds, then 0.8 s unseen."""
        estimator = make_estimator(config, ROBOT)
        circle(estimator, 10.0, 15.0)
        return estimator, circle(estimator, 15.0, 15.81, seen=lambda stamp: False, **legs)

    def test_it_goes_on_as_the_legs_tell(self):
        estimator, found = self.gone()
        truth = circling(15.8)
        assert estimator.health().coasting
        assert np.linalg.norm(found[-1].position[:2] - truth.position[:2]) < 0.02
        np.testing.assert_allclose(np.linalg.norm(found[-1].velocity[:2]), 0.3, atol=0.02)
        assert found[-1].angular_velocity[2] == pytest.approx(1.0, abs=0.1)

    def test_it_stops_when_the_legs_stop(self):
        """The prior knows that legs at rest do not move the body; motion capture never showed it."""
        _, going = self.gone()
        _, stopping = self.gone(legs=(0.0, 0.0))
        path = np.linalg.norm(stopping[-1].position[:2] - circling(15.0).position[:2])
        assert path < 0.8 * np.linalg.norm(going[-1].position[:2] - circling(15.0).position[:2])

    def test_it_says_how_uncertain_it_becomes_and_how_old_the_pose_is(self):
        _, found = self.gone()
        sds = [math.sqrt(each.pose_covariance[0, 0]) for each in found[1:]]
        assert all(later > earlier for earlier, later in pairwise(sds))
        assert [each.pose_age for each in found[1:]] == pytest.approx(np.arange(0.11, 0.82, 0.1))

    def test_it_is_back_with_the_first_pose(self):
        estimator, _ = self.gone()
        found = circle(estimator, 15.85, 16.05)
        assert not estimator.health().coasting
        assert estimator.counters()['started'] == 1
        np.testing.assert_allclose(found[-1].position, circling(16.0).position, atol=1e-3)

    def test_legs_that_are_not_finite_are_left_out(self):
        _, found = self.gone(legs=(math.nan, math.inf))
        assert np.isfinite(found[-1].position).all()


class TestSwaps:
    def swapped(self, pose, angle=2 * math.pi / 3):
        turned = Rotation.from_quat(pose.quaternion) * Rotation.from_euler('z', angle)
        return dataclasses.replace(pose, quaternion=turned.as_quat())

    def test_a_short_swap_is_left_out_and_coasted_over(self):
        estimator = make_estimator(FILTER, ROBOT)
        circle(estimator, 10.0, 15.0)
        for i in range(20):
            estimator.on_pose(self.swapped(circling(15.0 + i * FRAME)))
        estimator.on_telemetry(telemetry(15.19, np.array([0.0, 0.0, 1.0]), np.array([28.0, 32.0])))
        found = estimator.estimate(15.19)
        assert estimator.counters()['jumped'] == 20
        assert (Rotation.from_quat(found.quaternion) * Rotation.from_euler('z', -15.19)).magnitude() < 0.1

    def test_a_lasting_swap_is_believed_once_the_gate_has_stopped_the_robot(self):
        estimator = make_estimator(FILTER, ROBOT)
        circle(estimator, 10.0, 12.0)
        started = []
        for i in range(150):
            estimator.on_pose(self.swapped(circling(12.0 + i * FRAME)))
            started.append(estimator.counters()['started'])
        assert started.index(2) * FRAME == pytest.approx(FILTER.lost_after, abs=0.03)

    @pytest.mark.parametrize(('gyro', 'verdict'), [(0.0, 'jumped'), (11.0, 'accepted')])
    def test_at_ten_hertz_the_gyro_tells_a_swap_from_a_turn(self, gyro, verdict):
        estimator = make_estimator(FILTER, ROBOT)
        for i in range(20):
            stamp = 10.0 + 0.1 * i
            estimator.on_pose(PoseSample(stamp, np.array([0.03 * i, 0.0, 0.05]), np.array([0.0, 0.0, 0.0, 1.0])))
            turning = gyro if i == 19 else 0.0
            for j in range(0, 10, 2):
                estimator.on_telemetry(telemetry(stamp + 0.01 * j, np.array([0.0, 0.0, turning])))
        before = estimator.counters()[verdict]
        quaternion = Rotation.from_euler('z', 1.1).as_quat()
        estimator.on_pose(PoseSample(12.0, np.array([0.6, 0.0, 0.05]), quaternion))
        assert estimator.counters()[verdict] == before + 1

    def test_a_body_that_tips_over_at_once_has_jumped(self):
        estimator = make_estimator(FILTER, ROBOT)
        for i in range(10):
            estimator.on_pose(
                PoseSample(10.0 + 0.1 * i, np.array([0.03 * i, 0.0, 0.05]), np.array([0.0, 0.0, 0.0, 1.0]))
            )
        estimator.on_pose(PoseSample(11.0, np.array([0.3, 0.0, 0.05]), Rotation.from_euler('x', 2.5).as_quat()))
        assert estimator.counters()['jumped'] == 1


@pytest.fixture(scope='module')
def truth():
    return walk(seconds=30.0)


class TestGyroAndClock:
    BIAS = np.array([0.05, -0.1, 0.2])

    def watched(self, truth, offset=0.0, config=FILTER):
        """Walk past a motion capture whose stamps are `offset` late, with a biased gyro."""
        estimator = make_estimator(config, ROBOT)
        for i, sample in enumerate(capture(truth, position_noise=5e-5, rotation_noise=1.5e-3)):
            estimator.on_pose(dataclasses.replace(sample, stamp=sample.stamp + offset))
            if i % 10 == 9:
                estimator.on_telemetry(telemetry(sample.stamp, truth.gyro(sample.stamp) + self.BIAS))
        return estimator

    def test_the_bias_is_found_within_its_uncertainty(self, truth):
        health = self.watched(truth).health()
        error = np.abs(np.array(health.gyro_bias) - self.BIAS)
        assert np.all(error < 3 * np.array(health.gyro_bias_sd) + 0.01)
        assert max(health.gyro_bias_sd) < 0.15

    @pytest.mark.parametrize('offset', [-0.03, 0.0, 0.05])
    def test_the_lag_of_the_stamps_is_found(self, truth, offset):
        health = self.watched(truth, offset).health()
        assert health.clock_offset == pytest.approx(offset, abs=0.003)
        assert bool(health.warnings()) == (offset != 0.0)
        assert health.clock_correction == pytest.approx(offset, abs=0.003)

    def test_the_lag_is_taken_off_when_wanted(self, truth):
        stamp = truth.start + 29.9
        expected, _ = truth.mean_twist(stamp)

        def error(config):
            return np.linalg.norm(self.watched(truth, 0.05, config).estimate(stamp).velocity - expected)

        right = error(FILTER)
        assert right < 0.02
        assert right < 0.5 * error(dataclasses.replace(FILTER, correct_clock=False))
        assert error(dataclasses.replace(FILTER, clock_offset=0.05, correct_clock=False)) < 0.02

    def test_a_robot_at_rest_tells_no_lag(self):
        estimator, rng = make_estimator(FILTER, ROBOT), np.random.default_rng(0)
        for i in range(2000):
            stamp = 10.0 + i * FRAME
            place = np.array([0.0, 0.0, 0.05]) + rng.normal(0, 5e-5, 3)
            estimator.on_pose(PoseSample(stamp, place, Rotation.from_rotvec(rng.normal(0, 1e-3, 3)).as_quat()))
            if i % 10 == 0:
                estimator.on_telemetry(telemetry(stamp, rng.normal(0, 0.01, 3)))
        assert estimator.health().clock_offset is None
        assert estimator.health().warnings() == []


def test_the_baseline_knows_its_counts_alone():
    health = make_estimator(EstimatorConfig(method='finite_difference'), ROBOT).health()
    assert health.counts['accepted'] == 0
    assert health.clock_offset is None
    assert health.warnings() == []
