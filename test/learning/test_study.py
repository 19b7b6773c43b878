"""Studies of how much data, which floors and which windows a model needs, on toy robots."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.app import main as cli
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning import study_runs
from millirobot_adapt.learning.log_errors import LogErrors
from millirobot_adapt.learning.log_rollouts import Log
from millirobot_adapt.learning.log_study import LogTrainConfig
from millirobot_adapt.learning.study_plan import (
    FUTURE,
    HELD_OUT,
    PAST,
    SEEN,
    UNSEEN,
    Judgement,
    StudyConfig,
    longest_past,
    plan_data,
    plan_floors,
    plan_windows,
)
from millirobot_adapt.learning.study_runs import JudgedModel, curve_rows, curve_table, run_models

pytestmark = pytest.mark.train

TRAIN = LogTrainConfig(hidden=(8,), window=6, horizon=3, steps=10, check_every=5)
CONFIG = StudyConfig(method='mb', horizon=4, train=TRAIN, parts=(0.25, 1.0), pasts=(4, 8), futures=(2, 3))
QUICK = ('hidden=8', 'window=6', 'horizon=3', 'steps=10', 'check_every=5')


@pytest.fixture
def make_log(toy_rollouts):
    def make(name, count=20, length=30, seed=0):
        rollouts = toy_rollouts(count, length, seed=seed)
        rollouts.metadata['logs'] = {name: 'digest'}
        return Log(name, rollouts, tuple(f'{name} {number}' for number in range(count)))

    return make


def test_a_smaller_part_of_the_data_lies_within_each_larger_one(make_log):
    models = plan_data([make_log('grass', 40)], [], replace(CONFIG, parts=(0.25, 0.5, 1.0), seeds=2))
    assert [model.config.seed for model in models] == [0, 0, 0, 1, 1, 1]
    for quarter, half, whole in (models[:3], models[3:]):
        assert set(quarter.training.sessions) < set(half.training.sessions) < set(whole.training.sessions)
        assert [len(model.training) for model in (quarter, half, whole)] == [8, 16, 32]
        assert len(quarter.judged[0].log) == 8
        assert not set(whole.training.sessions) & set(whole.judged[0].log.sessions)
    assert models[0].training.sessions != models[3].training.sessions, 'each seed draws its own'
    assert {model.judged[0].curve for model in models} == {HELD_OUT}


def test_test_runs_are_not_trained_on(make_log):
    learned, tested = make_log('grass'), make_log('sand', seed=1)
    models = plan_data([learned], [tested], CONFIG)
    assert models[-1].training.sessions == learned.sessions
    assert models[-1].judged[0].log.sessions == tested.sessions
    with pytest.raises(UserError, match='grass 0 is in grass, too'):
        plan_data([learned], [learned], CONFIG)


def test_each_floor_is_left_out_in_turn_and_floors_share_one_amount_of_data(make_log):
    floors = [make_log('carpet', 40), make_log('turf', 30, seed=1), make_log('sand', 60, seed=2)]
    models = plan_floors(floors, [], CONFIG)
    assert len(models) == 3 * 2
    for model in models:
        unseen, seen = model.judged
        assert (unseen.curve, seen.curve) == (UNSEEN, SEEN)
        assert unseen.at == seen.at == len(model.training.rollouts.metadata['logs'])
        assert not set(model.training.sessions) & {*unseen.log.sessions, *seen.log.sessions}
        floor = {session.split()[0] for session in unseen.log.sessions}
        assert len(floor) == 1
        assert not floor & {session.split()[0] for session in model.training.sessions}
        assert len(model.training) == 24, 'what turf has beside its held-out sessions'
    assert {tuple(model.judged[0].log.rollouts.metadata['logs']) for model in models} == {
        ('carpet',), ('turf',), ('sand',),
    }  # fmt: skip


def test_a_floor_of_ones_own_to_test_on_is_predicted_by_models_of_all_others(make_log):
    floors = [make_log('carpet', 40), make_log('turf', 40, seed=1)]
    models = plan_floors(floors, [make_log('sand', seed=2)], CONFIG)
    assert [model.judged[0].at for model in models] == [1, 2, 1]
    assert {tuple(model.judged[0].log.rollouts.metadata['logs']) for model in models} == {('sand',)}


def test_one_floor_is_no_study(make_log):
    with pytest.raises(UserError, match='carpet: is a single floor'):
        plan_floors([make_log('carpet')], [], CONFIG)


def test_windows_are_varied_one_at_a_time(make_log):
    models = plan_windows([make_log('grass', 40)], [], CONFIG)
    assert [(model.judged[0].curve, model.config.window, model.config.horizon) for model in models] == [
        (PAST, 4, 3), (PAST, 8, 3), (FUTURE, 6, 2), (FUTURE, 6, 3),
    ]  # fmt: skip
    assert longest_past(models) == 8


def test_too_little_data_is_found_before_anything_is_trained(make_log):
    with pytest.raises(UserError, match=r'a part of the data is too little to learn from \(part_0.01_0\)'):
        plan_data([make_log('grass')], [], replace(CONFIG, parts=(0.01, 1.0)))
    with pytest.raises(UserError, match=r'the longest window is too little to learn from \(past_50_0\)'):
        plan_windows([make_log('grass')], [], replace(CONFIG, pasts=(50,)))


def test_models_with_other_windows_are_judged_from_the_same_ticks_and_nothing_is_done_twice(
    make_log, tmp_path, monkeypatch
):
    models = plan_windows([make_log('grass', 30)], [], replace(CONFIG, futures=(3,)))
    judged = run_models(models, tmp_path, horizon=4, every=3, jobs=1)
    assert [each.judgement.at for each in judged] == [4, 8, 3]
    # Of 30 transitions the ticks 9, 12, ..., 24 have 8 behind them and 4 ahead.
    assert {each.errors.predictions for each in judged} == {6 * 6}
    assert all(np.isfinite(each.errors.position).all() for each in judged)
    assert all(each.minutes == pytest.approx(24 * 30 * 0.1 / 60) for each in judged)

    monkeypatch.setattr(study_runs, 'train_on', None)
    again = run_models(models, tmp_path, horizon=4, every=3, jobs=1)
    for first, second in zip(judged, again, strict=True):
        np.testing.assert_array_equal(first.errors.position, second.errors.position)
        np.testing.assert_array_equal(first.errors.heading, second.errors.heading)
    with pytest.raises(TypeError):  # another horizon is something else: it would train
        run_models(models, tmp_path, horizon=5, every=3, jobs=1)


def test_a_rollouts_error_is_the_mean_over_the_models_that_predicted_it(make_log):
    log = make_log('grass', 3)
    errors = [np.array([[0.1, 0.2, np.nan], [0.1, 0.2, np.nan]]), np.array([[0.3, 0.4, np.nan], [0.1, 0.2, np.nan]])]
    judged = [
        JudgedModel(Judgement(HELD_OUT, 0.5, log), 2.0 * n, LogErrors(values[..., None], values[..., None], 5))
        for n, values in enumerate(errors, start=1)
    ]
    (row,) = curve_rows(judged)
    assert (row['models'], row['rollouts'], row['minutes']) == (2, 2, 3.0)
    assert row['position_before'] == pytest.approx(0.25)
    assert row['position_after'] == pytest.approx(0.15)
    low, high = row['position_after_interval']
    assert low < 0.1 < 0.2 < high
    assert '| 0.5 | 3.0 min | 250.0 -> 150.0 [' in curve_table([row], 10)


def saved(toy_rollouts, folder, name, seed):
    path = folder / f'{name}.npz'
    toy_rollouts(30, 30, seed=seed).save(path)
    return str(path)


def study(capsys, kind, *words):
    settings = [part for name in QUICK for part in ('--set', f'train.{name}')]
    code = cli.main(['study', kind, '--method', 'mb', '--horizon', '4', '--jobs', '1', *settings, *words])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_the_command_prints_the_curve_and_leaves_table_figure_and_models(toy_rollouts, tmp_path, capsys):
    data, out = saved(toy_rollouts, tmp_path, 'grass', 0), tmp_path / 'study'
    words = ('data', '--data', data, '--parts', '0.5,1', '--out', str(out))
    code, said, _ = study(capsys, *words)
    assert code == 0
    assert f'**{HELD_OUT}** (open loop, H = 4)' in said
    assert (out / 'curve.png').stat().st_size > 10_000
    assert (out / 'part_1_0' / 'bundle' / 'model.yaml').is_file()
    code, said, _ = study(capsys, *words, '--json')
    report = json.loads(said)
    assert code == 0
    assert [(row['at'], row['models']) for row in report['rows']] == [(0.5, 1), (1.0, 1)]
    assert report == json.loads((out / 'study.json').read_text())

    code, _, error = study(capsys, 'data', '--data', data, '--parts', '0.7', '--out', str(out))
    assert code == 2
    assert 'holds another study; choose another place with --out, or replace it with --force' in error
    assert study(capsys, 'data', '--data', data, '--parts', '0.7', '--out', str(out), '--force')[0] == 0


def test_floors_and_windows_have_commands_of_their_own(toy_rollouts, tmp_path, capsys):
    carpet, turf = (saved(toy_rollouts, tmp_path, name, seed) for seed, name in enumerate(('carpet', 'turf')))
    floors = ('floors', '--floor', 'soft', carpet, '--floor', 'hard', turf, '--out', str(tmp_path / 'floors'))
    code, said, _ = study(capsys, *floors)
    assert code == 0
    assert f'**{UNSEEN}**' in said
    window = ('window', '--data', carpet, '--test', turf, '--pasts', '4', '--futures', '2')
    code, said, _ = study(capsys, *window, '--out', str(tmp_path / 'window'))
    assert code == 0
    assert f'**{PAST}**' in said
    assert f'**{FUTURE}**' in said


@pytest.mark.parametrize(
    ('words', 'says'),
    [
        (('data', '--data', 'nowhere', '--parts', '1'), 'nowhere: no such bag'),
        (('data', '--data', '{grass}', '--parts', '0,1'), 'parts'),
        (('data', '--data', '{grass}', '--parts', 'some'), "--set parts=some: 'some' is not of type list"),
        (('data', '--data', '{grass}', '--test', '{grass}'), 'what is learned from must not be tested on'),
        (('data', '--data', '{grass}', '--set', 'sead=1'), 'unknown parameter'),
        (('data', '--data', '{grass}', '--jobs', '0'), '--jobs 0'),
        (('floors', '--floor', 'soft', '{grass}'), 'soft: is a single floor'),
        (('floors', '--floor', 'soft'), '--floor soft: names no runs'),
        (('floors', '--floor', 'soft', '{grass}', '--floor', 'soft', '{sand}'), '--floor soft: name each floor once'),
        (('window', '--data', '{grass}', '--pasts', '100'), 'the longest window is too little to learn from'),
    ],
)
def test_what_cannot_be_studied_is_one_line(toy_rollouts, tmp_path, capsys, words, says):
    files = {name: saved(toy_rollouts, tmp_path, name, seed) for seed, name in enumerate(('grass', 'sand'))}
    out = tmp_path / 'study'
    code, _, error = study(capsys, *(word.format(**files) for word in words), '--out', str(out))
    assert code == 2
    assert says in error
    assert error.count('\n') == 1
    assert not out.exists(), 'nothing is left'
