"""The benchmark of the engine: what it measures it, and that it says so; no figure of speed is asserted."""

import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from millirobot_adapt.app.main import main
from millirobot_adapt.benchmarks.engine import engine_bench
from millirobot_adapt.benchmarks.engine.engine_table import as_dict, table
from millirobot_adapt.benchmarks.engine.planners import PlannerBench
from millirobot_adapt.benchmarks.engine.random_model import hidden_layers, multiply_adds, walk, write_random_model
from millirobot_adapt.benchmarks.engine.speed import gemm, measure_rollouts, window_of
from millirobot_adapt.benchmarks.engine.tick import TickTimes, make_ours
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.robot.description import load_robot

KEYS = {'gemm_gflops', 'engines', 'adapt_ms', 'tick_ms', 'peers', 'rollouts', 'int8_rollout_error_p95'}


@pytest.fixture(scope='module')
def robot():
    return load_robot('velociroach')


def test_a_random_model_has_the_size_asked_for_and_works(tmp_path, robot):
    bundle = load_bundle(str(write_random_model(tmp_path / 'm', 'velociroach_grbal', robot, (40, 24, 16), 9)), robot)
    assert bundle.window == 9
    assert multiply_adds([array.shape for array in bundle.theta.values()]) == 7 * 40 + 40 * 24 + 24 * 16 + 16 * 8
    steps = list(islice(walk(robot, 0), 10))
    window = window_of(steps)
    assert window.states.shape == (9, 24)
    np.testing.assert_array_equal(window.next_states[:-1], window.states[1:])
    adaptation = make_method(bundle, EngineConfig(threads=1)).adapt(window)
    assert adaptation.gradient_norm > 0
    assert np.isfinite(adaptation.model.rollout(steps[-1][1], np.full((5, 2, 2), 30.0))).all()


@pytest.mark.parametrize('name', ['rover', 'xl330_hexapod'])
def test_any_robot_has_its_engine_measured(tmp_path, name):
    robot = load_robot(name)
    model = write_random_model(tmp_path / 'm', f'{name}_grbal', robot, (8, 8), 4)
    bundle = load_bundle(str(model), robot)
    assert all(ours.robot == robot for ours in make_ours(model, 1, 20, 4, 10, robot=name).values())
    assert hidden_layers(bundle.theta) == 2
    steps = list(islice(walk(robot, 0), 5))
    assert np.isfinite([state for _, state, _ in steps]).all()
    assert make_method(bundle, EngineConfig(threads=1)).adapt(window_of(steps)).gradient_norm > 0


def test_planners_are_not_compared_on_the_mock_of_another_robot(capsys):
    assert main(['bench', 'engine', '--robot', 'rover']) == 2
    assert 'add --planner-seeds 0' in capsys.readouterr().err


def test_the_product_is_a_product():
    assert gemm(1)()[0].shape == (2048, 2048)


def test_operations_are_counted_as_done(tmp_path, robot):
    bundle = load_bundle(str(write_random_model(tmp_path / 'm', 'velociroach_grbal', robot, (16, 16, 16), 4)), robot)
    state = next(walk(robot, 0))[1]
    engines = [EngineConfig(name=name, threads=1) for name in ('fp32', 'int8')]
    peak, speeds = measure_rollouts(bundle, state, [(30, 4)], chunk=20, engines=engines, repeats=1)
    work = 2 * (7 * 16 + 2 * 16 * 16 + 16 * 8)
    assert peak > 0
    for speed in speeds:
        # Two chunks, whose first step is one for all; three more steps of thirty candidates.
        assert speed.gflops * speed.ms * 1e6 == pytest.approx(work * (2 + 3 * 30))


def test_ratios_pair_tick_with_tick():
    times = TickTimes({'fp32': [10.0, 20.0, 40.0]}, {'fp32': [1.0] * 3}, {'other': [30.0, 40.0, 160.0]})
    assert times.ratio('other', 'fp32') == (3.0, 2.0)


def test_what_is_not_rollouts_is_taken_tick_by_tick():
    times = TickTimes({'fp32': [10.0, 20.0, 40.0]}, {'fp32': [1.0] * 3}, {}, {'fp32': [8.0, 15.0, 39.0]})
    assert times.beside('fp32') == 2.0


@pytest.fixture
def small(monkeypatch):
    """Measure little: a small network, few candidates."""
    monkeypatch.setattr(engine_bench, 'HIDDEN', (16, 16, 16))
    monkeypatch.setattr(engine_bench, 'SAMPLES', 20)
    monkeypatch.setattr(engine_bench, 'HORIZON', 3)
    monkeypatch.setattr(engine_bench, 'measure_memory', lambda config: 1.0)


def test_the_figures_have_the_keys_that_were_promised(small):
    told = []
    settings = engine_bench.EngineBench(
        threads=1, chunk=20, ticks=3, repeats=1, grid=((20, 3), (10, 3)), quality_minutes=0.25,
        planners=PlannerBench(samples=(4, 8), seeds=1, plan_ticks=2),
    )  # fmt: skip
    figures = engine_bench.bench_engine(settings, lambda: told.append(1))
    content = json.loads(json.dumps(as_dict(figures)))
    assert len(told) == engine_bench.steps(settings)
    assert set(content) >= KEYS
    assert set(content['engines']) == {'fp32', 'int8'}
    assert content['engines']['int8']['ratio_to_gemm'] == pytest.approx(
        content['engines']['int8']['gflops'] / content['gemm_gflops']
    )
    assert set(content['adapt_ms']) == {'16', '32'}
    assert content['tick_ms']['p50'] <= content['tick_ms']['p99'] <= content['tick_ms']['max']
    assert content['peers'] == {}
    assert len(content['int8_rollout_error_p95']) == 3
    assert max(content['int8_rollout_error_p95']) < 0.02
    assert {row['samples'] for row in content['planners']} == {4, 8}
    shown = table(figures, 1)
    assert 'T1 = 32' in shown
    assert 'int8 against fp32' in shown
    assert 'icem reaches its cost of a plan with K' in shown


def test_a_quick_run_leaves_quality_out(small):
    settings = engine_bench.EngineBench(threads=1, chunk=20, ticks=40).quick()
    assert settings.ticks == 30
    settings = replace(settings, ticks=2, repeats=1, grid=((20, 3),))
    told = []
    figures = engine_bench.bench_engine(settings, lambda: told.append(1))
    content = json.loads(json.dumps(as_dict(figures)))
    assert len(told) == engine_bench.steps(settings)
    assert content['int8_rollout_error_p95'] == content['planners'] == []
    assert set(content['engines']['fp32']) >= {'beside_rollouts_ms', 'rollouts_in_tick_ms'}
    shown = table(figures, 1)
    assert 'beside them' in shown
    assert 'int8 against fp32' not in shown


@pytest.mark.train
def test_the_engines_of_a_device_are_measured_as_those_of_the_cpu(small):
    pytest.importorskip('array_api_compat')
    settings = engine_bench.EngineBench(threads=1, provider='torch-cpu', chunk=20, ticks=40).quick()
    figures = engine_bench.bench_engine(replace(settings, ticks=2, repeats=1, grid=((20, 3),)), lambda: None)
    assert set(as_dict(figures)['engines']) == {'fp32', 'bf16'}


def test_peers_that_are_not_installed_are_named(small, monkeypatch, capsys):
    monkeypatch.setattr(engine_bench, 'find_spec', lambda name: None)
    assert main(['bench', 'engine', '--peers']) == 2
    assert "torch is not installed: pip install 'millirobot_adapt[bench]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'complaint'),
    [
        (['--model', 'no_such_model'], 'no_such_model'),
        (['--robot', 'cheetah'], 'cheetah'),
        (['--seed', '-1'], '--seed -1'),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments, complaint, capsys):
    assert main(['bench', 'engine', *arguments]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count('\n') == 1


@pytest.mark.train
@pytest.mark.parametrize('compiled', [False, pytest.param(True, marks=pytest.mark.long)])
def test_the_peer_adapts_and_plans_within_the_bounds(tmp_path, robot, compiled):
    pytest.importorskip('pytorch_mppi')
    from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective
    from millirobot_adapt.core.planning.paths import make_path
    from millirobot_adapt.core.planning.projection import AT_START
    from millirobot_adapt.learning.mppi_peer import PytorchMppi

    bundle = load_bundle(str(write_random_model(tmp_path / 'm', 'velociroach_grbal', robot, (16, 16, 16), 4)), robot)
    peer = PytorchMppi(bundle.theta, bundle.target_scale, robot, samples=50, horizon=4, threads=1, compiled=compiled)
    steps = list(islice(walk(robot, 0), 5))
    objective = TrackingObjective(ObjectiveConfig(), make_path('straight'), AT_START, 0.1)
    action = peer.tick(steps[-1][1], window_of(steps), objective)
    assert action.shape == (2,)
    assert np.isfinite(action).all()
    assert (action >= robot.action_low - 1e-3).all()
    assert (action <= robot.action_high + 1e-3).all()
