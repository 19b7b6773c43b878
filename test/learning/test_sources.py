"""What can be learned from a recorded run: made-up walks with numbers that tests know. No PyTorch needed."""

from itertools import pairwise

import numpy as np
import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.learning.rollout_file import CollectedRollouts
from millirobot_adapt.learning.sources import PIECE, load_data, read_bag
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.writer import BagWriter

START, DT = 1_700_000_000.0, 0.1
LEVEL = np.array([0.0, 0.0, 0.0, 1.0])


def write_walk(folder, ticks=30, lost=(), standing=(), mock=True, odometry=True):
    """Record a walk along x, 1 cm a tick: in tick k the setpoint is 20 + k / 100 rad/s, sent before the state."""
    with BagWriter(folder / 'bag') as bag:
        for tick in range(ticks):
            stamp = START + DT * tick
            sent = np.zeros(2) if tick in standing else np.full(2, 20.0 + tick / 100)
            bag.write_message('/sent', stored_messages.joint_state(stamp + 0.001, sent), stamp + 0.002)
            sampled = stamp + 0.012
            position = np.array([0.01 * tick, 0.0, 0.03])
            bag.write_message(
                '/mocap/pose', stored_messages.pose_stamped(sampled - 0.005, position, LEVEL), sampled - 0.004
            )
            if mock:
                bag.write_message('/mock/pose', stored_messages.pose_stamped(sampled, position, LEVEL), sampled)
            if tick in lost:
                continue
            reply = Telemetry(
                sampled, sent * DT * tick, sent, np.zeros(3), np.array([0, 0, 9.81]), sent * 0.01, 4.0
            )  # fmt: skip
            names = ('/legs', '/imu/data_raw', '/battery', '/back_emf')
            for name, message in zip(names, stored_messages.telemetry_messages(reply), strict=True):
                bag.write_message(name, message, sampled + 0.004)
            velocity = np.array([0.1, 0.0, 0.0])
            found = Estimate(sampled, position, LEVEL, velocity, np.zeros(3), np.eye(6), np.eye(6), 0.01)
            if odometry:
                bag.write_message('/odometry', stored_messages.odometry(found), sampled + 0.006)
    return folder


def test_a_transition_pairs_a_state_with_what_was_sent_until_the_next_one(tmp_path):
    rollouts = read_bag(write_walk(tmp_path))
    valid = rollouts.valid[0]
    assert valid[:29].all()
    assert not valid[29:].any()
    np.testing.assert_allclose(rollouts.states[0, :30, 0], 0.01 * np.arange(30), atol=1e-6)
    # State k is sampled in tick k, after a_k has been sent: a_k leads from it to state k + 1.
    np.testing.assert_allclose(rollouts.actions[0, :29, 0], 20.0 + np.arange(29) / 100, rtol=1e-6)
    np.testing.assert_allclose(np.diff(rollouts.stamps[0, :30]), DT, atol=1e-5)
    assert rollouts.metadata['origin'] == 'mock'
    assert rollouts.metadata['dt'] == DT
    assert rollouts.metadata['estimator'] == 'filter'


def test_no_transition_leads_across_a_lost_reply_and_standing_teaches_nothing(tmp_path):
    rollouts = read_bag(write_walk(tmp_path, lost=(10,), standing=(0, 1, 2, 20)))
    seen = [tick for tick in range(30) if tick != 10]
    for row, (tick, following) in enumerate(pairwise(seen)):
        expected = following == tick + 1 and tick not in (0, 1, 2, 20)
        assert rollouts.valid[0, row] == expected, tick


def test_a_long_walk_is_cut_and_loses_no_transition(tmp_path):
    rollouts = read_bag(write_walk(tmp_path, ticks=2 * PIECE + 50))
    assert rollouts.valid.shape == (3, PIECE)
    assert rollouts.valid.sum() == 2 * PIECE + 49
    np.testing.assert_array_equal(rollouts.states[0, -1], rollouts.states[1, 0])
    assert np.isnan(rollouts.states[2, 60:]).all()


def test_a_bag_without_estimates_is_estimated(tmp_path):
    live = read_bag(write_walk(tmp_path / 'live', ticks=60))
    late = read_bag(write_walk(tmp_path / 'late', ticks=60, odometry=False))
    assert late.valid.sum() > 50
    ours = late.states[0, :59][late.valid[0, :59]]
    theirs = live.states[0][np.isin(live.stamps[0], late.stamps[0][:59][late.valid[0, :59]])]
    np.testing.assert_allclose(ours[:, 0], theirs[:, 0], atol=0.01)


def test_a_bag_of_a_robot_is_not_of_the_mock(tmp_path):
    assert read_bag(write_walk(tmp_path, mock=False)).metadata['origin'] == 'real'


def test_a_robot_that_only_stands_teaches_nothing(tmp_path):
    with pytest.raises(UserError, match='holds no two states'):
        read_bag(write_walk(tmp_path, standing=range(30)))


def npz(path, **metadata):
    """Write a file of two rollouts of five transitions."""
    states, stamps = np.zeros((2, 6, 24), dtype=np.float32), np.tile(DT * np.arange(6), (2, 1))
    metadata = {'origin': 'mock', 'robot': 'velociroach', 'dt': DT, 'estimator': 'filter', **metadata}
    CollectedRollouts(states, np.ones((2, 5, 2), dtype=np.float32), stamps, np.ones((2, 5), dtype=bool), metadata).save(
        path
    )
    return path


def test_files_and_bags_of_any_length_are_joined_and_named(tmp_path):
    paths = [npz(tmp_path / 'a.npz', seed=3), write_walk(tmp_path / 'run')]
    joined = load_data(paths)
    assert joined.valid.shape == (3, PIECE)
    np.testing.assert_array_equal(joined.valid.sum(axis=1), [5, 5, 29])
    assert (joined.metadata['origin'], joined.metadata['robot'], joined.metadata['dt']) == ('mock', 'velociroach', DT)
    assert joined.metadata['estimator'] == 'filter'
    file, bag = joined.metadata['sources']
    assert file['seed'] == 3
    assert bag['bag'] == 'run'
    assert bag['sha256'] == read_bag(paths[1]).digest()
    assert load_data(paths[:1]).metadata['seed'] == 3


@pytest.mark.parametrize(
    ('other', 'complaint'),
    [
        ({'origin': 'real'}, "b.npz: origin is 'real', but 'mock' in .*a.npz; train on one kind of data"),
        ({'robot': 'octoroach'}, "b.npz: robot is 'octoroach', but 'velociroach'"),
        ({'dt': 0.05}, 'b.npz: dt is 0.05, but 0.1'),
    ],
)
def test_data_that_do_not_belong_together_are_refused(tmp_path, other, complaint):
    with pytest.raises(UserError, match=complaint):
        load_data([npz(tmp_path / 'a.npz'), npz(tmp_path / 'b.npz', **other)])


def test_what_is_no_bag_is_a_mistake_of_the_user(tmp_path):
    with pytest.raises(UserError, match='no such bag'):
        load_data([tmp_path / 'nothing'])
