"""Replay: states estimated again, actions paired correctly, errors measured on a model whose mistakes are known."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import live_run
import numpy as np
import pytest
import synthetic_run
from robots import LAYOUT, assemble_state

from millirobot_adapt.analysis.replay import open_loop
from millirobot_adapt.analysis.replay.open_loop import open_loop_errors, pool
from millirobot_adapt.analysis.replay.rollouts import Rollout, read_rollouts
from millirobot_adapt.app import main as cli
from millirobot_adapt.core.dynamics.method_interface import Adaptation
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.run_setup import Changes, recorded_setup
from millirobot_adapt.recording.writer import BagWriter

DT = 0.1
START = 1_700_000_000.0


class DriftModel:
    """Predict that the robot moves `step` metres along x and turns `turn` radians each tick."""

    def __init__(self, step: float, turn: float) -> None:
        self.step, self.turn = step, turn

    def rollout(self, state, actions):
        ticks = np.arange(len(actions) + 1)
        yaw = np.arctan2(state[11], state[10]) + self.turn * ticks
        states = np.tile(state, (len(ticks), 1))
        states[:, 0] += self.step * ticks
        states[:, 10], states[:, 11] = np.cos(yaw), np.sin(yaw)
        return states[:, None].astype(np.float32)


class DriftMethod:
    """A prior that stands still, and an adapted model that walks 2 cm and turns 0.01 rad a tick."""

    window_length = 8
    prior = DriftModel(0.0, 0.0)

    def __init__(self) -> None:
        self.windows = []

    def reset(self) -> None:
        self.windows.clear()

    def adapt(self, window):
        self.windows.append(window)
        return Adaptation(DriftModel(0.02, 0.01), 1.0, 0.5, 1.0, 1.0)


def state_at(x: float, yaw: float) -> np.ndarray:
    zeros = np.zeros(3)
    return assemble_state(
        np.array([x, 0.0, 0.0]), zeros, np.array([0.0, 0.0, yaw]), zeros, np.zeros(2), np.zeros(2), np.zeros(2), 4.0
    )


def walk(ticks: int, step: float = 0.03) -> Rollout:
    """Walk `step` metres a tick along x; action k is (k, k)."""
    states = np.array([state_at(step * k, 0.0) for k in range(ticks)])
    actions = np.array([[float(k), float(k)] for k in range(ticks)])
    actions[-1] = np.nan
    return Rollout('walk', START + DT * np.arange(ticks), states, actions)


def test_errors_are_those_of_the_known_models_per_horizon():
    errors = open_loop_errors(walk(30), DriftMethod(), DT, LAYOUT)
    for horizon in open_loop.HORIZONS:
        summary = errors[horizon].summary()
        # Tick 0 has no transition before it; the last `horizon` ticks have no truth.
        assert summary['predictions'] == 29 - horizon
        assert summary['position_m']['before'] == pytest.approx(0.03 * horizon, abs=1e-5)
        assert summary['position_m']['after'] == pytest.approx(0.01 * horizon, abs=1e-5)
        assert summary['heading_rad'] == {'before': 0.0, 'after': pytest.approx(0.01 * horizon, abs=1e-5)}


def test_the_window_holds_what_was_done_in_each_state_newest_included():
    method = DriftMethod()
    rollout = walk(12)
    open_loop_errors(rollout, method, DT, LAYOUT)
    window = method.windows[4]  # the window of tick 5
    assert window.mask.tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert window.actions[3:, 0].tolist() == [0, 1, 2, 3, 4]
    assert window.states[-1] == pytest.approx(rollout.states[4])
    assert window.next_states[-1] == pytest.approx(rollout.states[5])


def test_steps_too_long_or_without_action_are_neither_learnt_nor_predicted():
    rollout = walk(20)
    rollout.stamps[10:] += 0.1  # a reply is missing between 9 and 10
    rollout.actions[15] = np.nan
    method = DriftMethod()
    errors = open_loop_errors(rollout, method, DT, LAYOUT)
    # One-step predictions: ticks 1..18 but 9 (the gap) and 15 (unknown action).
    assert len(errors[1].position_before) == 16
    # Five valid steps ahead: ticks 1..4 and 10; ten: none.
    assert len(errors[5].position_before) == 5
    assert errors[10].summary()['position_m'] == {'before': None, 'after': None}
    assert 9.0 not in method.windows[-1].actions[:, 0]


def test_pooled_errors_weigh_every_prediction_alike():
    short, long = (
        open_loop_errors(walk(8), DriftMethod(), DT, LAYOUT),
        open_loop_errors(walk(30, step=0.05), DriftMethod(), DT, LAYOUT),
    )
    pooled = pool([short, long])
    assert pooled[5].summary()['predictions'] == 2 + 24
    expected = (2 * 0.15 + 24 * 0.25) / 26
    assert pooled[5].summary()['position_m']['before'] == pytest.approx(expected, abs=1e-5)


def write_log(folder: Path, rollouts: int = 2, ticks: int = 20) -> Path:
    """Write a bag as an imported log is: `ticks` of walking 2 cm each along x, rollouts marked, a minute apart."""
    with BagWriter(folder) as bag:
        for number in range(rollouts):
            begin = START + 60.0 * number
            bag.write_message(
                '/rollout', stored_messages.status('rollout', f'carpet {number}', {'rollout': number}), begin - 0.01
            )
            for k in range(ticks):
                _write_log_tick(bag, begin + DT * k, k)
    return folder


def _write_log_tick(bag: BagWriter, stamp: float, k: int) -> None:
    action = 20.0 + k
    bag.write_message('/sent', stored_messages.joint_state(stamp - 0.003, [action, action]), stamp - 0.003)
    for early in (0.09, 0.08, 0.07, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01, 0.001):
        x = 0.02 * (k - early / DT)
        bag.write_message(
            '/mocap/pose', stored_messages.pose_stamped(stamp - early, [x, 0, 0.03], [0, 0, 0, 1]), stamp - 0.001
        )
    reply = Telemetry(stamp, np.full(2, 0.1 * k), np.full(2, 1.0), np.zeros(3), np.zeros(3), np.zeros(2), 4.0)
    names = ('/legs', '/imu/data_raw', '/battery', '/back_emf')
    for name, message in zip(names, stored_messages.telemetry_messages(reply), strict=True):
        bag.write_message(name, message, stamp)


def read(folder: Path):
    return read_rollouts(open_bag(folder), lambda: make_estimator(EstimatorConfig(), RobotConfig()), DT)


def test_marked_rollouts_are_estimated_apart_and_paired_with_what_was_sent(tmp_path):
    recorded = read(write_log(tmp_path / 'bag'))
    assert [rollout.name for rollout in recorded] == ['carpet 0', 'carpet 1']
    for rollout in recorded:
        assert len(rollout.stamps) == 20
        assert np.asarray(rollout.states)[:, 0] == pytest.approx(0.02 * np.arange(20), abs=2e-3)
        assert rollout.actions[:-1, 0] == pytest.approx(20.0 + np.arange(19))
        assert np.isnan(rollout.actions[-1]).all()


def test_a_live_run_is_one_rollout_from_its_first_tick_to_its_last(tmp_path):
    recorded = read(synthetic_run.write_run(tmp_path / 'run', ticks=30))
    assert [rollout.name for rollout in recorded] == ['run 1']
    assert len(recorded[0].ticks) == 30
    assert recorded[0].path is not None
    assert 28 <= len(recorded[0].stamps) <= 30


def test_a_bag_without_the_needed_topics_is_refused(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        bag.write_message('/legs', stored_messages.joint_state(START, [1, 1], position=[0, 0]), START)
    with pytest.raises(UserError, match='mocap/pose, imu/data_raw, battery, back_emf, sent'):
        read(tmp_path / 'bag')


def test_replay_prints_json_alone_and_the_table_says_the_same(tmp_path, capsys):
    bag = write_log(tmp_path / 'bag', rollouts=1)
    assert cli.main(['replay', str(bag), '--json']) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures['rollouts'][0]['name'] == 'carpet 0'
    assert figures['all']['1']['predictions'] == 18
    assert figures['planning'] is None
    assert cli.main(['replay', str(bag)]) == 0
    table = capsys.readouterr().out
    before = 1000 * figures['all']['5']['position_m']['before']
    assert f'{before:.1f} >' in table
    assert 'carpet 0' in table


def test_a_run_is_replayed_with_the_model_it_was_made_with(tmp_path, capsys):
    run = tmp_path / 'run'
    write_log(run / 'bag', rollouts=1)
    (run / 'parameters.yaml').write_text('{controller: {model: velociroach_mb}, estimator: {}}')
    for named in (run, run / 'bag'):
        assert cli.main(['replay', str(named), '--json']) == 0
        assert json.loads(capsys.readouterr().out)['model'] == 'velociroach_mb'
    assert cli.main(['replay', str(run), '--json', '--model', 'velociroach_grbal']) == 0
    assert json.loads(capsys.readouterr().out)['model'] == 'velociroach_grbal'


def test_replay_plans_along_a_trajectory_and_along_the_bags_own_reference(tmp_path, capsys):
    few = ['--json', '--model', 'velociroach_mb']
    assert cli.main(['replay', str(write_log(tmp_path / 'bag', 1, 6)), '--trajectory', 'straight', *few]) == 0
    given = json.loads(capsys.readouterr().out)['planning']
    assert given['ticks'] == 5
    run = synthetic_run.write_run(tmp_path / 'run', ticks=6)
    assert cli.main(['replay', str(run), *few]) == 0
    own = json.loads(capsys.readouterr().out)['planning']
    assert 5 <= own['ticks'] <= 6
    assert all(each['unit'] == 'rev/s' and each['rms'] > 0 for each in own['action_difference'].values())
    assert cli.main(['replay', str(run), '--no-plan', *few]) == 0
    assert json.loads(capsys.readouterr().out)['planning'] is None


def test_a_truncated_bag_is_replayed_as_far_as_readable_with_a_warning(tmp_path, capsys):
    bag = tmp_path / 'bag'
    writer = BagWriter(bag)  # never closed, as if the recorder had been killed
    for k in range(30):
        _write_log_tick(writer, START + DT * k, k)
        if k == 19:
            writer.flush()
    assert cli.main(['replay', str(bag), '--json']) == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert figures['rollouts'][0]['ticks'] == 20
    assert 'truncated' in captured.err
    assert len(figures['warnings']) == 1


@pytest.mark.parametrize(
    'arguments',
    [
        ['replay', 'nowhere'],
        ['report', 'nowhere'],
        ['replay', '{bag}', '--model', 'none_such'],
        ['replay', '{bag}', '--trajectory', 'none_such'],
        ['replay', '{text}'],
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, capsys, arguments):
    bag = write_log(tmp_path / 'bag', 1, 3)
    (tmp_path / 'text').write_text('no bag')
    filled = [argument.format(bag=bag, text=tmp_path / 'text') for argument in arguments]
    assert cli.main(filled) == 2
    captured = capsys.readouterr()
    assert captured.out == ''
    assert len([line for line in captured.err.splitlines() if line.startswith('millirobot: error: ')]) == 1


def test_report_rebuilds_summary_and_page(tmp_path, capsys):
    run = synthetic_run.write_run(tmp_path / 'run', ticks=20)
    assert cli.main(['report', str(run), '--json']) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((run / 'summary.json').read_text())
    assert (run / 'report.html').stat().st_size > 10_000


def test_the_estimator_of_the_options_is_the_one_used(tmp_path):
    bag = write_log(tmp_path / 'bag', 1)
    config = EstimatorConfig()
    other = replace(config, method='finite_difference')
    one, two = (
        read_rollouts(open_bag(bag), lambda c=chosen: make_estimator(c, RobotConfig()), DT)[0].states
        for chosen in (config, other)
    )
    assert not np.allclose(one, two)


def test_a_live_run_replayed_unchanged_decides_what_it_decided(tmp_path, capsys):
    folder = live_run.write_live_run(tmp_path / 'bag', 14, starts=(0, 8))
    assert cli.main(['replay', str(folder), '--json']) == 0
    figures = json.loads(capsys.readouterr().out)
    recorded = figures['planning']['recorded']
    assert [rollout['name'] for rollout in figures['rollouts']] == ['run 1', 'run 2']
    assert (recorded['ticks'], recorded['same_actions']) == (14, 14)
    assert recorded['action_difference'] == {side: {'unit': 'rev/s', 'rms': 0.0} for side in ('left', 'right')}
    for error in (recorded['pre_error'], recorded['post_error']):
        assert error['recorded'] == error['replayed'] > 0
    assert cli.main(['replay', str(folder)]) == 0
    assert '14 of 14 ticks as recorded bit for bit' in capsys.readouterr().out


@pytest.mark.parametrize(
    'change',
    [
        ['--set', 'controller.planner.samples=30'],
        ['--set', 'controller.seed=12'],
        ['--set', 'estimator.twist_period=0.2'],
        ['--model', 'velociroach_mb'],
        ['--method', 'mb'],
        ['--trajectory', 'left'],
    ],
)
def test_what_it_would_have_done_otherwise(tmp_path, capsys, change):
    folder = live_run.write_live_run(tmp_path / 'bag', 10)
    assert cli.main(['replay', str(folder), '--json', *change]) == 0
    recorded = json.loads(capsys.readouterr().out)['planning']['recorded']
    assert recorded['ticks'] == 10
    assert recorded['same_actions'] < 10
    assert max(each['rms'] for each in recorded['action_difference'].values()) > 0


def test_a_method_brings_its_model_unless_the_runs_was_trained_for_it(tmp_path):
    bag = open_bag(live_run.write_live_run(tmp_path / 'bag', 3))

    def model_with(**changes):
        return Path(recorded_setup(bag, Changes(**changes)).controller.model).name

    assert model_with() == model_with(method='grbal') == live_run.MODEL.name
    assert model_with(method='mb') == 'velociroach_mb'
    assert model_with(method='mb', model=str(live_run.MODEL)) == live_run.MODEL.name


def test_parameters_come_from_a_file_where_it_has_them(tmp_path, capsys):
    folder = live_run.write_live_run(tmp_path / 'bag', 6)
    file = tmp_path / 'other.yaml'
    file.write_text('estimator:\n  ros__parameters: {twist_period: 0.3}\n')
    assert cli.main(['replay', str(folder), '--json', '--params', str(file)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures['parameters'] == str(file)
    assert figures['planning']['recorded']['same_actions'] < 6


def test_the_table_has_a_row_a_tick_with_what_was_and_what_would_have_been(tmp_path, capsys):
    folder = live_run.write_live_run(tmp_path / 'bag', 9)
    same, other = tmp_path / 'same.csv', tmp_path / 'other.npz'
    assert cli.main(['replay', str(folder), '--out', str(same)]) == 0
    with same.open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row['tick']) for row in rows] == list(range(9))
    for row in rows:
        for name in ('next_left_rad_s', 'cost', 'x_m', 'pre_error', 'cross_track_m'):
            assert row[name] == row[f'recorded_{name}']
    assert float(rows[4]['position_error_1_before_m']) > 0
    assert cli.main(['replay', str(folder), '--out', str(other), '--set', 'controller.planner.horizon=3']) == 0
    with np.load(other) as arrays:
        assert arrays['plans'].shape == (9, 4, 3)
        assert arrays['recorded_plans'].shape == (9, 6, 3)
        np.testing.assert_allclose(
            arrays['plans'][:, 0], np.column_stack([arrays[n] for n in ('x_m', 'y_m', 'yaw_rad')])
        )
        assert not np.array_equal(arrays['cost'], arrays['recorded_cost'])
