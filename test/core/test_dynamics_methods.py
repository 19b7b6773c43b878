"""Each adaptation method over a short run, against golden arrays that PyTorch made (make_golden_methods.py)."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from robots import LAYOUT

from millirobot_adapt.core.control.history import TransitionHistory
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import METHODS, make_method
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.dynamics.rls import DiscountedLeastSquares
from millirobot_adapt.core.dynamics.window import NewRows, window_loss
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig

DATA = Path(__file__).parents[1] / 'data'
GOLDEN = ('mb', 'mb_de', 'grbal_literal', 'rls', 'grbal_context')
CARRYING = ('mb_de', 'rls')
ENGINE = EngineConfig(threads=1)


def bundle(method):
    return load_bundle(str(DATA / f'golden_{method}'), RobotConfig())


def make(method):
    return make_method(bundle(method), ENGINE)


def expected(method):
    with np.load(DATA / f'golden_{method}' / 'expected.npz') as arrays:
        return {name: values.astype(float) for name, values in arrays.items()}


def windows(golden, length=6, gap=None):
    """The window of every tick of the run; with `gap`, the state of that tick is lost."""
    history = TransitionHistory(length, 0.1, LAYOUT)
    for tick, state in enumerate(golden['states']):
        if tick != gap:
            history.add(0.1 * tick, state, golden['actions'][tick - 1] if tick else None)
            yield history.window()


def walked(method, golden):
    adaptation = None
    for window in windows(golden):
        adaptation = method.adapt(window)
    return adaptation


def empty_window():
    return Window(np.zeros((6, 24)), np.zeros((6, 2)), np.zeros((6, 24)), np.zeros(6))


def test_every_method_has_golden_arrays():
    elsewhere = {'grbal', 'mb_aug', 'rebal', 'snail', 'pearl'}
    assert set(METHODS) == {*GOLDEN, *elsewhere}
    assert METHODS['mb_aug'] is METHODS['mb'], 'it never adapts either'


@pytest.mark.parametrize('name', GOLDEN)
def test_a_run_of_adaptations_equals_pytorch(name):
    golden = expected(name)
    model = walked(make(name), golden).model
    for parameter, value in model.theta.items():
        np.testing.assert_allclose(value.numpy(), golden[parameter], atol=1e-5)
    rolled = model.rollout(golden['states'][-1], golden['candidates'])
    np.testing.assert_allclose(rolled, golden['rollout'], rtol=1e-5, atol=1e-5)
    moved = [not np.allclose(value.numpy(), bundle(name).theta[key], atol=1e-4) for key, value in model.theta.items()]
    assert all(moved) == (name != 'mb')


@pytest.mark.parametrize('name', GOLDEN)
def test_a_run_begins_at_theta_star_and_so_does_the_next(name):
    method, golden = make(name), expected(name)
    first = method.adapt(empty_window())
    assert first.model is method.prior or first.step == 0
    once = walked(method, golden)
    twice = walked(method, golden)
    method.reset()
    again = walked(method, golden)
    for parameter in once.model.theta:
        np.testing.assert_array_equal(once.model.theta[parameter].numpy(), again.model.theta[parameter].numpy())
    same = all(np.array_equal(once.model.theta[p].numpy(), twice.model.theta[p].numpy()) for p in once.model.theta)
    assert same == (not method.carries)


@pytest.mark.parametrize('name', GOLDEN)
def test_losses_are_those_of_theta_star_and_of_the_adapted_model(name):
    golden = expected(name)
    method = make(name)
    last = walked(method, golden)
    *_, window = windows(golden)
    scale = bundle(name).target_scale
    assert last.loss_before == pytest.approx(window_loss(method.prior, window, scale, LAYOUT), rel=1e-4)
    assert last.loss_after == pytest.approx(window_loss(last.model, window, scale, LAYOUT), rel=1e-4)
    assert (last.loss_after != last.loss_before) == (name != 'mb')


@pytest.mark.parametrize('name', CARRYING)
def test_a_tick_without_a_new_transition_teaches_nothing(name):
    golden = expected(name)
    method = make(name)
    *_, window = windows(golden)
    first = method.adapt(window)
    assert first.step == 1.0
    second = method.adapt(window)
    assert second.step == 0.0
    assert second.model is first.model
    assert second.loss_after == pytest.approx(first.loss_after, rel=1e-4)


def test_new_rows_are_counted_over_ticks_that_were_cut_short():
    golden = expected('rls')
    rows = list(windows(golden))
    counter = NewRows()
    assert [counter.count(rows[index]) for index in (0, 1, 1, 4, 5)] == [0, 1, 0, 3, 1]
    counter.reset()
    assert counter.count(rows[5]) == 5
    far = Window(rows[9].states + 1, rows[9].actions, rows[9].next_states + 1, rows[9].mask)
    assert counter.count(far) == 6  # none of them was there before


def test_rls_takes_the_transitions_of_a_tick_that_was_lost():
    golden = expected('rls')
    rows = list(windows(golden))
    whole, some = make('rls'), make('rls')
    for window in rows:
        every = whole.adapt(window)
    for window in (*rows[:4], *rows[6:]):
        sparse = some.adapt(window)
    for parameter, value in every.model.theta.items():
        np.testing.assert_array_equal(value.numpy(), sparse.model.theta[parameter].numpy())


@pytest.mark.parametrize('discount', [0.7, 0.95, 1.0])
def test_least_squares_equal_the_batch_solution_in_double_precision(discount):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 7)), rng.normal(size=(60, 8))
    root = rng.normal(size=(8, 8))
    information, prior, weight = root @ root.T + np.eye(8), rng.normal(size=(8, 8)), 3.0
    fit = DiscountedLeastSquares(prior, information, discount, weight)
    np.testing.assert_allclose(fit.solve(), prior, rtol=1e-10)
    for features, targets in zip(x, y, strict=True):
        fit.add(features, targets)
    # The same as a plain least-squares problem: weighted rows, and the prior as further rows.
    ones = np.column_stack([x, np.ones(60)])
    scale = np.sqrt(discount ** np.arange(59, -1, -1.0))[:, None]
    square_root = np.linalg.cholesky(weight * information).T
    rows, wanted = np.vstack([scale * ones, square_root]), np.vstack([scale * y, square_root @ prior])
    np.testing.assert_allclose(fit.solve(), np.linalg.lstsq(rows, wanted, rcond=None)[0], rtol=1e-9, atol=1e-12)


def test_least_squares_do_not_wind_up_while_nothing_varies():
    fit = DiscountedLeastSquares(np.zeros((8, 8)), np.eye(8), 0.9, 5.0)
    for _ in range(5000):
        fit.add(np.full(7, 0.5), np.ones(8))
    weights = fit.solve()
    assert np.abs(weights).max() < 1.0
    fit.add(np.array([3.0, *np.zeros(6)]), np.full(8, -3.0))
    assert np.abs(fit.solve()).max() < 2.0


def test_weights_that_explode_are_given_up_for_theta_star(caplog):
    golden = expected('mb_de')
    method = make('mb_de')
    *_, window = windows(golden)
    wild = Window(window.states, window.actions, window.next_states + np.array([1e4, *np.zeros(23)]), window.mask)
    adaptation = method.adapt(wild)
    assert adaptation.step == 0.0
    assert adaptation.model is method.prior
    assert adaptation.loss_after == adaptation.loss_before
    assert 'diverged' in caplog.text
    recovered = method.adapt(window)  # and the run goes on from there
    assert recovered.step == 1.0
    assert recovered.loss_after < recovered.loss_before


@pytest.mark.parametrize('name', CARRYING)
def test_numbers_that_are_none_never_reach_the_plan(name):
    golden = expected(name)
    method = make(name)
    walked(method, golden)
    *_, window = windows(golden)
    broken = Window(window.states, np.full_like(window.actions, np.nan), window.next_states, window.mask)
    method.adapt(broken)
    method.adapt(window)
    states = method.adapt(next(iter(windows(golden)))).model.rollout(golden['states'][0], golden['candidates'])
    assert np.isfinite(states).all()


def test_literal_sees_inputs_as_they_are_and_takes_the_step_whole():
    golden = expected('grbal_literal')
    literal, clipped = make('grbal_literal'), make('mb')
    far, farther = (np.full((1, 1, 2), value) for value in (35 + 5 * 12.0, 35 + 9 * 12.0))
    state = golden['states'][0]
    assert not np.allclose(literal.prior.rollout(state, far), literal.prior.rollout(state, farther))
    np.testing.assert_allclose(clipped.prior.rollout(state, far), clipped.prior.rollout(state, farther), atol=1e-7)
    *_, window = windows(golden)
    wild = Window(window.states, window.actions, window.next_states + np.array([0.3, *np.zeros(23)]), window.mask)
    adaptation = literal.adapt(wild)
    assert adaptation.step == 1.0
    assert adaptation.loss_after > adaptation.loss_before  # nothing guards it


@pytest.mark.parametrize('name', GOLDEN)
def test_int8_follows_fp32(name):
    golden = expected(name)
    exact, coarse = make(name), make_method(bundle(name), replace(ENGINE, name='int8'))
    wanted, found = (
        walked(method, golden).model.rollout(golden['states'][-1], golden['candidates']) for method in (exact, coarse)
    )
    moved = np.abs(wanted - wanted[0]).max((0, 1))[:2]
    assert (np.abs(found - wanted).max((0, 1))[:2] < 0.1 * moved).all()


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        (lambda a: a.clear(), 'is incomplete'),
        (lambda a: a.update(discount=0.0), r'discount = 0.0 must be in \(0, 1\]'),
        (lambda a: a.update(prior_weight=-1.0), 'prior_weight = -1.0 must be positive'),
        (lambda a: a.update(information=[[1.0]]), 'must be a positive definite 8 x 8'),
        (lambda a: a.update(discount='much'), 'is incomplete'),
    ],
)
def test_settings_of_rls_that_make_no_sense(tmp_path, change, complaint):
    folder = Path(shutil.copytree(DATA / 'golden_rls', tmp_path / 'rls'))
    manifest = yaml.safe_load((folder / 'model.yaml').read_text())
    change(manifest['adaptation'])
    (folder / 'model.yaml').write_text(yaml.safe_dump(manifest))
    with pytest.raises(UserError, match=complaint):
        make_method(load_bundle(str(folder), RobotConfig()), ENGINE)


def test_rls_needs_a_model_of_its_own():
    with pytest.raises(UserError, match=r'the bundle holds no model for rls; train one'):
        make_method(bundle('mb'), ENGINE, 'rls')
