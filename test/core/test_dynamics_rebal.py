"""ReBAL and its siblings against golden arrays of PyTorch (make_golden_rebal.py), and what windows mean."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig

DATA = Path(__file__).parents[1] / 'data'
ENGINE = EngineConfig(threads=1)


@pytest.fixture(scope='module', params=['rebal', 'snail', 'pearl'])
def name(request):
    return request.param


@pytest.fixture(scope='module')
def bundle(name):
    return load_bundle(str(DATA / f'golden_{name}'), RobotConfig())


@pytest.fixture(scope='module')
def expected(name):
    with np.load(DATA / f'golden_{name}' / 'expected.npz') as arrays:
        return dict(arrays)


@pytest.fixture
def window(expected):
    return Window(*(expected[name].astype(float) for name in ('states', 'actions', 'next_states', 'mask')))


@pytest.fixture
def method(bundle):
    return make_method(bundle, ENGINE)


def report(adaptation):
    return adaptation.loss_before, adaptation.loss_after, adaptation.step


def test_adaptation_equals_pytorch_and_moves_the_first_bias_alone(bundle, method, expected, window):
    adaptation = method.adapt(window)
    np.testing.assert_allclose(report(adaptation), expected['report'], rtol=1e-5)
    assert adaptation.loss_after < adaptation.loss_before
    for name, value in adaptation.model.theta.items():
        np.testing.assert_allclose(value.numpy(), expected['bias'] if name == 'b0' else bundle.theta[name], atol=1e-5)
    assert np.abs(expected['bias'] - bundle.theta['b0']).min() > 1e-3


@pytest.mark.parametrize('threads', [1, 2])
def test_rollout_equals_pytorch(bundle, expected, window, threads):
    model = make_method(bundle, EngineConfig(threads=threads)).adapt(window).model
    states = model.rollout(expected['rollout'][0, 0], expected['candidates'])
    np.testing.assert_allclose(states, expected['rollout'], atol=1e-5)


def test_the_context_reaches_integer_rollouts_too(bundle, expected, window):
    moved = {}
    for engine in ('fp32', 'int8'):
        method = make_method(bundle, EngineConfig(name=engine, threads=1))
        models = (method.adapt(window).model, method.prior)
        adapted, prior = (model.rollout(expected['rollout'][0, 0], expected['candidates'])[-1] for model in models)
        moved[engine] = adapted[:, :2] - prior[:, :2]
    assert np.abs(moved['int8'] - moved['fp32']).max() < 0.1 * np.abs(moved['fp32']).max()


def test_an_empty_window_is_theta_star(method, window):
    nothing = (np.zeros_like(part) for part in (window.states, window.actions, window.next_states, window.mask))
    adaptation = method.adapt(Window(*nothing))
    assert adaptation.model is method.prior
    assert report(adaptation) == (0.0, 0.0, 0.0)


def test_a_window_that_is_not_finite_is_theta_star(method, window):
    adaptation = method.adapt(replace(window, actions=np.full_like(window.actions, np.nan)))
    assert adaptation.model is method.prior
    assert adaptation.step == 0.0


def test_missing_rows_do_not_matter_and_rows_that_are_there_do(method, window):
    whole = method.adapt(window).model.theta['b0'].numpy()
    for row, matters in ((1, False), (2, True)):
        states = window.states.copy()
        states[row, 3:6] = 0.9
        found = method.adapt(replace(window, states=states)).model.theta['b0'].numpy()
        assert np.array_equal(found, whole) != matters


def test_nothing_is_carried_from_tick_to_tick(bundle, method, window):
    other = replace(window, actions=window.actions[::-1])
    first = method.adapt(window)
    method.adapt(other)
    again = method.adapt(window)
    fresh = make_method(bundle, ENGINE).adapt(window)
    assert method.carries is False
    for adaptation in (again, fresh):
        assert report(adaptation) == report(first)
        np.testing.assert_array_equal(adaptation.model.theta['b0'].numpy(), first.model.theta['b0'].numpy())


def test_the_order_of_the_transitions_counts_but_for_a_product_of_beliefs(name, method, window):
    def reversed_rows(rows):
        return np.concatenate([rows[:2], rows[:1:-1]])

    backwards = Window(
        *(reversed_rows(part) for part in (window.states, window.actions, window.next_states, window.mask))
    )
    one, other = method.adapt(window), method.adapt(backwards)
    assert one.loss_before == pytest.approx(other.loss_before, rel=1e-5)
    assert (one.loss_after == pytest.approx(other.loss_after, rel=1e-5)) == (name == 'pearl')


def test_without_its_learner_the_network_is_a_plain_model(bundle, window, expected):
    plain = make_method(bundle, ENGINE, 'mb').adapt(window)
    assert plain.loss_before == plain.loss_after == pytest.approx(float(expected['report'][0]), rel=1e-4)


def test_a_model_of_another_method_is_refused_in_a_sentence(bundle):
    other = load_bundle(str(DATA / 'golden_bundle'), RobotConfig())
    for given, method in ((other, bundle.method), (bundle, 'grbal')):
        with pytest.raises(UserError, match='which the chosen method or engine needs'):
            make_method(given, ENGINE, method)
