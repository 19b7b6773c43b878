"""The dynamics room against golden arrays that PyTorch made (test/learning/make_golden_bundle.py)."""

from pathlib import Path

import numpy as np
import pytest
from robots import LAYOUT, assemble_state

from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method, model_for_method
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.dynamics.targets import change_of_state, normalised_error
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden_bundle'
ENGINE = EngineConfig(threads=1)


@pytest.fixture(scope='module')
def bundle():
    return load_bundle(str(GOLDEN), RobotConfig())


@pytest.fixture(scope='module')
def expected():
    with np.load(GOLDEN / 'expected.npz') as arrays:
        return dict(arrays)


@pytest.fixture
def window(expected):
    return Window(*(expected[name].astype(float) for name in ('states', 'actions', 'next_states', 'mask')))


def test_adaptation_equals_pytorch(bundle, expected, window):
    adaptation = make_method(bundle, ENGINE).adapt(window)
    report = (adaptation.loss_before, adaptation.loss_after, adaptation.gradient_norm, adaptation.step)
    np.testing.assert_allclose(report, expected['report'], rtol=1e-5)
    for name, value in adaptation.model.theta.items():
        np.testing.assert_allclose(value.numpy(), expected[name], atol=1e-5)
        assert not np.allclose(value.numpy(), bundle.theta[name], atol=1e-5)


def test_rollout_equals_pytorch(bundle, expected, window):
    model = make_method(bundle, ENGINE).adapt(window).model
    states = model.rollout(expected['rollout'][0, 0], expected['candidates'])
    np.testing.assert_allclose(states, expected['rollout'], atol=1e-5)


@pytest.mark.parametrize(('horizon', 'candidates'), [(1, 1), (1, 7), (15, 2), (40, 33)])
def test_rollout_takes_any_horizon_and_number_of_candidates(bundle, expected, horizon, candidates):
    model = make_method(bundle, ENGINE).prior
    state = expected['states'][0].astype(float)
    actions = np.random.default_rng(0).uniform(15, 50, (horizon, candidates, 2))
    states = model.rollout(state, actions)
    assert states.shape == (horizon + 1, candidates, 24)
    np.testing.assert_array_equal(states[0], np.tile(state.astype(np.float32), (candidates, 1)))
    # Candidates do not see each other, and each step only what came before it.
    alone = model.rollout(state, actions[:1, -1:])
    np.testing.assert_allclose(states[:2, -1], alone[:, 0], rtol=1e-5, atol=1e-6)
    each = model.rollout(np.tile(state, (candidates, 1)), actions)
    np.testing.assert_array_equal(each, states)


def test_grbal_keeps_theta_star_for_an_empty_window_and_for_nan(bundle, expected, window):
    method = make_method(bundle, ENGINE)
    zeros = Window(*(np.zeros_like(part) for part in (window.states, window.actions, window.next_states, window.mask)))
    broken = Window(window.states, np.full_like(window.actions, np.nan), window.next_states, window.mask)
    for given in (zeros, broken):
        adaptation = method.adapt(given)
        assert adaptation.step == 0.0
        for name, value in adaptation.model.theta.items():
            np.testing.assert_array_equal(value.numpy(), bundle.theta[name])
    assert method.adapt(zeros).loss_before == 0.0


def test_masked_rows_do_not_matter_and_adaptation_forgets(bundle, expected, window):
    method = make_method(bundle, ENGINE)
    first = method.adapt(window)
    states = window.states.copy()
    states[0, 3:6] = 9.0
    again = method.adapt(Window(states, window.actions, window.next_states, window.mask))
    assert again.loss_after == pytest.approx(first.loss_after, rel=1e-6)


def test_mb_is_theta_star_and_tells_the_same_loss(bundle, expected, window):
    method = make_method(bundle, ENGINE, 'mb')
    adaptation = method.adapt(window)
    assert adaptation.model is method.prior
    assert (adaptation.step, adaptation.gradient_norm) == (0.0, 0.0)
    assert adaptation.loss_before == adaptation.loss_after == pytest.approx(expected['report'][0], rel=1e-4)
    empty = Window(window.states, window.actions, window.next_states, np.zeros_like(window.mask))
    assert method.adapt(empty).loss_before == 0.0


def test_more_threads_give_the_same_states(bundle, expected, window):
    actions = expected['candidates']
    one, two = (make_method(bundle, EngineConfig(threads=n)).prior.rollout(window.states[1], actions) for n in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_unknown_method_and_missing_graph_are_users_mistakes(bundle):
    with pytest.raises(UserError, match='known are mb, '):
        make_method(bundle, ENGINE, 'magic')


@pytest.mark.parametrize(
    ('method', 'model', 'taken'),
    [
        ('grbal', str(GOLDEN), str(GOLDEN)),  # the model in use was trained for it
        ('mb', str(GOLDEN), 'velociroach_mb'),
        ('mb', 'velociroach_grbal', 'velociroach_mb'),
        ('mb', 'velociroach_mb', 'velociroach_mb'),
    ],
)
def test_a_method_alone_brings_the_model_that_ships_for_it_unless_the_one_in_use_fits(method, model, taken):
    assert model_for_method(method, model, 'velociroach') == taken


def test_targets_of_a_known_motion():
    yaw, turn = 3.0, 0.5  # passes pi
    before, after = (
        assemble_state(
            np.array(position), np.array(velocity), np.array([0.1, 0.2, heading]), np.array([0.0, 0.0, rate]),
            np.zeros(2), np.array(legs), np.zeros(2), 4.0,
        )
        for position, velocity, heading, rate, legs in (
            ([1.0, 2.0, 0.0], [np.cos(yaw), np.sin(yaw), 0.0], yaw, 1.0, [20.0, 30.0]),
            (
                [1.0 + 0.03 * np.cos(yaw) - 0.01 * np.sin(yaw), 2.0 + 0.03 * np.sin(yaw) + 0.01 * np.cos(yaw), 0.1],
                [1.5 * np.cos(yaw + turn), 1.5 * np.sin(yaw + turn), 0.0], yaw + turn, 1.4, [22.0, 25.0],
            ),
        )
    )  # fmt: skip
    np.testing.assert_allclose(
        change_of_state(LAYOUT, before, after), [0.03, 0.01, 0.5, 0.5, 0.0, 0.4, 2.0, -5.0], atol=1e-12
    )


def test_prediction_error_is_in_units_of_the_scale(bundle, expected):
    state, actual = expected['states'][1].astype(float), expected['next_states'][1].astype(float)
    assert bundle.prediction_error(actual, actual, state) == 0.0
    predicted = actual.copy()
    predicted[19] += 3 * bundle.target_scale[6]
    assert bundle.prediction_error(predicted, actual, state) == pytest.approx(3 / np.sqrt(8))
    many = normalised_error(LAYOUT, np.tile(predicted, (4, 1)), actual, state, bundle.target_scale)
    np.testing.assert_allclose(many, np.full(4, 3 / np.sqrt(8)))
