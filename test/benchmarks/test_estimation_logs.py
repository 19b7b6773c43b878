"""The estimators on real logs: what counts as odd, what counts as caught, and which estimate makes the better model."""

from pathlib import Path

import numpy as np
import pytest
from robots import NX

from millirobot_adapt.app.main import main
from millirobot_adapt.benchmarks.estimation.logs import LogFigures, odd_poses, run_rollout
from millirobot_adapt.benchmarks.estimation.prediction import compare_predictions, judged_transitions, prediction_errors
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.recording.lab.lab_log import LabRollout, read_lab_log

ROBOT = load_robot('velociroach')
LOGS = Path(__file__).resolve().parents[3] / 'shared' / 'data' / 'velociroach_logs'
needs_logs = pytest.mark.skipif(not LOGS.is_dir(), reason="the lab's logs are not part of the repository")


def walked(jump_at=None, frozen=slice(0, 0)) -> LabRollout:
    """Walk straight at 0.3 m/s; the pose jumps aside at one tick, or is the same for a while."""
    ticks = np.arange(50)
    stamps = 1000.0 + 0.1 * ticks
    x = 0.03 * ticks
    x[frozen] = x[frozen.start] if frozen.stop else x[frozen]
    position = np.column_stack([x, np.zeros(50), np.full(50, 0.06)])
    if jump_at is not None:
        position[jump_at, 1] += 0.5
    records = {
        't_robot': stamps, 't_mocap': stamps - 0.005, 'mocap_valid': np.ones(50, bool), 'pos': position,
        'quat': np.tile([0.0, 0.0, 0.0, 1.0], (50, 1)), 'cmd': np.full((50, 2), 300.0),
        'enc': np.column_stack([ticks, ticks]) * 30000, 'gyro': np.zeros((50, 3)), 'bemf': np.full((50, 2), 50),
        'vbat': 880 + ticks % 3,
    }  # fmt: skip
    return LabRollout(0, 1, 'hall', records)


def run(rollout):
    figures = LogFigures()
    return run_rollout(rollout, make_estimator(EstimatorConfig(), ROBOT), ROBOT, figures), figures


def test_a_jump_no_body_can_make_is_an_event_and_is_caught():
    (states, at_poses), figures = run(walked(jump_at=20))
    event = figures.events[0]
    assert 'ticks 20..' in event.where
    assert event.step == pytest.approx(0.5, abs=0.01)
    assert event.impossible
    assert event.caught
    assert np.nanmax(np.abs(states[:, 1])) < 0.1
    lead = states[10:, 0] - at_poses[10:, 0]  # 5 ms of walking at 0.3 m/s
    assert np.nanmean(lead) == pytest.approx(0.0015, abs=0.0005)
    assert figures.not_finite == 0


def test_a_pose_that_was_frozen_for_a_while_makes_no_impossible_step():
    _, figures = run(walked(frozen=slice(20, 30)))
    (event,) = figures.events
    assert event.step == pytest.approx(0.3, abs=0.01)
    assert event.after == pytest.approx(1.0, abs=0.05)
    assert not event.impossible


def test_transitions_at_odd_or_stale_poses_are_not_judged():
    rollout = walked(jump_at=20)
    rollout.records['t_mocap'][31] = rollout.records['t_mocap'][30]
    judged = judged_transitions([rollout], np.ones((1, 49), dtype=bool))[0]
    assert np.flatnonzero(odd_poses(rollout)).tolist() == [20, 21]
    assert np.flatnonzero(~judged).tolist() == [19, 20, 21, 30, 31]


def test_the_better_prediction_of_raw_motion_wins():
    rollouts = [walked(), walked()]
    states = np.zeros((2, 50, NX))
    states[..., 11] = 1.0  # looks along y, so what is ahead of it lies to its right
    valid = np.ones((2, 49), dtype=bool)

    def errors(distance):
        predicted = np.tile([0.0, -distance, 0.0], (3, 2, 45, 1))
        return prediction_errors(rollouts, states, valid, 5, ROBOT, lambda *_: predicted)

    found = compare_predictions(errors(0.15), errors(0.10))
    assert found.error == pytest.approx(0.0, abs=1e-9)
    assert found.baseline == pytest.approx(0.05)
    assert found.interval[1] < 0.0
    assert (found.rollouts, found.predictions) == (2, 90)


def test_ten_poses_a_second_are_enough_to_be_believed_again_after_a_long_loss():
    rollout = walked()
    rollout.records['t_robot'][20:] += 5.0
    rollout.records['t_mocap'][20:] += 5.0
    rollout.records['pos'][20:] += (1.0, 0.5, 0.0)
    rollout.records['gyro'][:] = np.where(np.arange(50)[:, None] % 2, 4000, -4000)  # contacts, too rare to compare
    (states, _), figures = run(rollout)
    assert np.isnan(states[20:24]).all()
    assert np.isfinite(states[25:]).all()
    assert figures.seen > 30
    assert figures.missing == 0


def test_a_robot_in_a_hand_is_believed_once_it_is_put_down():
    rollout = walked()
    rollout.records['t_robot'][10:] += 5.0
    rollout.records['t_mocap'][10:] += 5.0
    carried = 0.12 * np.minimum(np.arange(40), 20)  # at 1.2 m/s, which no leg does, until tick 30
    rollout.records['pos'][10:, 0] = 1.0 + carried + 0.001 * np.arange(40)
    (states, _), _ = run(rollout)
    assert np.isnan(states[10:31]).all()
    assert np.isfinite(states[40:]).all()


def test_a_folder_without_logs_gives_one_line(tmp_path, capsys):
    assert main(['bench', 'estimation', '--logs', str(tmp_path)]) == 2
    assert 'holds no log' in capsys.readouterr().err


@pytest.mark.real_logs
@needs_logs
def test_on_the_real_logs_nothing_impossible_is_followed_in_silence():
    figures = LogFigures()
    odd = {'carpet': (1, 30, 37, 123, 138, 146, 147, 148), 'styrofoam': (45, 182, 183), 'turf': (0, 1)}
    for name, numbers in odd.items():
        rollouts = {rollout.number: rollout for rollout in read_lab_log(LOGS / f'{name}.npz')}
        for number in numbers:
            run_rollout(rollouts[number], make_estimator(EstimatorConfig(), ROBOT), ROBOT, figures)
    assert figures.rollouts == 13
    assert figures.not_finite == 0
    # 66 replies without an estimate lie in two rollouts in which motion capture repeats old poses for up to 1.6 s, or
    # the robot is carried at 1.2 m/s; 4 come after a pause of 11 s.
    assert figures.estimates >= 576
    assert figures.seen > 350
    assert figures.missing == 0
    assert any(event.impossible for event in figures.events)
    assert all(event.caught for event in figures.events if event.impossible)
    left_out = sum(count for fate, count in figures.ordinary.items() if fate == 'jumped')
    assert left_out < 0.05 * sum(figures.ordinary.values())  # four after each loss, until the fifth confirms them
