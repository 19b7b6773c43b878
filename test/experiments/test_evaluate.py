"""The command with episodes made up: table, JSON, files, bad input."""

import argparse
import csv
import json

import numpy as np
import pytest

from millirobot_adapt.cli import evaluate as command
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.core.share import find
from millirobot_adapt.experiments import run
from millirobot_adapt.experiments.story import COLUMNS, Episode, Story


def made_up(story):
    """An episode of 20 ticks whose cost after the fault is 1 + seed for mb and half of that for others."""
    table = {name: np.arange(20.0) * 0.1 for name in COLUMNS}
    table['faults'] = (np.arange(20) >= 10).astype(float)
    cost = (1.0 + story.seed) * (1.0 if story.method == 'mb' else 0.5)
    table['step_cost'] = np.where(table['faults'] > 0, cost, 0.0)
    return Episode(story, make_path(story.shape), table, 'time')


@pytest.fixture
def evaluate(monkeypatch):
    monkeypatch.setattr(run, 'run_story', made_up)
    monkeypatch.setattr(run, 'check_story', lambda story: RobotConfig())
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())

    def call(*options):
        parsed = parser.parse_args(['evaluate', '--jobs', '1', *options])
        return parsed.run(parsed)

    return call


def test_json_holds_rows_and_paired_cells_alone(evaluate, capsys):
    assert evaluate('--seeds', '3', '--json') == 0
    report = json.loads(capsys.readouterr().out)
    assert report['schema'] == 1
    assert len(report['rows']) == 2 * 3 * 2
    (cell,) = [c for c in report['cells'] if (c['method'], c['span']) == ('grbal', 'after_fault')]
    assert cell['cost'] == {'mean': pytest.approx(1.0), 'sd': pytest.approx(0.5)}
    against = cell['cost_against_mb']
    assert against['difference'] == pytest.approx(-1.0)
    assert against['ratio'] == pytest.approx(0.5)
    assert against['wins'] == 3


def test_the_table_names_methods_and_intervals(evaluate, capsys):
    assert evaluate('--seeds', '3') == 0
    text = capsys.readouterr().out
    assert 'leg_loss, figure8, after the fault (3 seeds)' in text
    assert '2.000 +- 1.000' in text
    assert 'cost / mb: 0.500 [0.500, 0.500]; lower on 3 of 3 seeds' in text


def test_a_single_seed_prints_too(evaluate, capsys):
    assert evaluate('--seeds', '1', '--json') == 0
    assert json.loads(capsys.readouterr().out)['cells'][0]['cost']['sd'] is None


def test_the_folder_gets_long_form_pictures_and_episodes_the_same_each_time(evaluate, tmp_path, capsys):
    options = ('--seeds', '2', '--shape', 'figure8,left', '--methods', 'mb,grbal=mine')
    for name in ('first', 'again'):
        evaluate(*options, '--out', str(tmp_path / name))
    first = {path.relative_to(tmp_path / 'first'): path.read_bytes() for path in (tmp_path / 'first').rglob('*.*')}
    again = {path.relative_to(tmp_path / 'again'): path.read_bytes() for path in (tmp_path / 'again').rglob('*.*')}
    assert first == again
    names = {str(name) for name in first}
    assert {'results.csv', 'results.json', 'paths_leg_loss_figure8.png', 'paths_leg_loss_left.png'} <= names
    assert 'episodes/leg_loss_left_grbal-mine_seed1.csv' in names
    rows = list(csv.DictReader((tmp_path / 'first' / 'results.csv').open()))
    assert len(rows) == 2 * 2 * 2 * 2
    assert {row['span'] for row in rows} == {'all', 'after_fault'}
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (('--seeds', '0'), '--seeds 0'),
        (('--seconds', '0.5'), '--seconds 0.5'),
        (('--seconds', 'nan'), '--seconds nan'),
        (('--jobs', '0'), '--jobs 0'),
        (('--methods', ' , '), '--methods'),
        (('--params', 'nowhere.yaml'), 'nowhere.yaml'),
    ],
)
def test_bad_options_are_a_users_mistake(evaluate, options, message):
    with pytest.raises(UserError, match=message):
        evaluate(*options)


def test_an_out_that_is_a_file_is_a_users_mistake(evaluate, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot be made'):
        evaluate('--out', str(tmp_path / 'file'))


@pytest.mark.parametrize(
    ('condition', 'method', 'message'),
    [('sunshine', 'mb', 'sunshine'), ('leg_loss', 'mb=no_such_bundle', 'no_such_bundle')],
)
def test_names_are_checked_before_the_work_begins(condition, method, message):
    params, estimator_params = (str(find('params', name)) for name in ('controller.yaml', 'estimator.yaml'))
    with pytest.raises(UserError, match=message):
        run.check_story(Story(method, condition, 'figure8', 0, 40.0, params, estimator_params))
