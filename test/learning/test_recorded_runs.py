"""`evaluate-log` on bags and run folders: the figures that the lab's log gave before it became a bag, and own runs."""

import json
from pathlib import Path

import numpy as np
import pytest
from lab_log import lab_log

pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.app.main import main
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.log_errors import ConstantVelocity, log_errors
from millirobot_adapt.learning.log_rollouts import hold_out_of_each, join_logs, read_log
from millirobot_adapt.recording.lab.import_log import import_log

pytestmark = pytest.mark.train

BAGS = Path(__file__).resolve().parents[1] / 'data' / 'bags'
RUNS = [str(BAGS / name) for name in ('good', 'leg_loss', 'link_failure')]
RECORDS, ROLLOUTS = 60, 6
TINY = [
    part
    for setting in ('train.window=8', 'train.steps=30', 'train.check_every=10', 'train.hidden=16,16', 'every=2')
    for part in ('--set', setting)
]


def arcs():
    """Make a log of a robot that walks an arc in each rollout; three sessions of two rollouts."""
    rollout, tick = np.divmod(np.arange(ROLLOUTS * RECORDS), RECORDS)
    yaw = 0.02 * tick * (1 + 0.2 * rollout)
    rates = np.random.default_rng(1).integers(140, 560, (len(tick), 2))
    return lab_log(
        position=np.column_stack([np.sin(yaw), 1 - np.cos(yaw)]),
        quaternion=np.column_stack([0 * yaw, 0 * yaw, np.sin(yaw / 2), np.cos(yaw / 2)]),
        rates=rates,
        encoders=np.cumsum(100 * rates, axis=0),
        t_robot=1e9 + 100.0 * rollout + 0.1 * tick,
        modes=[1] * ROLLOUTS,
        sessions=[f'carpet {number // 2}' for number in range(ROLLOUTS)],
    )


@pytest.fixture(scope='module')
def log_and_bag(tmp_path_factory):
    """The same log as npz and as an imported bag."""
    folder = tmp_path_factory.mktemp('log')
    np.savez(folder / 'log.npz', **arcs())
    import_log(folder / 'log.npz', folder / 'imported', RobotConfig(), progress=False)
    return folder / 'log.npz', folder / 'imported'


def test_an_imported_log_gives_the_figures_of_the_npz(log_and_bag):
    log, bag = (read_log(path, EstimatorConfig()) for path in log_and_bag)
    assert bag.sessions == log.sessions
    assert bag.robot == log.robot
    np.testing.assert_array_equal(bag.rollouts.valid, log.rollouts.valid)
    known = log.rollouts.valid
    np.testing.assert_array_equal(bag.rollouts.actions[known], log.rollouts.actions[known])
    np.testing.assert_allclose(bag.rollouts.states, log.rollouts.states, atol=1e-5)
    found = [log_errors(ConstantVelocity(0.1), each.rollouts, 8, (5, 10, 20), every=3) for each in (log, bag)]
    assert found[0].predictions == found[1].predictions > 50
    np.testing.assert_allclose(found[1].position, found[0].position, atol=1e-5)
    np.testing.assert_allclose(found[1].heading, found[0].heading, atol=1e-5)


def test_runs_are_sessions_and_are_held_out_together():
    logs = [read_log(Path(run), EstimatorConfig()) for run in RUNS]
    assert [set(log.sessions) for log in logs] == [{'good'}, {'leg_loss'}, {'link_failure'}]
    assert all(log.rollouts.valid.sum() > 20 for log in logs)
    learned, held_out = hold_out_of_each(logs, 0.3, seed=0)
    assert set(learned.sessions) | set(held_out.sessions) == {'good', 'leg_loss', 'link_failure'}
    assert len(set(held_out.sessions)) == 1


def test_a_run_alone_cannot_be_held_out():
    with pytest.raises(UserError, match='name longer logs or more runs'):
        hold_out_of_each([read_log(Path(RUNS[0]), EstimatorConfig())], 0.2, seed=0)


def test_runs_of_robot_and_mock_are_not_mixed(log_and_bag):
    real, mock = read_log(log_and_bag[1], EstimatorConfig()), read_log(Path(RUNS[0]), EstimatorConfig())
    with pytest.raises(UserError, match="origin is 'mock', but 'real' in imported"):
        join_logs([real, mock])


def test_each_run_is_predicted_by_what_the_others_taught(tmp_path, capsys):
    arguments = ['--train', *RUNS, '--leave-one-out', '--methods', 'mb', '--out', str(tmp_path / 'out'), '--json']
    assert main(['evaluate-log', *arguments, *TINY]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report['training']) == {'good', 'leg_loss', 'link_failure'}
    rows = [row for row in report['rows'] if row['shift'] == 'as recorded']
    assert {row['method'] for row in rows} == {'constant_velocity', 'mb'}
    assert {row['horizon'] for row in rows} == {5, 10, 20}
    for row in rows:
        assert row['test'] == 'each session left out'
        # The run whose link failed ends within ten steps.
        assert row['rollouts'] == (3 if row['horizon'] == 5 else 2)
        low, high = row['position_after_interval']
        assert low <= row['position_after'] <= high
    lines = (tmp_path / 'out' / 'rollouts.csv').read_text().splitlines()
    assert {line.split(',')[5] for line in lines[1:]} == {'good', 'leg_loss', 'link_failure'}


def test_what_cannot_be_left_out_is_one_line(tmp_path, capsys):
    for arguments, complaint in (
        (['--train', *RUNS[:2], '--leave-one-out'], 'at least 3 runs are needed'),
        (['--train', *RUNS, '--test', RUNS[0], '--leave-one-out'], 'leave one of the two out'),
        (['--train', RUNS[0], RUNS[0], '--leave-one-out'], 'its session good is in good, too'),
    ):
        assert main(['evaluate-log', *arguments, *TINY]) == 2
        assert complaint in capsys.readouterr().err
