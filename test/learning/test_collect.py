"""Data collection: no PyTorch needed."""

from dataclasses import replace

import numpy as np
import pytest

from millirobot_adapt.app.main import main
from millirobot_adapt.core.control.random_policy import RandomPolicy
from millirobot_adapt.core.estimation.pose_filter import PoseFilter
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.learning.collect import CollectConfig, collect
from millirobot_adapt.learning.rollout_file import load_rollouts

SHORT = CollectConfig(minutes=0.1, rollout_seconds=3.0, seed=5)


@pytest.fixture(scope='module')
def rollouts():
    return collect(SHORT, load_robot('velociroach'))


def test_rollouts_hold_what_the_robot_did(rollouts):
    assert rollouts.states.shape == (2, 31, 24)
    assert rollouts.valid.all()
    np.testing.assert_allclose(np.diff(rollouts.stamps), 0.1, atol=1e-6)
    robot = load_robot('velociroach')
    assert (rollouts.actions > robot.action_low - 0.1).all()
    assert (rollouts.actions < robot.action_high + 0.1).all()
    # The legs of the next state follow the action that led to it, not the one before.
    legs = rollouts.states[:, 1:, 19:21]
    now = np.corrcoef(rollouts.actions[:, 1:].ravel(), legs[:, 1:].ravel())[0, 1]
    before = np.corrcoef(rollouts.actions[:, :-1].ravel(), legs[:, 1:].ravel())[0, 1]
    assert now > before
    assert rollouts.metadata['origin'] == 'mock'


def test_a_rollout_ends_where_the_estimator_no_longer_knows_where_the_robot_is(rollouts, monkeypatch):
    estimate, estimators = PoseFilter.estimate, []

    def blind(self, stamp):
        """The second rollout's knows nothing after two seconds."""
        if self not in estimators:
            estimators.append(self)
        return None if self is not estimators[0] and stamp > 2.05 else estimate(self, stamp)

    monkeypatch.setattr(PoseFilter, 'estimate', blind)
    cut = collect(SHORT, load_robot('velociroach'))
    assert cut.valid.sum(axis=1).tolist() == [30, 15]  # it stands for the first 0.5 s
    assert np.array_equal(cut.states[0], rollouts.states[0])
    assert np.array_equal(cut.states[1, :16], rollouts.states[1, :16])
    assert np.array_equal(cut.actions[1, :15], rollouts.actions[1, :15])
    assert cut.states.shape == rollouts.states.shape
    assert np.isnan(cut.states[1, 16:]).all()


def test_equal_seeds_give_equal_rollouts_and_conditions_differ(rollouts):
    robot = load_robot('velociroach')
    again = collect(replace(SHORT, jobs=2), robot)
    assert again.digest() == rollouts.digest()
    assert again.metadata == rollouts.metadata
    assert collect(replace(SHORT, seed=6), robot).digest() != rollouts.digest()
    assert not np.array_equal(rollouts.states[0], rollouts.states[1])


def test_collect_command(tmp_path, capsys):
    out = tmp_path / 'new' / 'data.npz'
    assert main(['collect', '--out', str(out), '--minutes', '0.02']) == 0
    assert '200 transitions, 100.0 % usable' in capsys.readouterr().out
    assert load_rollouts(out).metadata['minutes'] == 0.02
    assert main(['collect', '--out', str(out), '--minutes', '-1']) == 2


def test_policy_covers_the_range_and_turns_home():
    robot = RobotConfig()
    policy = RandomPolicy(robot.layout, 1.0, np.random.default_rng(0))
    state = np.zeros(24)
    state[10] = 1.0
    actions = np.array([policy.act(state) for _ in range(2000)])
    assert (actions >= robot.action_low).all()
    assert (actions <= robot.action_high).all()
    assert actions.min() < 1.2 * robot.action_low[0]
    assert actions.max() > 0.95 * robot.action_high[0]
    assert (np.diff(actions[:, 0]) == 0).mean() > 0.3  # setpoints are often held
    state[1] = 2.0  # two metres to the left of home, looking along x: home is to the right
    away = np.array([policy.act(state) for _ in range(20)])
    assert away[:, 0].mean() > away[:, 1].mean() + 10.0


def test_under_a_condition_every_rollout_suffers_it_and_says_so():
    robot = load_robot('velociroach')
    level, sloping = (collect(replace(SHORT, condition=name), robot) for name in ('styrofoam', 'slope_12_styrofoam'))
    tilt = [np.abs(rollouts.states[:, 5:, [7, 9]]).max(axis=1).max(axis=1) for rollouts in (level, sloping)]
    assert (np.arcsin(tilt[1]) > 0.15).all()
    assert sloping.metadata['condition'] == 'slope_12_styrofoam'
    assert not np.allclose(sloping.states[0, 0, 10:12], sloping.states[1, 0, 10:12], atol=0.05)  # looks elsewhere


def test_an_unknown_condition_is_a_mistake_of_the_user(tmp_path, capsys):
    assert main(['collect', '--out', str(tmp_path / 'data.npz'), '--condition', 'nowhere']) == 2
    assert 'nowhere' in capsys.readouterr().err


def test_home_is_where_the_circle_is():
    robot = RobotConfig()
    policy = RandomPolicy(robot.layout, 0.5, np.random.default_rng(0), centre=(0.0, 4.0))
    state = np.zeros(24)
    state[10] = 1.0  # at the origin, looking along x: home is to the left
    away = np.array([policy.act(state) for _ in range(20)])
    assert away[:, 1].mean() > away[:, 0].mean() + 10.0
