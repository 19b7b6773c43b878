"""`millirobot bench paths`: generated paths, how their walks are judged, and the walks themselves."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millirobot_adapt.app import main as cli
from millirobot_adapt.benchmarks.paths import paths_bench
from millirobot_adapt.benchmarks.paths.generated import FEWEST, KINDS, MOST, generated
from millirobot_adapt.benchmarks.paths.judge import FAR, frechet_distance, judge, longest_run
from millirobot_adapt.benchmarks.paths.paths_bench import PathBench, bench_paths, list_specs
from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.tracking import PathTracker
from millirobot_adapt.core.share import find
from millirobot_adapt.experiments.episode import COLUMNS, Episode
from millirobot_adapt.experiments.store import Store
from millirobot_adapt.sim.conditions import load_condition


def shipped(**changes):
    controller = read_params(find('params', 'controller', '.yaml'), 'controller', ControllerConfig)
    return PathBench(controller, EstimatorNodeConfig(), load_condition('carpet'), **changes)


def light_params(folder):
    """Write the shipped parameters with a light planner."""
    text = find('params', 'controller', '.yaml').read_text()
    file = folder / 'light.yaml'
    file.write_text(text.replace('samples: 400', 'samples: 48').replace('horizon: 12', 'horizon: 8'))
    return file


def drawn(path, track, ended='finished', spec=None):
    """Return the episode of a robot that was led along a track, shape (N, 2), ten points a second."""
    tracker = PathTracker(path)
    off = [tracker.update_pose(point, 0.0).cross_track for point in track]
    table = {'x': track[:, 0], 'y': track[:, 1], 'cross_track': np.array(off), 'time': 0.1 * np.arange(len(track))}
    return Episode(spec, path, table, ended)


@pytest.fixture
def spec(tmp_path):
    return list_specs(shipped(kinds=['lanes'], paths=1, seeds=1), tmp_path)[0]


@pytest.mark.parametrize('kind', KINDS)
def test_paths_have_from_few_to_many_points_and_are_walked_once(kind, tmp_path):
    counts = []
    for spec in list_specs(shipped(kinds=[kind], paths=5, seeds=1), tmp_path):
        path = make_path(spec.shape)
        counts.append(len(path.waypoints))
        assert 2.0 < path.length < 6.5
        assert not path.closed
        assert np.array_equal(path.waypoints, generated(kind, int(path.name[-1])).waypoints), 'bit for bit'
        start, ahead = path.at(np.array([0.0, 0.1]))
        offset = (spec.condition.start_x, spec.condition.start_y) - start
        assert np.hypot(*offset) == pytest.approx(0.05), 'beside the path, as the condition says'
        assert offset @ (ahead - start) == pytest.approx(0.0, abs=1e-9)
    assert counts[0] <= FEWEST + 8
    assert counts[-1] >= 0.99 * MOST


def brute_frechet(first, second):
    from functools import cache

    @cache
    def leash(i, j):
        here = float(np.hypot(*(first[i] - second[j])))
        before = [leash(a, b) for a, b in ((i - 1, j), (i - 1, j - 1), (i, j - 1)) if a >= 0 and b >= 0]
        return max(min(before), here) if before else here

    return leash(len(first) - 1, len(second) - 1)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 12), m=st.integers(1, 12), seed=st.integers(0, 1000))
def test_the_leash_is_that_of_the_definition(n, m, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
    assert frechet_distance(first, second) == pytest.approx(brute_frechet(first, second))


def test_the_longest_run_of_true_values():
    assert longest_run(np.array([], dtype=bool)) == 0
    assert longest_run(np.array([False, False])) == 0
    assert longest_run(np.array([True, True, False, True, True, True])) == 3


def test_a_walk_along_the_path_is_right(spec):
    path = make_path(spec.shape)
    walk = judge(drawn(path, path.at(np.arange(0.0, path.length, 0.03)), spec=spec), 0.1)
    assert walk.failures == []
    assert walk.kind == 'lanes'
    assert walk.leash_m < 0.03
    assert walk.walked_m == pytest.approx(path.length, abs=0.06)


def test_every_way_to_go_wrong_is_named(spec):
    path = make_path(spec.shape)
    whole = path.at(np.arange(0.0, path.length, 0.03))
    short = np.vstack((whole[:20], whole[-20:]))
    assert 'finished after' in judge(drawn(path, short, spec=spec), 0.1).failures[0]
    assert judge(drawn(path, whole[:50], 'time', spec), 0.1).failures == ['not finished after 4.9 s']
    given_up = replace(drawn(path, whole[:50], 'failed', spec), reason='no progress any more')
    assert judge(given_up, 0.1).failures == ['not finished after 4.9 s: no progress any more']
    beside = np.vstack((whole, whole[-1] + [0.0, 0.5]))
    assert judge(drawn(path, beside, spec=spec), 0.1).failures == ['finished 0.50 m from the last waypoint']
    loop = np.vstack((whole[:70], whole[70:0:-1], whole[[0]] + [0.0, 3 * FAR], whole[70:]))
    assert 'left out' in judge(drawn(path, loop, spec=spec), 0.1).failures[0]
    away = np.vstack((whole[:40], whole[40] + np.tile([0.0, 1.2 * FAR], (35, 1)), whole[40:]))
    assert any('farther than' in text for text in judge(drawn(path, away, spec=spec), 0.1).failures)


def test_a_kept_walk_still_says_why_it_was_given_up(spec, tmp_path):
    reason = 'no progress along the path any more: 0.10 of 3.00 m done, 0.02 m from the path'
    for ended, why in (('failed', reason), ('time', '')):
        table = {name: np.arange(3.0) for name in COLUMNS}
        Store(tmp_path).save(Episode(spec, make_path(spec.shape), table, ended, why), 'key')
        kept = Store(tmp_path).load(spec, 'key')
        assert (kept.ended, kept.reason) == (ended, why)


def test_the_command_walks_and_goes_on_where_it_was(tmp_path, capsys):
    command = ['bench', 'paths', '--kinds', 'out_and_back', '--paths', '1', '--seeds', '1', '--jobs', '1']
    command += ['--params', str(light_params(tmp_path)), '--out', str(tmp_path / 'out'), '--json']
    assert cli.main(command) == 0
    report = json.loads(capsys.readouterr().out)
    assert [walk['ended'] for walk in report['walks']] == ['finished']
    assert all(walk['walked_m'] >= 0.9 * walk['length_m'] for walk in report['walks'])
    assert cli.main(command[:-1]) == 0
    shown = capsys.readouterr()
    assert '1 of 1 episodes are there already' in shown.err
    assert '| all | 1 |' in shown.out
    assert shown.out.rstrip().endswith('every walk is right')


def test_what_fails_is_listed_and_is_the_exit_code(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(paths_bench, 'SPARE', 3.0 - generated('out_and_back', 0).length / paths_bench.SLOWEST)
    command = ['bench', 'paths', '--kinds', 'out_and_back', '--paths', '1', '--seeds', '1', '--jobs', '1']
    assert cli.main([*command, '--params', str(light_params(tmp_path))]) == 1
    assert 'out_and_back_0 seed 0: not finished after 2.9 s' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--kinds', 'knots'], '--kinds knots: no such kind; known are lanes,'),
        (['--kinds', ','], "--kinds ',': names nothing"),
        (['--jobs', '0'], '--jobs 0'),
        (['--condition', 'moon'], 'moon'),
    ],
)
def test_bad_options_are_one_line(options, message, capsys):
    assert cli.main(['bench', 'paths', *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize('kind', KINDS)
def test_every_generated_path_is_walked_to_its_end(kind):
    walks = bench_paths(shipped(kinds=[kind]), jobs=1)
    assert len(walks) == 25
    assert [walk.failures for walk in walks] == [[]] * 25
