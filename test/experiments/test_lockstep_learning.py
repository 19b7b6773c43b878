"""Learning in lock-step: one clock for walking and training, and what is walked with which model."""

import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.app.main import main
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.estimation.pose_filter import PoseFilter
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.online.progress_file import read_progress
from millirobot_adapt.learning.rollout_file import load_rollouts

pytestmark = pytest.mark.train

SETTINGS = (
    'train.hidden=12,12', 'train.window=8', 'train.horizon=5', 'train.check_every=10', 'train.batch=16',
    'train.patience=2', 'learn.leg_seconds=10', 'learn.random_minutes=0.5', 'learn.serve_every=0.1',
)  # fmt: skip


def learn(out, *words, minutes=1.0):
    settings = [part for each in SETTINGS for part in ('--set', each)]
    return main(['learn', '--lockstep', '--minutes', str(minutes), '--rate', '2', '--out', str(out), *words, *settings])


def test_training_takes_no_time_beside_the_walks_and_its_models_are_walked_with(tmp_path):
    assert learn(tmp_path / 'run', '--marks', '1', '--walks', '1') == 0
    rows = read_progress(tmp_path / 'run')
    legs = [row for row in rows if 'shape' in row]
    assert [row['shape'] for row in legs] == ['random'] * 3 + ['figure8_small', 'random', 'left']
    assert all(row['clock_min'] == row['walked_min'] for row in rows)
    assert all(np.isfinite(row['cost']) for row in legs if row['shape'] != 'random')
    looks = [row['step'] for row in rows if 'step' in row]
    assert looks == [10 * (k + 1) for k in range(len(looks))]
    assert 1 <= len(looks) <= 12, '2 steps a second for 60 s'
    bundles = [row['bundle'] for row in rows if 'bundle' in row and 'costs' not in row]
    bundle = load_bundle(str(tmp_path / 'run' / 'models' / bundles[-1]), RobotConfig())
    assert bundle.origin == 'mock'
    assert np.isfinite(next(row['cost_judged'] for row in rows if 'cost_judged' in row))
    assert (tmp_path / 'run' / 'learning.html').is_file()
    walked = load_rollouts(tmp_path / 'run' / 'legs' / '0004.npz')
    assert walked.metadata['shape'] == 'figure8_small'
    assert walked.valid.sum() > 90


def test_a_leg_ends_where_the_estimator_no_longer_knows_where_the_robot_is(tmp_path, monkeypatch):
    estimate = PoseFilter.estimate
    monkeypatch.setattr(PoseFilter, 'estimate', lambda self, stamp: None if stamp > 6.05 else estimate(self, stamp))
    assert learn(tmp_path / 'run') == 0
    legs = [load_rollouts(path) for path in sorted((tmp_path / 'run' / 'legs').iterdir())]
    assert {leg.metadata['shape'] for leg in legs} >= {'random', 'figure8_small'}
    assert all(0 < leg.valid.sum() <= 55 for leg in legs)  # of 100


def test_where_the_floor_changes_the_newest_model_is_judged_on_both(tmp_path, capsys):
    words = ('--change-at', '0.5', '--then', 'turf', '--marks', '0.5,0.65', '--walks', '1')
    assert learn(tmp_path / 'run', *words, minutes=0.65) == 0
    rows = read_progress(tmp_path / 'run')
    judged = [row for row in rows if 'cost_judged' in row]
    assert [row['condition'] for row in judged] == ['carpet', 'turf', 'turf']
    assert judged[0]['walked_min'] == judged[1]['walked_min'] < judged[2]['walked_min']
    assert judged[0]['bundle'] == judged[1]['bundle']
    assert judged[0]['costs'] != judged[1]['costs']
    assert 'the mock walks on turf from now on' in capsys.readouterr().out
    # What is walked differs from then on, and not before.
    assert learn(tmp_path / 'other', minutes=0.65) == 0
    legs = [
        [load_rollouts(path).states for path in sorted((tmp_path / run / 'legs').iterdir())] for run in ('run', 'other')
    ]
    same = [np.array_equal(one, other, equal_nan=True) for one, other in zip(*legs, strict=True)]
    assert same == [True, True, True, False]


@pytest.mark.parametrize('words', [('--change-at', '3'), ('--then', 'turf')])
def test_a_change_needs_when_and_what(tmp_path, capsys, words):
    assert learn(tmp_path / 'run', *words) == 2
    assert 'name both, without --batch and --seeds' in capsys.readouterr().err


def test_a_change_after_the_end_is_refused(tmp_path, capsys):
    assert learn(tmp_path / 'run', '--change-at', '3', '--then', 'turf', minutes=3) == 2
    assert 'the sitting is over by then' in capsys.readouterr().err


def test_in_batch_the_clock_goes_on_while_it_trains(tmp_path):
    assert learn(tmp_path / 'run', '--batch', minutes=0.6) == 0
    rows = read_progress(tmp_path / 'run')
    assert {row['shape'] for row in rows if 'shape' in row} == {'random'}
    looks = [row for row in rows if 'step' in row]
    assert looks[-1]['clock_min'] - looks[0]['clock_min'] == pytest.approx((looks[-1]['step'] - 10) / 2 / 60)
    assert 'bundle' in rows[-1]


def test_what_was_learned_is_not_overwritten(tmp_path, capsys):
    (tmp_path / 'progress.jsonl').write_text('')
    assert learn(tmp_path) == 2
    assert 'holds what was learned already' in capsys.readouterr().err


def test_a_curve_of_seeds_goes_on_where_it_ended_and_begins_again_with_other_settings(tmp_path, capsys):
    words = ('--seeds', '1', '--marks', '0.6', '--walks', '2')
    assert learn(tmp_path, *words) == 0
    first = capsys.readouterr().out
    assert [line for line in first.splitlines() if line.startswith('side by side, 0.6 min, seed 0')]
    table = (tmp_path / 'curve.md').read_text()
    assert first.endswith(table)
    rows = [line.split(' | ') for line in table.splitlines() if 'walked' not in line and line.startswith('| ')]
    assert [row[0] for row in rows] == ['| side by side', '| one after the other']
    judged = [read_progress(tmp_path / name)[-1] for name in ('async_0', 'batch_0.6_0')]
    assert [row[3] for row in rows] == [f'{row["cost_judged"]:.2f}' for row in judged]
    assert float(rows[0][2]) < float(rows[1][2]), 'in batch the clock goes on while it trains'
    assert (tmp_path / 'curve.png').is_file()
    assert learn(tmp_path, *words) == 0
    assert capsys.readouterr().out == table, 'nothing was walked again'
    assert learn(tmp_path, *words[:-1], '1') == 0
    assert 'one after the other, 0.6 min, seed 0' in capsys.readouterr().out


def test_a_curve_needs_marks(tmp_path, capsys):
    assert learn(tmp_path, '--seeds', '1') == 2
    assert 'needs --marks' in capsys.readouterr().err
