"""The rollout engines: int8 against fp32 on random networks, sharing between candidates, and what is refused."""

import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from millirobot_adapt.core.dynamics import cpu, rollout
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig, to_engine
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.dynamics.rollout import ENGINES, LEVELS_SATURATING, make_engine, quantise
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig, load_robot

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden_bundle'
INT8_BOUND = 0.03
"""int8 may move the displacement, relative to its length, by this at most: 95th percentile of the candidates."""


@pytest.fixture(scope='module')
def bundle():
    return load_bundle(str(GOLDEN), RobotConfig())


@pytest.fixture(scope='module')
def shipped():
    return load_bundle('velociroach_mb', load_robot('velociroach'))


@pytest.fixture(scope='module')
def state():
    with np.load(GOLDEN / 'expected.npz') as arrays:
        return arrays['states'][1].astype(float)


def random_network(bundle, widths, seed):
    """The bundle with another network: its graphs serve every width."""
    rng = np.random.default_rng(seed)
    sizes = (7, *widths, 8)
    theta = {}
    for layer in range(len(sizes) - 1):
        gain = 0.3 if layer == len(sizes) - 2 else 1.0
        scale = gain * np.sqrt(2 / sizes[layer])
        theta[f'w{layer}'] = rng.normal(scale=scale, size=sizes[layer : layer + 2]).astype(np.float32)
        theta[f'b{layer}'] = rng.normal(scale=0.1, size=sizes[layer + 1]).astype(np.float32)
    return replace(bundle, theta=theta)


def rolled(bundle, state, actions, **settings):
    engine = make_engine(bundle, EngineConfig(**{'threads': 1, **settings}))
    return engine.load({name: to_engine(array) for name, array in bundle.theta.items()}).rollout(state, actions)


def candidates(horizon, count, seed=0):
    actions = np.random.default_rng(seed).uniform(13, 56, (horizon, count, 2))
    actions[0] = 30.0
    return actions


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('widths', [(64, 64, 64), (256, 256, 256), (96, 200, 48)])
def test_int8_stays_near_fp32_on_random_networks(shipped, state, widths, seed):
    network, actions = random_network(shipped, widths, seed), candidates(15, 200, seed)
    exact, coarse = (rolled(network, state, actions, name=name) for name in ('fp32', 'int8'))
    assert not np.array_equal(exact, coarse)
    moved = np.linalg.norm((coarse - exact)[1:, :, :2], axis=-1)
    gone = np.linalg.norm((exact - exact[:1])[1:, :, :2], axis=-1)
    assert np.percentile(moved / gone, 95, axis=1).max() < INT8_BOUND


@pytest.mark.parametrize('name', ENGINES)
def test_the_shared_first_step_is_that_of_each_candidate(shipped, state, name):
    network, actions = random_network(shipped, (64, 64, 64), 0), candidates(6, 50)
    shared = rolled(network, state, actions, name=name)
    each = rolled(network, np.tile(state, (50, 1)), actions, name=name)
    np.testing.assert_allclose(shared, each, rtol=0.02, atol=0.02 if name == 'int8' else 1e-5)


@pytest.mark.parametrize('name', ENGINES)
def test_a_model_rolls_out_as_a_new_one_would_whatever_it_rolled_out_before(shipped, state, name):
    network = random_network(shipped, (64, 64, 64), 0)
    engine = make_engine(network, EngineConfig(name=name, threads=1))
    model = engine.load({key: to_engine(array) for key, array in network.theta.items()})
    one, other = candidates(6, 50), candidates(6, 50) + 1.0
    signed = state.copy()
    signed[0] = -0.0
    for begin, actions in ((state, one), (state, one[:, :1]), (state, other), (signed, other), (state, one)):
        np.testing.assert_array_equal(model.rollout(begin, actions), rolled(network, begin, actions, name=name))


class CountingPool:
    """Adds each action to the state, and counts the calls."""

    def __init__(self):
        self.calls = 0

    def roll(self, theta, state, actions, states):
        self.calls += 1
        states[:] = state + np.cumsum(actions, axis=0)


def test_the_step_that_all_batches_and_the_plan_begin_with_is_computed_once():
    pool = CountingPool()
    model = rollout.RolloutModel(pool, {})
    actions = candidates(4, 50)
    for batch in (actions[:, :25], actions[:, 25:], actions[:, :1]):
        np.testing.assert_allclose(model.rollout(np.zeros(2), batch)[1:], np.cumsum(batch, axis=0))
    assert pool.calls == 1 + 3


@pytest.mark.parametrize('threads', [2, 3])
def test_threads_share_the_candidates(shipped, state, threads):
    network, actions = random_network(shipped, (64, 64, 64), 1), candidates(6, 131)
    one, many = (rolled(network, state, actions, threads=count) for count in (1, threads))
    np.testing.assert_allclose(one, many, atol=1e-5)
    other_start = np.tile(state, (131, 1)) * np.linspace(0.9, 1.1, 131)[:, None]
    np.testing.assert_allclose(
        rolled(network, other_start, actions), rolled(network, other_start, actions, threads=threads), atol=1e-5
    )


@pytest.mark.parametrize('name', ENGINES)
def test_equal_calls_give_equal_bits(shipped, state, name):
    network, actions = random_network(shipped, (64, 64, 64), 2), candidates(8, 100)
    one, two = (rolled(network, state, actions, name=name, threads=2) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_one_wild_candidate_moves_the_others_little_as_inputs_are_clipped(shipped, state):
    network, actions = random_network(shipped, (64, 64, 64), 3), candidates(8, 100)
    calm = rolled(network, state, actions, name='int8')
    actions[1:, 0] = 1e6
    wild = rolled(network, state, actions, name='int8')
    gone = np.linalg.norm((calm - calm[:1])[-1, 1:, :2], axis=-1)
    assert np.percentile(np.linalg.norm((wild - calm)[-1, 1:, :2], axis=-1) / gone, 95) < 2 * INT8_BOUND


@pytest.mark.parametrize('bad', [np.nan, np.inf])
@pytest.mark.parametrize('name', ENGINES)
def test_a_setpoint_that_is_no_number_has_no_prediction_and_harms_no_other(shipped, state, name, bad):
    network, actions = random_network(shipped, (64, 64, 64), 4), candidates(4, 40)
    whole = rolled(network, state, actions, name=name)
    actions[2, 7, 1] = bad
    states = rolled(network, state, actions, name=name)
    others = np.arange(40) != 7
    np.testing.assert_array_equal(states[:, others], whole[:, others])
    assert np.isfinite(states[2, 7]).all()
    assert np.isnan(states[3:, 7, :2]).all()


def test_adapted_parameters_are_quantised_anew(bundle):
    with np.load(GOLDEN / 'expected.npz') as arrays:
        window = Window(*(arrays[name].astype(float) for name in ('states', 'actions', 'next_states', 'mask')))
    method = make_method(bundle, EngineConfig(name='int8', threads=1))
    adapted = method.adapt(window).model
    exact = make_method(bundle, EngineConfig(threads=1)).adapt(window).model.theta['w1'].numpy()
    restored = adapted.theta['w1'].numpy() * adapted.theta['s1'].numpy()
    assert np.abs(restored - exact).max() < 0.6 * adapted.theta['s1'].numpy().max()
    assert not np.array_equal(adapted.theta['s1'].numpy(), method.prior.theta['s1'].numpy())


def test_quantisation_keeps_half_a_level():
    weights = np.random.default_rng(0).normal(size=(60, 30)).astype(np.float32)
    weights[:, 3] = 0.0
    for levels in (127, LEVELS_SATURATING):
        quantised, scales = quantise(weights, levels)
        assert np.abs(quantised).max() == levels
        assert (np.abs(quantised * scales - weights) <= 0.501 * scales).all()


def test_a_device_whose_library_is_not_installed_is_an_error(bundle, monkeypatch):
    for name in ('torch', 'array_api_compat', 'array_api_compat.torch'):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, 'millirobot_adapt.device.device_provider', raising=False)
    with pytest.raises(
        UserError, match=r"provider = cuda: .* 'millirobot_adapt\[gpu\]', or choose engine.provider: cpu"
    ):
        make_engine(bundle, EngineConfig(provider='cuda'))


@pytest.mark.parametrize(
    ('name', 'provider', 'complaint'),
    [
        ('int8', 'cuda', 'int8 runs on the CPU alone; choose provider: cpu, or name: fp32, tf32 or bf16'),
        ('tf32', 'cpu', 'tf32 runs on a GPU alone; choose provider: cuda, or name: fp32 or int8'),
        ('bf16', 'cpu', 'bf16 runs on a GPU alone'),
    ],
)
def test_an_engine_runs_where_it_can(name, provider, complaint):
    with pytest.raises(UserError, match=complaint):
        EngineConfig(name=name, provider=provider)


def test_weights_that_stay_are_quantised_once(shipped, monkeypatch):
    counted = []
    monkeypatch.setattr(rollout, 'quantise', lambda *given: counted.append(1) or quantise(*given))
    engine = make_engine(shipped, EngineConfig(name='int8', threads=1))
    theta = {name: to_engine(array) for name, array in shipped.theta.items()}
    engine.load(theta)
    first = len(counted)
    engine.load({**theta, 'b0': to_engine(shipped.theta['b0'] + 1)})
    assert len(counted) == first > 0
    engine.load({**theta, 'w1': to_engine(shipped.theta['w1'])})
    assert len(counted) == first + 1


def test_a_bundle_without_the_graph_names_the_fix(bundle):
    old = replace(bundle, files={name: data for name, data in bundle.files.items() if name != 'rollout_int8.onnx'})
    with pytest.raises(UserError, match=r'has no rollout_int8.onnx, .* \(millirobot export-model\)'):
        make_method(old, EngineConfig(name='int8'))
    assert make_method(old, EngineConfig()).window_length == 6


def test_a_cpu_that_int8_does_not_speed_up_is_told_of(bundle, monkeypatch, caplog):
    monkeypatch.setattr(cpu, 'cpu_flags', lambda: frozenset({'avx2'}))
    with caplog.at_level(logging.WARNING):
        make_engine(bundle, EngineConfig(name='int8'))
    assert 'no 8-bit dot products (VNNI)' in caplog.text
    caplog.clear()
    monkeypatch.setattr(cpu, 'cpu_flags', lambda: frozenset({'avx512_vnni'}))
    make_engine(bundle, EngineConfig(name='int8'))
    assert caplog.text == ''


def test_products_saturate_on_x86_without_dot_products_alone():
    assert cpu.saturates_int8_products(frozenset({'avx2'}), 'x86_64')
    assert not cpu.saturates_int8_products(frozenset({'avx2', 'avx_vnni'}), 'x86_64')
    assert not cpu.saturates_int8_products(frozenset(), 'aarch64')
