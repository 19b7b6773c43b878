"""The command with episodes made up: tables, JSON, files, going on, bad input."""

import argparse
import csv
import json
import re

import numpy as np
import pytest
from joblib import register_parallel_backend
from joblib.parallel import ThreadingBackend

from millirobot_adapt.app.commands import evaluate as command
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.experiments import evaluation_page, runner
from millirobot_adapt.experiments.episode import COLUMNS, Episode

walked = []


def made_up(spec):
    """An episode of 20 ticks whose cost after the fault is 1 + seed for mb and half of that for others."""
    walked.append(spec.label)
    table = {name: np.arange(20.0) * 0.1 for name in COLUMNS}
    table['faults'] = (np.arange(20) >= 10).astype(float)
    cost = (1.0 + spec.seed) * (1.0 if spec.method == 'mb' else 0.5) + 0.1 * spec.training_seed
    table['step_cost'] = np.where(table['faults'] > 0, cost, 0.0) / 3.0
    return Episode(spec, make_path(spec.shape), table, 'time')


@pytest.fixture
def evaluate(monkeypatch):
    monkeypatch.setattr(runner, 'run_episode', made_up)
    monkeypatch.setattr(
        evaluation_page, 'drawings', lambda _: iter(())
    )  # pictures take their time, and have a test of their own
    walked.clear()
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())

    def call(*options):
        parsed = parser.parse_args(['evaluate', '--jobs', '1', *options])
        return parsed.run(parsed)

    return call


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*.*') if path.is_file()}


def test_json_holds_rows_and_paired_cells_alone(evaluate, capsys):
    assert evaluate('--seeds', '3', '--json') == 0
    report = json.loads(capsys.readouterr().out)
    assert report['schema'] == 2
    assert len(report['rows']) == 2 * 3 * 2
    (cell,) = [c for c in report['cells'] if (c['method'], c['span']) == ('rebal', 'after_fault')]
    assert cell['cost'] == pytest.approx(1.0 / 3.0)
    assert cell['ratio'] == pytest.approx(0.5)
    assert cell['ratio_interval'] == pytest.approx([0.5, 0.5])
    assert (cell['wins'], cell['pairs']) == (3, 3)
    assert cell['pace_kept'] is None


def test_the_tables_name_methods_and_intervals(evaluate, capsys):
    assert evaluate('--seeds', '3') == 0
    text = capsys.readouterr().out
    assert 'leg_loss, figure8, after the fault (1 x 3 seeds)' in text
    assert re.search(r'mb +0\.667 \[-0\.161, 1\.495\]  1\.000 ', text)  # Student's t of 0.333, 0.667, 1
    assert '0.500 [0.500, 0.500]' in text


def test_a_single_seed_prints_too(evaluate, capsys):
    assert evaluate('--seeds', '1', '--json') == 0
    cell = json.loads(capsys.readouterr().out)['cells'][0]
    assert cell['cost'] > 0
    assert cell['cost_interval'] is None


def test_the_folder_holds_long_form_tables_and_episodes_the_same_each_time(evaluate, tmp_path):
    options = ('--seeds', '2', '--shapes', 'figure8,left', '--methods', 'mb,grbal=velociroach_grbal')
    for name in ('first', 'again'):
        evaluate(*options, '--out', str(tmp_path / name))
    first = files(tmp_path / 'first')
    assert first == files(tmp_path / 'again')
    assert {'results.csv', 'results.json', 'results.md', 'index.html'} <= set(first)
    assert 'episodes/leg_loss_left_grbal-velociroach_grbal_training_0_seed_1.csv' in first
    rows = list(csv.DictReader((tmp_path / 'first' / 'results.csv').open()))
    assert len(rows) == 2 * 2 * 2 * 2
    assert {row['span'] for row in rows} == {'all', 'after_fault'}
    assert {row['training_seed'] for row in rows} == {'0'}


def test_an_evaluation_goes_on_where_it_was_and_ends_the_same(evaluate, tmp_path, capsys):
    evaluate('--seeds', '2', '--out', str(tmp_path / 'whole'))
    evaluate('--seeds', '1', '--out', str(tmp_path / 'parts'))
    walked.clear()
    evaluate('--seeds', '2', '--out', str(tmp_path / 'parts'))
    assert len(walked) == 2
    assert '2 of 4 episodes are there already' in capsys.readouterr().err
    assert files(tmp_path / 'whole') == files(tmp_path / 'parts')


def test_ctrl_c_loses_nothing_that_is_done(evaluate, tmp_path, monkeypatch):
    def interrupted(spec):
        if len(walked) == 3:
            raise KeyboardInterrupt
        return made_up(spec)

    monkeypatch.setattr(runner, 'run_episode', interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluate('--seeds', '3', '--out', str(tmp_path))
    assert len(list((tmp_path / 'episodes').glob('*.csv'))) == 3
    monkeypatch.setattr(runner, 'run_episode', made_up)
    evaluate('--seeds', '3', '--out', str(tmp_path))
    assert len(walked) == 3 + 3


def test_the_best_other_method_is_met_again_on_fresh_seeds(evaluate, tmp_path, capsys):
    options = ('--seeds', '2', '--methods', 'mb,grbal,rebal', '--confirm', 'rebal', '--out', str(tmp_path))
    evaluate(*options)
    assert len(walked) == 3 * 2 + 2 * 30
    printed = capsys.readouterr().out
    (row,) = [line for line in printed.splitlines() if line.split()[:4] == ['leg_loss', 'rebal', 'grbal', '30']]
    assert '1.00 [1.00, 1.00]' in row  # both cost the same here
    assert 'further seeds' in printed
    rows = list(csv.DictReader((tmp_path / 'confirmation.csv').open()))
    assert {(row['method'], int(row['seed'])) for row in rows} == {
        (m, s) for m in ('grbal', 'rebal') for s in range(2, 32)
    }
    (found,) = json.loads((tmp_path / 'results.json').read_text())['confirmation']
    assert (found['rival'], found['seeds'], found['behind']) == ('grbal', 30, 0.0)
    assert len(list(csv.DictReader((tmp_path / 'results.csv').open()))) == 3 * 2 * 2
    walked.clear()
    evaluate(*options)
    assert not walked


def test_what_changed_is_walked_again(evaluate, tmp_path):
    evaluate('--seeds', '1', '--out', str(tmp_path))
    walked.clear()
    evaluate('--seeds', '1', '--out', str(tmp_path), '--seconds', '30')
    assert len(walked) == 2


def test_any_backend_that_joblib_knows_serves_and_leaves_the_results_alone(evaluate, tmp_path):
    asked = []

    class Cluster(ThreadingBackend):
        def submit(self, func, callback=None):
            asked.append(func)
            return super().submit(func, callback)

        apply_async = submit  # joblib before 1.5

    register_parallel_backend('my_cluster', Cluster)
    evaluate('--seeds', '2', '--out', str(tmp_path / 'one'))
    evaluate('--seeds', '2', '--out', str(tmp_path / 'two'), '--jobs', '2', '--backend', 'my_cluster')
    assert asked
    assert files(tmp_path / 'one') == files(tmp_path / 'two')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (('--jobs', '0'), '--jobs 0'),
        (('--methods', ' , '), '--methods'),
        (('--conditions', 'sunshine'), 'sunshine'),
        (('--methods', 'mb=no_such_bundle'), 'no_such_bundle'),
        (('--shapes', 'circle'), 'circle'),
        (('--confirm', 'pearl'), 'confirm: .pearl. must be one of'),
        (('--params', 'nowhere.yaml'), 'nowhere.yaml'),
        (('--backend', 'no_such_backend'), '--backend no_such_backend'),
    ],
)
def test_bad_options_are_a_users_mistake_before_the_work_begins(evaluate, options, message):
    with pytest.raises(UserError, match=message):
        evaluate(*options)
    assert not walked


@pytest.mark.parametrize('options', [('--seeds', '0'), ('--seconds', '0.5'), ('--seconds', 'nan')])
def test_numbers_out_of_range_are_refused(evaluate, options, capsys):
    with pytest.raises(SystemExit):
        evaluate(*options)
    assert 'is not between' in capsys.readouterr().err


def test_an_out_that_is_a_file_is_a_users_mistake(evaluate, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot be made'):
        evaluate('--out', str(tmp_path / 'file'))
