"""What sittings had reached after some minutes: which model that is, and how it stands beside others."""

import json

import numpy as np
import pytest

from millirobot_adapt.app.main import main
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.experiments import judge_sittings as judging
from millirobot_adapt.experiments import judged_walks
from millirobot_adapt.experiments.judge_sittings import judge_sittings, model_at, standings_table
from millirobot_adapt.experiments.judged_walks import JudgedWalks, judge
from millirobot_adapt.sim.conditions import load_condition


def sitting(folder, rows, bundles):
    folder.mkdir()
    (folder / 'progress.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in rows))
    for name in bundles:
        (folder / 'models' / name).mkdir(parents=True)
    return folder


@pytest.fixture
def live(tmp_path):
    """Legs end at 100 s and 130 s; models are made 30 s and 150 s after the beginning at 80 s."""
    rows = [
        {'wall_s': 100.0, 'shape': 'random', 'seconds': 20.0}, {'wall_s': 110.0, 'bundle': '0001'},
        {'wall_s': 130.0, 'shape': 'left', 'seconds': 20.0}, {'wall_s': 230.0, 'bundle': '0002'},
    ]  # fmt: skip
    return sitting(tmp_path / 'live', rows, ('0001', '0002'))


def test_live_the_clock_runs_from_the_beginning_of_the_first_leg(live):
    assert model_at(live, 0.49) is None
    assert model_at(live, 0.5) == live / 'models' / '0001'
    assert model_at(live, 2.4) == live / 'models' / '0001'
    assert model_at(live, 2.5) == live / 'models' / '0002'


def test_in_lock_step_it_has_a_clock_of_its_own(tmp_path):
    rows = [
        {'wall_s': 5.0, 'clock_min': 1.0, 'bundle': '0001'},
        {'wall_s': 6.0, 'clock_min': 4.0, 'bundle': '0001', 'costs': [1.0]},
        {'wall_s': 7.0, 'clock_min': 9.0, 'bundle': '0002'},
    ]
    run = sitting(tmp_path / 'run', rows, ('0001', '0002'))
    assert [model_at(run, mark) for mark in (0.9, 1.0, 8.9, 9.0)] == [
        None, run / 'models' / '0001', run / 'models' / '0001', run / 'models' / '0002'
    ]  # fmt: skip


def test_what_is_no_sitting_is_refused_and_so_is_one_whose_model_is_gone(tmp_path, live):
    with pytest.raises(UserError, match=r'has no progress\.jsonl; name the folder of a run of `millirobot learn`'):
        model_at(tmp_path, 5.0)
    (live / 'models' / '0002').rmdir()
    with pytest.raises(UserError, match='0002: is not there'):
        model_at(live, 5.0)


def test_each_model_walks_once_and_stands_beside_the_others(live, monkeypatch):
    walked = []

    def costs(walks, bundle, walked_one):
        walked.append(bundle)
        return [2.0, 4.0] if bundle == 'shipped' else [3.0, 6.0] if bundle.endswith('0001') else [2.0, 4.0]

    monkeypatch.setattr(judging, 'judge', costs)
    said = []
    walks = JudgedWalks('velociroach', load_condition('carpet'), 2)
    standings = judge_sittings(walks, [live], (0.1, 1.0, 2.0, 3.0), ['shipped'], said.append)
    assert [name.rsplit('/', 1)[-1] for name in walked] == ['shipped', '0001', '0002']
    assert said[0] == 'live: no model after 0.1 min'
    assert [(each.minutes, each.cost) for each in standings] == [(None, 3.0), (1.0, 4.5), (2.0, 4.5), (3.0, 3.0)]
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in standings_table(standings).splitlines()]
    assert rows[0] == ['', 'clock [min]', 'model', 'cost of a step', 'over shipped']
    assert [row[0] for row in rows[2:]] == ['shipped', 'live', 'live', 'live']
    assert rows[3][1:3] == ['1', '0001']
    assert rows[3][4] == '1.50 [1.50, 1.50]', 'the ratios are those of pairs'
    assert rows[5][4] == '1.00 [1.00, 1.00]'


def test_the_walks_are_the_same_for_every_call_and_others_for_another_seed_or_floor(monkeypatch):
    monkeypatch.setattr(judged_walks, 'SECONDS', 2.0)

    def costs(condition='carpet', seed=0):
        return judge(JudgedWalks('velociroach', load_condition(condition), 1, seed), 'velociroach_rls')

    first = costs()
    assert len(first) == 1
    assert np.isfinite(first).all()
    assert costs() == first
    assert costs(seed=1)[0] != first[0]
    assert costs(condition='turf')[0] != first[0]


def test_judging_asks_for_marks_and_beside_for_judging(capsys, tmp_path):
    assert main(['learn', '--judge', str(tmp_path)]) == 2
    assert '--judge: needs --marks' in capsys.readouterr().err
    assert main(['learn', '--beside', 'velociroach_mb']) == 2
    assert '--beside: belongs to --judge RUN' in capsys.readouterr().err
