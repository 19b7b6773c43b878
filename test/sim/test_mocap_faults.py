"""Each fault does to a stream what it says, and nothing else."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.sim.mocap_faults import FAULTS, MocapFaults, PoseArrival, spoil_poses

LATE = 0.004
STREAM = [
    PoseArrival(
        round(100 + 0.01 * i, 3) + LATE,
        PoseSample(round(100 + 0.01 * i, 3), np.array([0.003 * i, 0.1, 0.02]), np.array([0.0, 0.0, 0.6, 0.8])),
    )
    for i in range(3000)
]


def spoiled(**faults):
    return spoil_poses(STREAM, MocapFaults(**faults), np.random.default_rng(0))


def numbers(arrivals):
    return np.array([[a.time, a.pose.stamp, *a.pose.position, *a.pose.quaternion] for a in arrivals])


def test_no_fault_changes_nothing():
    np.testing.assert_array_equal(numbers(spoiled()), numbers(STREAM))
    assert spoil_poses([], MocapFaults(dropout=1.0), np.random.default_rng(0)) == []


def test_dropouts_are_gaps_at_the_told_times():
    faults = MocapFaults(start=2.0, every=5.0, dropout=0.5)
    windows = faults.windows(100.0, 129.99)
    assert windows[:2] == [(102.0, 102.5), (107.0, 107.5)]
    stamps = numbers(spoil_poses(STREAM, faults, np.random.default_rng(0)))[:, 1]
    assert len(stamps) == 3000 - 50 * len(windows)
    assert not any(((stamps >= start) & (stamps < stop)).any() for start, stop in windows)


def test_a_repeat_is_the_frame_before_bit_for_bit():
    arrivals = spoiled(repeat=0.2)
    repeats = [b.pose is a.pose for a, b in pairwise(arrivals)]
    assert 0.17 < np.mean(repeats) < 0.23


def test_jumps_are_as_long_and_as_frequent_as_told():
    moved = np.linalg.norm(
        numbers(spoiled(jump_rate=0.1, jump_low=0.2, jump_high=0.6))[:, 2:5] - numbers(STREAM)[:, 2:5], axis=1
    )
    jumps = moved[moved > 0]
    assert 0.08 < len(jumps) / len(moved) < 0.12
    assert 0.2 <= jumps.min() < 0.25
    assert 0.55 < jumps.max() <= 0.6


def test_a_swap_turns_the_attitude_in_the_body_for_a_while():
    arrivals = spoiled(start=2.0, every=100.0, swap=0.3, swap_turn=(np.pi, 0.0, 0.0))
    assert [a for a in arrivals if abs(a.pose.quaternion[2] - 0.6) > 1e-9] == []  # 30 s are less than `every`
    arrivals = spoiled(start=2.0, every=10.0, swap=0.3, swap_turn=(np.pi, 0.0, 0.0))
    before, within, after = arrivals[199].pose, arrivals[215].pose, arrivals[230].pose
    turn = Rotation.from_quat(before.quaternion).inv() * Rotation.from_quat(within.quaternion)
    np.testing.assert_allclose(np.abs(turn.as_rotvec()), [np.pi, 0, 0], atol=1e-9)
    np.testing.assert_array_equal(after.quaternion, before.quaternion)


def test_a_sign_flip_is_the_same_attitude():
    quaternions = numbers(spoiled(sign_flip=0.5))[:, 5:]
    assert 0.45 < np.mean(quaternions[:, 3] < 0) < 0.55
    np.testing.assert_array_equal(np.abs(quaternions), np.abs(numbers(STREAM)[:, 5:]))


def test_held_back_frames_come_after_newer_ones():
    found = numbers(spoiled(out_of_order=0.1))
    assert (np.diff(found[:, 0]) >= 0).all()
    assert 0.08 < np.mean(np.diff(found[:, 1]) < 0) < 0.12


def test_latency_replaces_that_of_the_stream():
    found = numbers(spoiled(latency=0.03, jitter=0.01))
    delay = found[:, 0] - found[:, 1]
    assert (delay.min(), delay.max()) == pytest.approx((0.02, 0.04), abs=1e-3)


def test_a_clock_offset_moves_stamps_alone():
    found, given = numbers(spoiled(clock_offset=0.05)), numbers(STREAM)
    np.testing.assert_allclose(found[:, 1], given[:, 1] + 0.05)
    np.testing.assert_array_equal(found[:, 0], given[:, 0])


def test_before_the_start_nothing_is_wrong():
    arrivals = spoiled(start=10.0, jump_rate=1.0, sign_flip=1.0, clock_offset=0.1)
    np.testing.assert_array_equal(numbers(arrivals)[:1000], numbers(STREAM)[:1000])
    assert (numbers(arrivals)[1000:, 5:] != numbers(STREAM)[1000:, 5:]).any()


@pytest.mark.parametrize('name', [name for name in FAULTS if name != 'none'])
def test_every_named_fault_changes_the_stream_and_repeats_exactly(name):
    one, other = (numbers(spoil_poses(STREAM, FAULTS[name], np.random.default_rng(3))) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert one.shape != numbers(STREAM).shape or (one != numbers(STREAM)).any()
