"""The Python API: light to import, and its calls give what the rooms below give."""

import ast
import subprocess
import sys
from pathlib import Path

import live_run
import matplotlib as mpl
import numpy as np
import pytest

import millirobot_adapt
from millirobot_adapt import (
    LoadedRun,
    Sim,
    evaluate,
    load_model,
    load_run,
    make_controller,
    plan,
    prediction_errors,
    rollout,
)
from millirobot_adapt.analysis.replay.replay import ReplayOptions, replay
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.recording.run_setup import Changes

mpl.use('Agg')
ROOT = Path(__file__).resolve().parents[2]
BAGS = ROOT / 'test' / 'data' / 'bags'
SMALL = {'planner.samples': 16, 'planner.batch': 16, 'planner.horizon': 5, 'engine.threads': 1}


@pytest.fixture(scope='module')
def run() -> LoadedRun:
    return load_run(BAGS / 'leg_loss')


@pytest.fixture(scope='module')
def model():
    return load_model(BAGS / 'small_grbal')


def imported(path: str) -> set[str]:
    """The names that a module of the package imports from the API."""
    tree = ast.parse((ROOT / path).read_text())
    return {
        alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names if alias.asname
    }


def test_every_name_is_typed_and_there():
    names = set(millirobot_adapt.__all__)
    assert 10 <= len(names) <= 18
    assert names == imported('millirobot_adapt/__init__.pyi') == imported('millirobot_adapt/api/__init__.py')
    assert names <= set(dir(millirobot_adapt))
    for name in names:
        assert getattr(millirobot_adapt, name).__doc__, name
    with pytest.raises(AttributeError, match='no attribute'):
        _ = millirobot_adapt.no_such_name


def test_importing_asks_for_no_library():
    program = (
        'import sys, millirobot_adapt\n'
        'print([name for name in ("numpy", "yaml", "pydantic", "scipy") if name in sys.modules])\n'
        'from millirobot_adapt import Sim, load_run, load_model, evaluate, plan\n'
        'heavy = ("mujoco", "matplotlib", "onnxruntime", "rosbags", "joblib", "rclpy", "torch")\n'
        'print([name for name in heavy if name in sys.modules])\n'
    )
    answer = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == ['[]', '[]']


def test_the_windows_of_a_run_are_those_its_controller_adapted_to(tmp_path):
    run = load_run(live_run.write_live_run(tmp_path / 'bag', 14))
    compared = 0
    for tick in run.data.ticks:
        if not np.isfinite(tick.state).all():
            continue
        window = run.window(tick.state_stamp - run.origin + 1e-4, length=len(tick.window_mask))
        np.testing.assert_array_equal(window.mask, tick.window_mask)
        np.testing.assert_array_equal(window.states, tick.window_states)
        np.testing.assert_allclose(window.actions, tick.window_actions, atol=1e-9)
        np.testing.assert_array_equal(window.next_states, tick.window_next_states)
        compared += 1
    assert compared > 10


def test_a_window_is_never_longer_than_the_run_and_its_newest_row_is_the_last(run):
    early = run.window(float(run.times[3]))
    assert early.mask.sum() <= 3
    assert not early.mask[:-3].any()
    np.testing.assert_array_equal(run.window(float(run.times[-1])).next_states[-1], run.states[-1])
    with pytest.raises(UserError, match=r't = -5 s: the run has states from'):
        run.window(-5.0)


def test_what_came_after_is_returned_whole_or_not_at_all(run):
    states, actions = run.ahead(float(run.times[5]), steps=4)
    assert (states.shape, actions.shape) == ((5, 24), (4, 2))
    np.testing.assert_array_equal(states[0], run.states[5])
    with pytest.raises(UserError, match='are not whole'):
        run.ahead(float(run.times[-1]), steps=4)


def test_adapting_lowers_the_error_on_the_window_and_changes_the_forecast(run, model):
    t = float(run.times[-6])
    adapted = model.adapt(run.window(t))
    assert adapted.loss_after < adapted.loss_before
    again = model.adapt(run.window(t, length=model.window_length))  # longer windows are cut to T1
    assert (again.loss_before, again.loss_after) == (adapted.loss_before, adapted.loss_after)
    states, actions = run.ahead(t, steps=5)
    before, after = rollout(model, states[0], actions), rollout(adapted, states[0], actions)
    assert before.states.shape == (6, 1, 24)
    np.testing.assert_allclose(before.states[0, 0], states[0], rtol=1e-6)
    assert np.abs(before.positions - after.positions).max() > 0
    assert before.errors(states).shape == (6, 1)
    many = rollout(model, states[0], np.repeat(actions[:, None], 3, axis=1))
    np.testing.assert_allclose(many.states[:, 2], before.states[:, 0], atol=1e-5)
    with pytest.raises(ValueError, match='are not'):
        rollout(model, states[0], actions[:, :1])


def test_prediction_errors_are_those_of_a_replay(run, model):
    expected = replay(ReplayOptions(BAGS / 'leg_loss', Changes(model=str(BAGS / 'small_grbal')), plan=False))
    assert prediction_errors(run, model) == {int(h): each for h, each in expected.figures['all'].items()}


def test_a_plan_begins_with_what_executes_and_follows_the_path(run, model):
    first = plan(model, run.states[0], 'straight', executing=(20.0, 21.0), parameters=SMALL)
    assert first.plan.usable
    np.testing.assert_allclose(first.plan.actions[0], (20.0, 21.0))
    assert first.plan.states.shape == (6, 24)
    again = plan(model, run.states[0], 'straight', executing=(20.0, 21.0), parameters=SMALL)
    np.testing.assert_array_equal(first.plan.actions, again.plan.actions)
    other = plan(model, run.states[0], 'straight', executing=(20.0, 21.0), parameters=SMALL, seed=1)
    assert not np.array_equal(first.plan.actions, other.plan.actions)
    with pytest.raises(UserError, match=r"did you mean 'samples'"):
        plan(model, run.states[0], parameters={'planner.smaples': 3})


def test_the_mock_steps_and_every_reset_is_a_new_run():
    sim = Sim(condition='flat', seed=3)
    with pytest.raises(RuntimeError, match='reset'):
        sim.step((0.0, 0.0))
    first = [sim.reset(), *(sim.step((20.0, 20.0)) for _ in range(3))]
    second = [sim.reset(), *(sim.step((20.0, 20.0)) for _ in range(3))]
    assert first[0].state.shape == (24,)
    np.testing.assert_array_equal(first[-1].state, second[-1].state)


def test_a_function_and_the_controller_walk_the_mock():
    sim = Sim(condition={'missing_legs': ['middle_left']}, seed=0)
    own = sim.walk(lambda state: (20.0, 20.0), path='straight', seconds=1.0)
    assert own.ended == 'time'
    assert len(own.table['time']) == 10
    assert own.table['action_0'][0] == 0.0
    assert (own.table['action_0'][1:] == 20.0).all()
    assert np.isfinite(own.cost)
    path = ReferencePath(np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]), name='mine')
    ours = sim.walk(make_controller(parameters=SMALL), path, seconds=1.0)
    assert np.isfinite(ours.table['plan_cost'][1:]).all()


def test_faults_of_a_condition_begin_when_they_are_told_to():
    walk = Sim(condition='leg_loss', fault_time=0.5).walk(lambda state: (20.0, 20.0), 'straight', seconds=1.5)
    assert walk.table['faults'][0] == 0
    assert walk.table['faults'][-1] == 1


def test_a_controller_takes_a_method_with_its_model():
    assert not make_controller(method='mb', parameters={'engine.threads': 1}).carries
    with pytest.raises(UserError, match=r"did you mean 'grbal'"):
        make_controller(method='grbl')


def test_methods_are_compared(model):
    result = evaluate(('mb',), ('flat',), ('straight',), seeds=1, seconds=1.0, jobs=1)
    assert [row['method'] for row in result.rows] == ['mb']
    assert result.cells
    assert 'mb' in str(result)
    assert len(result.plot().lines) == 1


def test_everything_that_has_a_picture_draws_on_the_axes_given(run, model):
    axes = run.plot()
    lines = len(axes.lines)
    assert axes.get_xlabel() == 'x [m]'
    assert any('leg' in text.get_text() for text in axes.get_legend().get_texts()), 'the fault is named'
    states, actions = run.ahead(float(run.times[2]), steps=5)
    assert rollout(model, states[0], actions).plot(axes, label='predicted') is axes
    assert plan(model, run.states[0], 'straight', parameters=SMALL).plot(axes) is axes
    assert Sim().walk(lambda state: (0.0, 0.0), 'straight', seconds=0.5).plot(axes) is axes
    assert len(axes.lines) > lines + 3
