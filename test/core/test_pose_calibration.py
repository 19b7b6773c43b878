"""The place of the marker body on the robot, found from straight walks."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robots import LAYOUT
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.pose_calibration import Recording, calibrate_pose, straight_segments
from millirobot_adapt.core.geometry import quaternion_from_rpy
from millirobot_adapt.core.robot.description import robot_from

SPEED = 0.3


def synthetic(offset=(0.02, -0.05, 0.3), place=(0.0, 0.0, 0.04), seconds=40.0, turning=0.4, seed=0) -> Recording:
    """Recording in gentle curves with swinging roll and pitch, the marker body askew; equal setpoints all the time."""
    rng = np.random.default_rng(seed)
    stamps = 50.0 + np.arange(0.0, seconds, 0.01)
    rate = turning * np.repeat(rng.uniform(-1.0, 1.0, int(seconds) + 1), 100)[: len(stamps)]
    yaw = rng.uniform(-3.0, 3.0) + np.cumsum(rate) * 0.01
    swing = 0.1 * np.sin(40.0 * stamps)
    body = Rotation.from_quat(quaternion_from_rpy(np.column_stack([swing, 0.7 * swing, yaw])))
    velocity = SPEED * np.column_stack([np.cos(yaw), np.sin(yaw), np.zeros_like(yaw)])
    origin = np.cumsum(velocity, axis=0) * 0.01 + [0.0, 0.0, 0.03]
    marker = body * Rotation.from_quat(quaternion_from_rpy(np.array(offset)))
    noise = rng.normal(0.0, 3e-4, origin.shape)
    sent_stamps = stamps[::10]
    return Recording(
        stamps, origin + body.apply(place) + noise, marker.as_quat(), sent_stamps, np.full((len(sent_stamps), 2), 30.0),
        LAYOUT,
    )  # fmt: skip


def test_a_known_offset_comes_out_within_its_uncertainty():
    found = calibrate_pose(synthetic())
    for name, value in (('roll', 0.02), ('pitch', -0.05), ('yaw', 0.3)):
        estimate, error = getattr(found, name)
        assert 0.0 < error < 0.02
        assert abs(estimate - value) < 3.0 * error + 0.002
    assert found.height[0] == pytest.approx(0.07, abs=0.002)


@settings(max_examples=25, deadline=None)
@given(yaw=st.floats(-np.pi, np.pi), seed=st.integers(0, 1000))
def test_any_yaw_offset_comes_out(yaw, seed):
    found, error = calibrate_pose(synthetic(offset=(0.0, 0.0, yaw), seconds=20.0, seed=seed)).yaw
    assert abs(np.angle(np.exp(1j * (found - yaw)))) < 5.0 * error + 0.005


def test_a_marker_ahead_of_the_centre_does_not_turn_the_result():
    found = calibrate_pose(synthetic(place=(0.05, 0.0, 0.04), turning=1.0))
    assert found.yaw[0] == pytest.approx(0.3, abs=0.01)
    assert found.lever[0] == pytest.approx(0.05, abs=0.01)


def test_stretches_with_unequal_setpoints_are_left_out():
    walk = synthetic()
    sent = walk.sent.copy()
    half = len(sent) // 2
    sent[half:, 0] *= 1.5
    straight = list(straight_segments(dataclasses.replace(walk, sent=sent)))
    assert straight
    assert max(stretch.start for stretch in straight) < walk.sent_stamps[half]


HOLONOMIC = robot_from(
    {
        'name': 'holonomic',
        'driver': {'kind': 'twist'},
        'actions': [
            {'name': name, 'unit': unit, 'low': -1.0, 'high': 1.0}
            for name, unit in (('forward', 'm/s'), ('lateral', 'm/s'), ('turn', 'rad/s'))
        ],
    },
    'test',
)


@pytest.mark.parametrize(
    ('action', 'straight'),
    [
        ((0.3, 0.0, 0.0), True),
        ((0.3, 0.0, 0.2), True),
        ((0.3, 0.0, 0.3), False),
        ((0.0, 0.0, 0.0), False),
        ((-0.3, 0.0, 0.0), False),
        ((0.3, 0.1, 0.0), False),
    ],
    ids=['ahead', 'a gentle curve', 'a curve', 'standing', 'backwards', 'aslant'],
)
def test_what_is_straight_follows_from_what_the_actions_do(action, straight):
    """Whatever they are called, and however many there are."""
    walk = synthetic(seconds=10.0)
    walk = dataclasses.replace(walk, sent=np.tile(action, (len(walk.sent), 1)), layout=HOLONOMIC.layout)
    assert bool(list(straight_segments(walk))) == straight


def test_jumps_and_swapped_markers_do_not_spoil_it():
    walk = synthetic()
    positions, quaternions = walk.positions.copy(), walk.quaternions.copy()
    positions[::500] += 0.4
    swapped = slice(1000, 1200)
    quaternions[swapped] = (Rotation.from_quat(quaternions[swapped]) * Rotation.from_euler('z', 2.1)).as_quat()
    found = calibrate_pose(dataclasses.replace(walk, positions=positions, quaternions=quaternions))
    assert found.yaw[0] == pytest.approx(0.3, abs=0.02)
    assert found.outliers >= 3


def test_a_robot_that_stands_or_hardly_walks_gives_one_clear_error():
    walk = synthetic(seconds=3.0)
    with pytest.raises(UserError, match='straight stretches'):
        calibrate_pose(walk)
    standing = dataclasses.replace(synthetic(), sent=np.zeros((400, 2)))
    with pytest.raises(UserError, match='0 straight stretches'):
        calibrate_pose(standing)
