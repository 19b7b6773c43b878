"""Planners at equal time: who gets how many candidates, and that a run that goes on keeps the numbers."""

from dataclasses import replace

import pytest
import yaml

from millirobot_adapt.app.main import main
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.experiments import equal_time, evaluation_page
from millirobot_adapt.experiments.equal_time import KEPT, EqualTime, as_lines, equalise, measure
from millirobot_adapt.experiments.experiment import Experiment, MethodEntry, find_experiment
from millirobot_adapt.experiments.grid import episodes_of

PLANNERS = ('mppi', 'icem', 'random_shooting')
METHODS = tuple(
    MethodEntry(name, 'grbal', controller={'planner.method': name, 'planner.samples': 40}) for name in PLANNERS
)


@pytest.fixture
def experiment():
    return Experiment(methods=METHODS, shapes=('straight',), seeds=1, seconds=1.0, equal_time=True)


@pytest.fixture
def clock(monkeypatch):
    """Time that passes by the candidates of a tick alone: 1 ms, and for each 0.1 ms (mppi), 0.2 ms (icem), 0.05 ms."""
    now = [0.0]

    def step(loop, given):
        method = names[id(loop)]
        now[0] += 1e-3 + {'mppi': 1e-4, 'icem': 2e-4, 'random_shooting': 5e-5}[method] * loop.samples

    names, kept = {}, []
    made = equal_time.make_loop

    def loop(config, samples, path):
        found = made(config, samples, path)
        names[id(found)] = config.planner.method
        kept.append(found)  # so that no id is used twice
        return found

    monkeypatch.setattr(equal_time, 'make_loop', loop)
    monkeypatch.setattr(equal_time, 'record_ticks', lambda spec: [None] * 3)
    monkeypatch.setattr(equal_time, 'plan_again', step)
    monkeypatch.setattr(equal_time.time, 'process_time', lambda: now[0])


def specs_by_method(experiment):
    return {spec.method: spec for spec in episodes_of(experiment, 'controller.yaml')}


def test_each_planner_gets_what_the_time_of_the_first_allows(experiment, clock):
    measured = measure(specs_by_method(experiment))
    assert {name: each.samples for name, each in measured.items()} == {'mppi': 40, 'icem': 20, 'random_shooting': 80}
    assert {each.tick_ms for each in measured.values()} == {5.0}
    assert 'icem                     K =    20      5.00 ms    1.00 of the first' in as_lines(measured)


def test_a_folder_keeps_what_was_measured(experiment, clock, tmp_path):
    specs = episodes_of(experiment, 'controller.yaml')
    changed, measured = equalise(experiment, specs, tmp_path)
    assert {spec.method: spec.controller.planner.samples for spec in episodes_of(changed, 'controller.yaml')} == {
        'mppi': 40, 'icem': 20, 'random_shooting': 80,
    }  # fmt: skip
    rows = yaml.safe_load((tmp_path / KEPT).read_text())
    rows['icem']['samples'] = 17
    (tmp_path / KEPT).write_text(yaml.safe_dump(rows, sort_keys=False))
    _, again = equalise(experiment, specs, tmp_path)
    assert again == {**measured, 'icem': EqualTime(17, 5.0, 1.0)}


def test_a_folder_of_other_methods_is_refused(experiment, clock, tmp_path):
    equalise(experiment, episodes_of(experiment, 'controller.yaml'), tmp_path)
    fewer = replace(experiment, methods=METHODS[:2])
    with pytest.raises(UserError, match=r'is of the methods mppi, icem, random_shooting; delete it'):
        equalise(fewer, episodes_of(fewer, 'controller.yaml'), tmp_path)
    (tmp_path / KEPT).write_text('mppi: {samples: many}\nicem: {}\n')
    with pytest.raises(UserError, match='is damaged'):
        equalise(fewer, episodes_of(fewer, 'controller.yaml'), tmp_path)


def test_the_path_follower_has_no_candidates(experiment):
    followed = replace(experiment, methods=(*METHODS, MethodEntry('follower')))
    with pytest.raises(UserError, match='the path follower draws no candidates'):
        equalise(followed, episodes_of(followed, 'controller.yaml'), None)


def test_the_shipped_comparison_of_planners_is_at_equal_time():
    assert find_experiment(['planners']).equal_time


def test_the_command_prints_the_numbers_and_reports_them(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(equal_time, 'TICKS', 8)
    # Pictures take their time, and have a test of their own.
    monkeypatch.setattr(evaluation_page, 'drawings', lambda _: iter(()))
    path = tmp_path / 'mine.yaml'
    path.write_text(
        'equal_time: true\nconditions: [carpet]\nshapes: [straight]\nseeds: 1\nseconds: 1.0\nmethods:\n'
        '  - {name: mppi, method: grbal, controller: {planner.method: mppi, planner.samples: 20, planner.horizon: 3}}\n'
        '  - {name: icem, method: grbal, controller: {planner.method: icem, planner.samples: 20, planner.horizon: 3}}\n'
    )
    assert main(['evaluate', '--conditions', str(path), '--out', str(tmp_path / 'out'), '--jobs', '1']) == 0
    assert 'mppi                     K =    20' in capsys.readouterr().err
    kept = yaml.safe_load((tmp_path / 'out' / KEPT).read_text())
    assert kept['icem']['samples'] >= 1
    assert kept['mppi']['tick_ms'] > 0
