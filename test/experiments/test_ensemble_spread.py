"""The spread of an ensemble against its error, with members whose predictions are known."""

from dataclasses import dataclass

import numpy as np
import pytest

from millirobot_adapt.app.main import main
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.experiments.ensemble_spread import ensemble_spread, spread_table
from millirobot_adapt.experiments.foresight import FEWEST
from millirobot_adapt.learning.log_rollouts import Log
from millirobot_adapt.learning.rollout_file import LAYOUT, CollectedRollouts, mark_valid

HORIZON, LENGTH, WALKS = 3, 40, 4
ROBOT = RobotConfig()


def make_log(length=LENGTH):
    """Walks along x at a speed of its own for each walk; column 20 of the state is how hard the tick is, in [0, 1]."""
    rng = np.random.default_rng(0)
    states = np.zeros((WALKS, length + 1, 24), np.float32)
    states[..., [6, 8, 10, 15, 17]] = 1.0  # cosines of angles that are zero
    states[..., 0] = np.arange(length + 1) * rng.uniform(0.01, 0.02, (WALKS, 1))
    states[..., 20] = rng.uniform(size=(WALKS, length + 1))
    actions = np.full((WALKS, length, 2), 30.0, np.float32)
    stamps = np.tile(0.1 * np.arange(length + 1), (WALKS, 1))
    metadata = {'origin': 'mock', 'robot': ROBOT.name, 'dt': ROBOT.dt, LAYOUT: ROBOT.layout.record()}
    rollouts = CollectedRollouts(states, actions, stamps, mark_valid(states, stamps, 0.1), metadata)
    return Log('toy', rollouts, tuple(str(walk) for walk in range(WALKS)), ROBOT)


@dataclass
class Member:
    """Predicts the truth, off by `common` metres times how hard the tick is along x, and by `own` along y."""

    log: Log
    common: float
    own: float
    hard_apart: bool = True

    def rollout(self, state, actions):
        truth = {
            (row[0], row[20]): (walk, tick)
            for walk, rows in enumerate(self.log.rollouts.states.astype(float))
            for tick, row in enumerate(rows)
        }
        last = []
        for row in state:
            walk, tick = truth[row[0], row[20]]
            after = self.log.rollouts.states[walk, tick + len(actions)].astype(float)
            after[0] += self.common * row[20]
            after[1] += self.own * (row[20] if self.hard_apart else ((7 * tick) % 5) / 5)
            last.append(after)
        return np.stack([state, *([np.array(last)] * len(actions))])


def test_members_that_part_where_they_are_wrong_know_it():
    log = make_log()
    found = ensemble_spread(log, [Member(log, 0.1, own) for own in (-0.02, 0.0, 0.02)], HORIZON)
    assert found.walks == WALKS
    assert (found.within, found.over_all) == (pytest.approx(1.0), pytest.approx(1.0))
    hard = np.concatenate([rows[: LENGTH - HORIZON + 1, 20] for rows in log.rollouts.states])
    assert found.spread == pytest.approx(0.02 * np.sqrt(2 / 3) * hard.mean(), rel=1e-5)
    assert found.error == pytest.approx(0.1 * hard.mean(), rel=1e-5)
    assert found.alone > found.error


def test_members_that_part_elsewhere_do_not():
    log = make_log()
    found = ensemble_spread(log, [Member(log, 0.1, own, hard_apart=False) for own in (-0.02, 0.02)], HORIZON)
    assert abs(found.within) < 0.3
    assert abs(found.over_all) < 0.3


def test_only_stretches_without_a_gap_count():
    log = make_log()
    log.rollouts.valid[:, 20] = False
    members = [Member(log, 0.1, own) for own in (-0.02, 0.02)]
    gapped = ensemble_spread(log, members, HORIZON)
    starts = [tick for tick in range(LENGTH - HORIZON + 1) if not tick <= 20 < tick + HORIZON]
    hard = np.concatenate([rows[starts, 20] for rows in log.rollouts.states])
    assert gapped.error == pytest.approx(0.1 * hard.mean(), rel=1e-5)


def test_walks_that_are_too_short_for_a_correlation_count_over_all_alone():
    log = make_log(length=FEWEST + HORIZON - 2)
    found = ensemble_spread(log, [Member(log, 0.1, own) for own in (-0.02, 0.02)], HORIZON)
    assert found.walks == 0
    assert np.isnan(found.within)
    assert found.over_all == pytest.approx(1.0)
    assert [row[0] for row in spread_table([found]).rows] == ['toy']


def test_too_few_members_and_walks_that_are_too_short_are_refused():
    log = make_log()
    with pytest.raises(UserError, match='two members at least'):
        ensemble_spread(log, [Member(log, 0.1, 0.0)], HORIZON)
    with pytest.raises(UserError, match='toy: holds no 90 valid transitions in a row'):
        ensemble_spread(log, [Member(log, 0.1, own) for own in (-0.02, 0.02)], 90)


def test_the_command_prints_a_row_for_each_run(tmp_path, capsys):
    log = make_log()
    log.rollouts.save(tmp_path / 'walked.npz')
    arguments = ['study', 'ensemble', '--data', str(tmp_path / 'walked.npz'), '--horizon', '5', '--models']
    assert main([*arguments, 'velociroach_mb', 'velociroach_mb_aug']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('Does the spread of the ensemble')
    (row,) = [line for line in lines if line.strip().startswith('walked')]
    assert row.split()[1] == str(WALKS)
    assert main([*arguments, 'velociroach_mb']) == 2
