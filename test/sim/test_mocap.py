import dataclasses
import itertools

import numpy as np
import pytest

from millirobot_adapt.core.geometry import quaternion_from_rpy, roll_pitch_yaw
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim.conditions import Condition, MocapNoise
from millirobot_adapt.sim.mocap import PERIOD, Mocap

ROBOT = load_robot('velociroach')
QUIET = MocapNoise(position=0.0, angle=0.0, latency=0.0, repeated=0.0, jumps=0.0)
POSITION = np.array([1.0, 2.0, 0.02])


def frames(noise: MocapNoise, count: int = 2000, robot=ROBOT, yaw: float = 0.0, **condition):
    mocap = Mocap(robot, Condition(mocap=noise, **condition), np.random.default_rng(0))
    quaternion = quaternion_from_rpy(np.array([0.0, 0.0, yaw]))
    for i in range(count):
        mocap.expose(i * PERIOD, POSITION, quaternion)
    return mocap.due(count * PERIOD + 1.0)


def test_without_noise_the_pose_is_the_truth():
    poses = frames(QUIET, 5, yaw=0.3)
    assert [pose.stamp for pose in poses] == pytest.approx(PERIOD * np.arange(5))
    np.testing.assert_allclose(poses[4].position, POSITION)
    np.testing.assert_allclose(roll_pitch_yaw(poses[4].quaternion), [0.0, 0.0, 0.3], atol=1e-12)


def test_noise_has_the_given_size():
    poses = frames(dataclasses.replace(QUIET, position=0.001, angle=0.01))
    np.testing.assert_allclose(np.std([pose.position for pose in poses], axis=0), 0.001, rtol=0.1)
    np.testing.assert_allclose(np.std([roll_pitch_yaw(p.quaternion) for p in poses], axis=0), 0.01, rtol=0.1)


def test_the_given_share_of_frames_repeats_the_one_before_bit_for_bit():
    poses = frames(dataclasses.replace(QUIET, repeated=0.05, position=0.001))
    repeats = [b is a for a, b in itertools.pairwise(poses)]
    assert 0.035 < np.mean(repeats) < 0.065


def test_the_given_share_of_frames_jumps_by_the_given_distance():
    poses = frames(dataclasses.replace(QUIET, jumps=0.05, jump_size=0.3))
    distance = np.linalg.norm([pose.position - POSITION for pose in poses], axis=1)
    assert 0.035 < np.mean(distance > 1e-9) < 0.065
    np.testing.assert_allclose(distance[distance > 1e-9], 0.3)


def test_frames_arrive_late_but_in_order():
    mocap = Mocap(ROBOT, Condition(mocap=dataclasses.replace(QUIET, latency=0.02)), np.random.default_rng(0))
    for i in range(300):
        mocap.expose(i * PERIOD, POSITION, np.array([0.0, 0.0, 0.0, 1.0]))
    seen, delays = [], []
    for i in range(400 * 10):
        now = i * 0.001
        due = mocap.next_due()
        for pose in mocap.due(now):
            assert due is not None
            assert due <= now
            seen.append(pose.stamp)
            delays.append(now - pose.stamp)
    assert seen == sorted(seen)
    assert len(seen) == 300
    assert 0.015 < max(delays) <= 0.0215


def test_the_known_and_the_unknown_marker_offset_add_up_in_the_body_frame():
    robot = dataclasses.replace(ROBOT, marker_offset=(0.01, 0.0, 0.0, 0.0, 0.0, 0.1))
    pose = frames(QUIET, 1, robot=robot, yaw=np.pi / 2, pose_offset=(0.0, 0.02, 0.0, 0.0, 0.0, 0.2))[0]
    np.testing.assert_allclose(pose.position, POSITION + np.array([-0.02, 0.01, 0.0]), atol=1e-12)
    np.testing.assert_allclose(roll_pitch_yaw(pose.quaternion), [0.0, 0.0, np.pi / 2 + 0.3], atol=1e-12)


def test_the_newest_pose_is_anywhere_from_0_to_10_ms_old_at_a_control_time():
    condition = Condition(mocap=QUIET)
    mocap = Mocap(ROBOT, condition, np.random.default_rng(0))
    ages = []
    for tick in range(20_000):
        now = tick * 0.001
        if now >= mocap.next_exposure:
            mocap.expose(now, POSITION, np.array([0.0, 0.0, 0.0, 1.0]))
        if tick % 100 == 99:
            ages.append(now - mocap.due(now)[-1].stamp)
    assert max(ages) <= 0.011
    assert np.histogram(ages, bins=4, range=(0.0, 0.01))[0].min() > 0.15 * len(ages)
