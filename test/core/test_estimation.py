"""Pose and twist from motion capture: accuracy, honesty about it, and what bad input does."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation
from stride import FRAME, Walk, capture, telemetry, walk

from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig, EstimatorNodeConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.core.share import find

ROBOT = RobotConfig()
FILTER = EstimatorConfig()
BASELINE = EstimatorConfig(method='finite_difference')
LEVEL = np.array([0.0, 0.0, 0.0, 1.0])


def pose(stamp, x=0.0, y=0.0, z=0.05, quaternion=LEVEL):
    return PoseSample(stamp, np.array([x, y, z]), np.array(quaternion, dtype=float))


def follow(estimator, seconds=1.0, start=10.0, speed=0.3, skip=lambda stamp: False):
    """Feed a straight walk along x; the tiny z makes every frame new."""
    for i in range(round(seconds / FRAME) + 1):
        stamp = start + i * FRAME
        if not skip(stamp):
            estimator.on_pose(pose(stamp, speed * i * FRAME, z=0.05 + 1e-6 * (i % 7)))
    return start + round(seconds / FRAME) * FRAME


def run(config, truth, poses, seed=5, gyro_noise=0.0):
    """Ask at control times, poses arriving up to 10 ms late; return estimates, true mean velocities and rates."""
    rng = np.random.default_rng(seed)
    estimator = make_estimator(config, ROBOT)
    waiting = [(sample.stamp + rng.uniform(0, 0.01), sample) for sample in poses]
    waiting.sort(key=lambda arrival: arrival[0])
    found, velocities, rates = [], [], []
    for tick in range(5, round(truth.seconds * 10) - 1):
        now = round(truth.start + 0.1 * tick, 3)
        while waiting[0][0] <= now:
            estimator.on_pose(waiting.pop(0)[1])
        estimator.on_telemetry(telemetry(now, truth.gyro(now) + rng.normal(0, gyro_noise, 3)))
        velocity, rate = truth.mean_twist(now)
        found.append(estimator.estimate(now))
        velocities.append(velocity)
        rates.append(rate)
    return found, np.array(velocities), np.array(rates)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def normalised(error, covariance):
    """Return the normalised estimation error squared, per degree of freedom."""
    return float(np.array(error) @ np.linalg.solve(covariance, np.array(error))) / len(error)


def nees(errors, variances):
    """Return the mean normalised estimation error squared, per degree of freedom."""
    return float(np.mean(np.square(errors) / np.array(variances)[:, None]))


def swinging_walk(config, seed, seconds=5.0) -> Walk:
    """Make a motion that obeys the filter's own model: mean rates that drift, swing that decays."""
    rng = np.random.default_rng(seed)
    n, dt = int(seconds * 1000) + 1, 1e-3
    drift = np.repeat([config.speed_drift, config.turn_drift], 3)
    liveliness = np.array([config.horizontal_swing] * 2 + [config.vertical_swing] + [config.tilt_swing] * 2)
    liveliness = np.append(liveliness, config.yaw_swing)
    mean = np.cumsum(rng.normal(0, drift * math.sqrt(dt), (n, 6)), axis=0)
    kicks = rng.normal(0, liveliness * math.sqrt(dt), (n, 6))
    swing = lfilter([1.0], [1.0, -math.exp(-dt / config.swing_time)], kicks, axis=0)
    rate = mean + swing
    turns = [Rotation.identity()]
    for step in Rotation.from_rotvec(rate[:-1, 3:] * dt):
        turns.append(step * turns[-1])
    return Walk(np.cumsum(rate[:, :3], axis=0) * dt, Rotation.concatenate(turns))


@pytest.fixture(scope='module')
def truth() -> Walk:
    return walk(seconds=40.0)


@pytest.fixture(scope='module')
def both(truth):
    poses = capture(truth, position_noise=FILTER.position_noise, rotation_noise=FILTER.rotation_noise)
    # This walk swings about more than the mock does.
    lively = dataclasses.replace(FILTER, horizontal_swing=1.0, vertical_swing=3.0, yaw_swing=20.0)
    return run(lively, truth, poses), run(BASELINE, truth, poses)


class TestAccuracy:
    def test_the_filter_beats_finite_differences(self, both):
        (filtered, velocities, rates), (baseline, _, _) = both

        def errors(found):
            velocity = rms([each.velocity for each in found] - velocities)
            yaw_rate = rms(np.array([each.angular_velocity[2] for each in found]) - rates[:, 2])
            return velocity, yaw_rate

        velocity, yaw_rate = errors(filtered)
        baseline_velocity, baseline_yaw_rate = errors(baseline)
        assert velocity < 0.75 * baseline_velocity
        assert yaw_rate < 0.5 * baseline_yaw_rate

    def test_it_adds_no_delay(self, truth):
        """Shift the truth against the estimate: it fits best within 10 ms."""
        found, _, _ = run(FILTER, truth, capture(truth))
        times = [each.stamp for each in found[:-1]]
        yaw_rates = np.array([each.angular_velocity[2] for each in found[:-1]])
        shifts = np.arange(-0.05, 0.0501, 0.005)
        errors = [rms(yaw_rates - [truth.mean_twist(round(t - shift, 3))[1][2] for t in times]) for shift in shifts]
        assert abs(shifts[int(np.argmin(errors))]) <= 0.010

    def test_covariances_are_not_too_small(self, both):
        (found, velocities, rates), _ = both
        velocity = [each.velocity for each in found] - velocities
        rate = [each.angular_velocity for each in found] - rates
        assert nees(velocity, [each.twist_covariance[0, 0] for each in found]) < 1.2
        assert nees(rate, [each.twist_covariance[3, 3] for each in found]) < 1.2

    def test_covariances_are_right_where_the_model_is(self):
        """On motion that obeys the model, the normalised errors squared are 1 on average."""
        config = dataclasses.replace(FILTER, tilt_swing=10.0, largest_speed=20.0)
        squares: dict[str, list] = {'pose': [], 'twist': []}
        for seed in range(8):
            truth = swinging_walk(config, seed)
            poses = capture(truth, seed + 100, config.position_noise, config.rotation_noise)
            found, velocities, rates = run(config, truth, poses, seed, config.gyro_noise)
            places, turns = truth.poses(np.array([each.stamp for each in found]))
            for each, place, turn, velocity, rate in zip(found, places, turns, velocities, rates, strict=True):
                estimated = Rotation.from_quat(each.quaternion)
                angle = (estimated * turn.inv()).as_rotvec()
                squares['pose'].append(normalised([*(each.position - place), *angle], each.pose_covariance))
                error = [*estimated.inv().apply(each.velocity - velocity), *(each.angular_velocity - rate)]
                squares['twist'].append(normalised(error, each.twist_covariance))
        for name, values in squares.items():
            assert np.mean(values) == pytest.approx(1.0, abs=0.1), name

    def test_pose_is_extrapolated_to_the_stamp(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator, speed=0.3)
        found = estimator.estimate(last + 0.02)
        assert found.position[0] == pytest.approx(0.306, abs=1e-4)
        assert found.velocity[0] == pytest.approx(0.3, abs=1e-3)
        assert found.pose_age == pytest.approx(0.02)

    def test_a_stamp_before_the_newest_pose_is_interpolated(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator, speed=0.3)
        found = estimator.estimate(last - 0.015)
        assert found.position[0] == pytest.approx(0.2955, abs=1e-4)
        assert found.pose_age == 0.0

    def test_the_gyro_tells_of_a_turn_that_no_pose_has_seen(self):
        without, with_gyro = make_estimator(FILTER, ROBOT), make_estimator(FILTER, ROBOT)
        for estimator in (without, with_gyro):
            last = follow(estimator)
        with_gyro.on_telemetry(telemetry(last + 0.01, np.array([0.0, 0.0, 4.0])))
        turned = Rotation.from_quat(with_gyro.estimate(last + 0.01).quaternion).as_rotvec()[2]
        assert turned > 0.01
        assert abs(Rotation.from_quat(without.estimate(last + 0.01).quaternion).as_rotvec()[2]) < 1e-3


class TestBadInput:
    @pytest.mark.parametrize(
        'bad',
        [
            pose(11.01, x=math.nan),
            pose(11.01, quaternion=(0, 0, 0, 0)),
            pose(11.01, quaternion=(0, math.inf, 0, 1)),
            pose(math.nan),
            pose(11.01, x=1e300),
        ],
    )
    @pytest.mark.parametrize('config', [FILTER, BASELINE], ids=['filter', 'baseline'])
    def test_senseless_poses_change_nothing(self, bad, config):
        estimator, untouched = make_estimator(config, ROBOT), make_estimator(config, ROBOT)
        follow(estimator)
        last = follow(untouched)
        estimator.on_pose(bad)
        assert estimator.counters()['invalid'] == 1
        np.testing.assert_array_equal(estimator.estimate(last).position, untouched.estimate(last).position)

    @pytest.mark.parametrize('config', [FILTER, BASELINE], ids=['filter', 'baseline'])
    def test_repeats_are_dropped_whatever_their_stamp(self, config):
        estimator = make_estimator(config, ROBOT)
        last = follow(estimator)
        estimator.on_pose(pose(last, 0.3, z=0.05 + 1e-6 * (100 % 7)))
        estimator.on_pose(pose(last + FRAME, 0.3, z=0.05 + 1e-6 * (100 % 7)))
        assert estimator.counters()['repeated'] == 2
        assert estimator.estimate(last + FRAME).pose_age == pytest.approx(FRAME)

    def test_an_old_frame_sent_again_later_is_a_repeat(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        before = estimator.estimate(last)
        estimator.on_pose(pose(last - FRAME, 0.297, z=0.05 + 1e-6 * (99 % 7)))
        assert estimator.counters()['repeated'] == 1
        np.testing.assert_array_equal(estimator.estimate(last).velocity, before.velocity)

    def test_order_of_arrival_does_not_matter(self):
        poses = capture(walk(seconds=1.0))
        swapped = poses.copy()
        for i in range(10, 90, 4):
            swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
        one, other = make_estimator(FILTER, ROBOT), make_estimator(FILTER, ROBOT)
        for sample, shuffled in zip(poses, swapped, strict=True):
            one.on_pose(sample)
            other.on_pose(shuffled)
        stamp = poses[-1].stamp
        np.testing.assert_allclose(one.estimate(stamp).velocity, other.estimate(stamp).velocity, rtol=1e-9)
        assert other.counters()['late'] == 0

    def test_a_pose_older_than_the_memory_is_late(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        estimator.on_pose(pose(last - 0.6, 0.1))
        assert estimator.counters()['late'] == 1

    @pytest.mark.parametrize('jump', [0.05, 0.15, 1.0])
    def test_a_jump_is_left_out(self, jump):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        estimator.on_pose(pose(last + FRAME, 0.303 + jump))
        found = estimator.estimate(last + FRAME)
        assert estimator.counters()['jumped'] == 1
        assert found.position[0] == pytest.approx(0.303, abs=1e-3)
        assert found.velocity[0] == pytest.approx(0.3, abs=0.01)

    def test_a_flip_is_left_out(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        estimator.on_pose(pose(last + FRAME, 0.303, quaternion=(1, 0, 0, 0)))
        assert estimator.counters()['jumped'] == 1

    def test_at_ten_hertz_a_jump_is_one_that_needs_too_much_speed(self):
        estimator = make_estimator(FILTER, ROBOT)
        for i in range(20):
            estimator.on_pose(pose(10.0 + 0.1 * i, 0.03 * i))
        estimator.on_pose(pose(12.0, 0.6 + 0.2))
        counts = estimator.counters()
        assert (counts['accepted'], counts['jumped'], counts['started']) == (19, 1, 1)
        assert sum(counts.values()) == 21

    def test_a_robot_carried_elsewhere_is_believed_after_a_while(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        for i in range(1, 140):
            estimator.on_pose(pose(last + i * FRAME, 1.0, z=0.05 + 1e-6 * i))
        counts = estimator.counters()
        # As long as the gate may let it move the robot does not leap; then the gate has stopped it.
        assert (counts['jumped'], counts['started']) == (round(FILTER.lost_after / FRAME), 2)
        found = estimator.estimate(last + 139 * FRAME)
        assert found.position[0] == pytest.approx(1.0, abs=1e-3)
        assert found.velocity[0] == pytest.approx(0.0, abs=1e-2)

    def test_jumps_that_disagree_are_never_believed(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        for i in range(1, 20):
            estimator.on_pose(pose(last + i * FRAME, 2.0 + (-1) ** i))
        assert estimator.counters()['started'] == 1

    def test_a_clock_set_back_is_believed_after_a_while(self):
        estimator = make_estimator(FILTER, ROBOT)
        follow(estimator, start=100.0)
        last = follow(estimator, start=50.0)
        assert estimator.estimate(last).position[0] == pytest.approx(0.3, abs=1e-3)

    def test_a_frozen_motion_capture_is_lost(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        for i in range(1, 200):
            estimator.on_pose(pose(last + i * FRAME, 0.3, z=0.05 + 1e-6 * (100 % 7)))
        assert estimator.estimate(last + 1.99) is None

    def test_a_gyro_reading_that_is_not_finite_changes_nothing(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        before = estimator.estimate(last)
        estimator.on_telemetry(telemetry(last, np.array([0.0, math.nan, 0.0])))
        np.testing.assert_array_equal(estimator.estimate(last).quaternion, before.quaternion)

    @pytest.mark.parametrize('config', [FILTER, BASELINE], ids=['filter', 'baseline'])
    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.tuples(st.floats(), st.tuples(*[st.floats()] * 3), st.tuples(*[st.floats()] * 4))
            | st.tuples(st.floats(0, 2), st.tuples(*[st.floats(-2, 2)] * 3), st.tuples(*[st.floats(-1, 1)] * 4)),
            max_size=30,
        )
    )
    def test_any_stream_gives_finite_numbers_or_nothing(self, config, stream):
        estimator = make_estimator(config, ROBOT)
        for stamp, position, quaternion in stream:
            estimator.on_pose(PoseSample(stamp, np.array(position), np.array(quaternion)))
            estimator.on_telemetry(telemetry(stamp, np.array(position)))
            found = estimator.estimate(stamp)
            if found is not None:
                for value in dataclasses.astuple(found):
                    assert np.all(np.isfinite(value))
                assert np.linalg.norm(found.quaternion) == pytest.approx(1.0)
                assert np.all(np.diag(found.pose_covariance) >= 0)
                assert np.all(np.diag(found.twist_covariance) >= 0)
        assert sum(estimator.counters().values()) == len(stream)


class TestDropouts:
    def test_before_the_first_pose_there_is_nothing(self):
        for config in (FILTER, BASELINE):
            assert make_estimator(config, ROBOT).estimate(10.0) is None

    def test_it_coasts_less_and_less_certain_until_it_is_lost(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator, speed=0.3)
        coasting = [estimator.estimate(last + age) for age in (0.0, 0.1, 0.3, 0.9)]
        sds = [math.sqrt(each.pose_covariance[0, 0]) for each in coasting]
        assert all(later > 2 * earlier for earlier, later in pairwise(sds))
        assert coasting[2].position[0] == pytest.approx(0.39, abs=0.01)
        assert estimator.estimate(last + FILTER.lost_after + 0.01) is None

    def test_after_a_dropout_it_is_back_at_once(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator, seconds=2.0, skip=lambda stamp: 10.5 < stamp < 11.0)
        found = estimator.estimate(last)
        assert found.velocity[0] == pytest.approx(0.3, abs=1e-3)
        assert estimator.counters()['jumped'] == 0
        assert estimator.counters()['started'] == 1

    def test_telemetry_alone_does_not_keep_it_alive(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        for i in range(1, 15):
            estimator.on_telemetry(telemetry(last + 0.1 * i, np.zeros(3)))
        assert estimator.estimate(last + 1.4) is None
        follow(estimator, start=last + 1.5)
        assert estimator.estimate(last + 2.5).velocity[0] == pytest.approx(0.3, abs=1e-3)

    def test_a_pose_after_half_a_second_of_telemetry_alone_is_taken(self):
        estimator = make_estimator(FILTER, ROBOT)
        last = follow(estimator)
        for i in range(1, 6):
            estimator.on_telemetry(telemetry(last + 0.1 * i, np.zeros(3)))
        estimator.on_pose(pose(last + 0.51, 0.3 + 0.153))
        assert estimator.counters()['late'] == 0
        assert estimator.estimate(last + 0.51).position[0] == pytest.approx(0.453, abs=1e-3)


class TestFrames:
    @settings(max_examples=20, deadline=None)
    @given(st.floats(-3, 3), st.tuples(st.floats(-5, 5), st.floats(-5, 5)), st.booleans())
    def test_where_the_world_lies_does_not_change_the_body_twist(self, yaw, shift, sign):
        turn = Rotation.from_euler('z', yaw)
        here, there = make_estimator(FILTER, ROBOT), make_estimator(FILTER, ROBOT)
        poses = capture(walk(seconds=0.5))
        for i, sample in enumerate(poses):
            here.on_pose(sample)
            quaternion = (turn * Rotation.from_quat(sample.quaternion)).as_quat()
            if sign and i % 3 == 0:
                quaternion = -quaternion
            there.on_pose(PoseSample(sample.stamp, turn.apply(sample.position) + np.array([*shift, 0.0]), quaternion))
        one, other = here.estimate(poses[-1].stamp), there.estimate(poses[-1].stamp)
        np.testing.assert_allclose(turn.apply(one.velocity), other.velocity, atol=1e-9)
        np.testing.assert_allclose(one.angular_velocity, other.angular_velocity, atol=1e-9)
        np.testing.assert_allclose(turn.apply(one.position) + np.array([*shift, 0.0]), other.position, atol=1e-9)

    def test_angular_velocity_is_in_the_body_frame(self):
        """A body on its side that turns about the world's z turns about its own y."""
        estimator = make_estimator(FILTER, ROBOT)
        side = Rotation.from_euler('x', 90, degrees=True)
        for i in range(51):
            quaternion = (Rotation.from_euler('z', 2.0 * i * FRAME) * side).as_quat()
            estimator.on_pose(pose(10 + i * FRAME, quaternion=quaternion))
        np.testing.assert_allclose(estimator.estimate(10.5).angular_velocity, [0, 2.0, 0], atol=1e-3)

    @pytest.mark.parametrize('config', [FILTER, BASELINE], ids=['filter', 'baseline'])
    def test_marker_offset_is_taken_off(self, config):
        """A marker 2 cm above and turned by 90 degrees: the robot heads along x below it."""
        robot = dataclasses.replace(ROBOT, marker_offset=(0.01, 0.0, 0.02, 0.0, 0.0, math.pi / 2))
        estimator = make_estimator(config, robot)
        quarter = Rotation.from_euler('z', 90, degrees=True).as_quat()
        for i in range(20):
            estimator.on_pose(pose(10 + i * FRAME, 1.0, 2.0, 0.07 + 1e-7 * i, quarter))
        found = estimator.estimate(10.19)
        np.testing.assert_allclose(found.position, [0.99, 2.0, 0.05], atol=1e-5)
        np.testing.assert_allclose(np.abs(found.quaternion), LEVEL, atol=1e-6)


class TestFiniteDifference:
    def test_it_is_the_difference_of_the_newest_poses(self):
        estimator = make_estimator(BASELINE, ROBOT)
        estimator.on_pose(pose(10.0, 0.0))
        estimator.on_telemetry(telemetry(10.003, np.zeros(3)))
        estimator.on_pose(pose(10.1, 0.02, quaternion=Rotation.from_euler('z', 0.1).as_quat()))
        estimator.on_telemetry(telemetry(10.103, np.zeros(3)))
        found = estimator.estimate(10.103)
        assert found.velocity[0] == pytest.approx(0.2)
        assert found.angular_velocity[2] == pytest.approx(1.0)
        assert found.position[0] == 0.02

    def test_it_is_lost_when_poses_stay_away(self):
        estimator = make_estimator(BASELINE, ROBOT)
        estimator.on_pose(pose(10.0))
        assert estimator.estimate(10.9) is not None
        assert estimator.estimate(11.1) is None


class TestParameters:
    def test_the_shipped_file_holds_the_defaults(self):
        path = find('params', 'estimator', '.yaml')
        assert read_params(path, 'estimator', EstimatorNodeConfig) == EstimatorNodeConfig()

    def test_an_unknown_method_is_refused(self):
        with pytest.raises(UserError, match='kalman'):
            EstimatorConfig(method='kalman')

    @pytest.mark.parametrize(
        ('name', 'value'),
        [
            ('lost_after', 0.05),
            ('twist_period', 0.2),
            ('position_noise', 0.01),
            ('rotation_noise', 0.05),
            ('gyro_noise', 20.0),
            ('clock_offset', 0.01),
            ('swing_time', 0.1),
            ('horizontal_swing', 0.1),
            ('vertical_swing', 0.1),
            ('tilt_swing', 5.0),
            ('yaw_swing', 5.0),
            ('speed_drift', 3.0),
            ('turn_drift', 30.0),
            ('start_speed', 0.02),
            ('start_angular_speed', 0.2),
            ('gate', 3.0),
            ('largest_turn', 0.1),
            ('largest_speed', 0.1),
            ('coast_after', 0.5),
            ('tilt_spread', 2.0),
            ('leg_speed', 0.05),
            ('leg_turn', 0.5),
            ('leg_memory', 1.0),
        ],
    )
    def test_every_parameter_matters(self, name, value):
        """A short run with a start, noise, jumps and a dropout goes otherwise."""
        truth = walk(seconds=2.5)
        poses = capture(truth, seed=2)
        for i in (60, *range(150, 178)):
            poses[i] = dataclasses.replace(poses[i], position=poses[i].position + 0.12)
        del poses[90:110]

        def outcome(config):
            estimator = make_estimator(config, ROBOT)
            seen = []
            for i, sample in enumerate(poses):
                estimator.on_pose(sample)
                if i % 10 == 3:
                    stamp = round(sample.stamp + 0.03, 3)
                    estimator.on_telemetry(telemetry(stamp, truth.gyro(stamp), np.array([20.0, 25.0])))
                    found = estimator.estimate(stamp)
                    seen.append(None if found is None else (*found.velocity, *found.angular_velocity))
            return seen, estimator.counters()

        assert outcome(dataclasses.replace(FILTER, **{name: value})) != outcome(FILTER)

    @pytest.mark.parametrize(('name', 'value'), [('restart_after', 60), ('restart_time', 0.6)])
    def test_how_soon_a_sequence_of_jumps_is_believed(self, name, value):
        def started(config):
            estimator = make_estimator(config, ROBOT)
            last = follow(estimator)
            for i in range(round(0.8 / FRAME), round(2.2 / FRAME)):
                estimator.on_pose(pose(last + i * FRAME, 1.0, z=0.05 + 1e-6 * i))
                if estimator.counters()['started'] > 1:
                    return i
            return None

        late = started(dataclasses.replace(FILTER, **{name: value}))
        assert late > started(FILTER)
