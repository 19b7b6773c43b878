"""Planning on a device: graphs, costs, samplers and whole ticks, beside those of the host.

The device is the GPU where there is one, and PyTorch's CPU elsewhere.
"""

from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('onnx')
pytest.importorskip('array_api_compat')

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from millirobot_adapt.core.control.wiring import ControllerConfig, assemble, warm_up  # noqa: E402
from millirobot_adapt.core.dynamics.bundle import load_bundle  # noqa: E402
from millirobot_adapt.core.dynamics.engine import EngineConfig  # noqa: E402
from millirobot_adapt.core.dynamics.method_factory import make_method  # noqa: E402
from millirobot_adapt.core.dynamics.method_interface import Window  # noqa: E402
from millirobot_adapt.core.errors import UserError  # noqa: E402
from millirobot_adapt.core.planning.costs.term import TERMS  # noqa: E402
from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective  # noqa: E402
from millirobot_adapt.core.planning.optimize import unlimited  # noqa: E402
from millirobot_adapt.core.planning.paths import make_path  # noqa: E402
from millirobot_adapt.core.planning.planner_factory import PlannerConfig, make_planner  # noqa: E402
from millirobot_adapt.core.planning.projection import PathPosition  # noqa: E402
from millirobot_adapt.core.planning.reference_path import ReferencePath  # noqa: E402
from millirobot_adapt.core.planning.sequences import Bounds  # noqa: E402
from millirobot_adapt.core.repeatability import generator  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig, load_robot  # noqa: E402
from millirobot_adapt.core.robot.layout import COS_YAW, SIN_YAW, X, Y  # noqa: E402
from millirobot_adapt.device import device_provider, library  # noqa: E402
from millirobot_adapt.device.captured import Captured  # noqa: E402
from millirobot_adapt.device.device_place import DevicePlace  # noqa: E402

pytestmark = pytest.mark.train

DATA = Path(__file__).parents[1] / 'data'
NOTHING = replace(ObjectiveConfig(), **dict.fromkeys(TERMS, 0.0))
PROVIDER = 'cuda' if torch.cuda.is_available() else 'torch-cpu'
ON_DEVICE = EngineConfig(provider=PROVIDER)
DEVICE = device_provider.find_device(PROVIDER)
ROBOT = RobotConfig()


@pytest.fixture(scope='module')
def place():
    return device_provider.make_place(ON_DEVICE)


def there(array):
    return torch.from_numpy(array).to(DEVICE)


def here(tensor):
    return tensor.cpu().numpy()


def cloud(steps, count, seed=0, stride=0.04):
    """States (steps + 1, count, 24) of walks in all directions from the origin, and actions (steps, count, 2)."""
    rng = np.random.default_rng(seed)
    yaw = rng.uniform(-np.pi, np.pi, count) + np.cumsum(rng.normal(scale=0.3, size=(steps + 1, count)), axis=0)
    states = np.zeros((steps + 1, count, 24), dtype=np.float32)
    states[:, :, COS_YAW], states[:, :, SIN_YAW] = np.cos(yaw), np.sin(yaw)
    way = np.abs(rng.normal(stride, stride / 2, size=(steps, count)))
    states[1:, :, X], states[1:, :, Y] = (np.cumsum(way * turn(yaw[1:]), axis=0) for turn in (np.cos, np.sin))
    return states, rng.uniform(13, 56, (steps, count, 2))


def both(objective, place, states, actions):
    score = place.objective(objective)
    for _ in range(3):  # as it is, captured, replayed
        costs = here(score(there(states), there(actions)))
    return objective(states, actions), costs


PATHS = {
    'open': make_path('straight'),
    'closed': make_path('figure8'),
    'dense': ReferencePath.through(np.column_stack([np.linspace(0, 4, 300), np.sin(np.linspace(0, 90, 300)) / 9])),
}


@pytest.mark.parametrize('path', PATHS)
@pytest.mark.parametrize('term', TERMS)
def test_each_term_costs_the_same_on_the_device_to_one_in_a_billion(place, term, path):
    states, actions = cloud(12, 300, stride=0.15)
    start = PathPosition(0.3, 0.2) if path != 'closed' else PathPosition(3.4 * PATHS[path].length, 0.1)
    for speed in (0.0, 0.2):
        objective = TrackingObjective(replace(NOTHING, **{term: 7.0}, speed=speed), PATHS[path], start, 0.1)
        host, device = both(objective, place, states, actions)
        assert np.ptp(host) > 0
        np.testing.assert_allclose(device, host, rtol=1e-9, atol=1e-9)


def test_another_weight_counts_without_another_capture(place):
    states, actions = cloud(6, 50)
    for weight in (1.0, 3.0):
        config = replace(NOTHING, path_distance=weight, course=2.0)
        host, device = both(TrackingObjective(config, PATHS['open'], PathPosition(0, 0), 0.1), place, states, actions)
        np.testing.assert_allclose(device, host, rtol=1e-9)


def test_sums_are_taken_one_after_the_other():
    rows = np.random.default_rng(0).normal(size=(15, 40))
    np.testing.assert_array_equal(here(library.cumsum(there(rows), axis=0)), np.cumsum(rows, axis=0))


def test_bounds_keep_the_same_actions(place):
    bounds = Bounds(np.array([13.0, 13.0]), np.array([56.0, 56.0]), np.array([9.0, 4.0]), np.zeros(2))
    actions = np.random.default_rng(0).uniform(-20, 90, (7, 40, 2))
    kept = here(place.bounds(bounds).keep(there(actions)))
    np.testing.assert_array_equal(kept, bounds.keep(actions))


def full_window(bundle, seed=0):
    """A window of transitions like those that the golden arrays were made with, repeated to T1 rows."""
    with np.load(DATA / 'golden_bundle' / 'expected.npz') as arrays:
        rows = [arrays[name].astype(float) for name in ('states', 'actions', 'next_states')]
    index = np.arange(bundle.window) % len(rows[0])
    return Window(*(each[index] for each in rows), np.ones(bundle.window)), rows[0][1]


BUNDLES = (
    *('golden_bundle', 'golden_grbal_literal', 'golden_mb', 'golden_mb_de', 'golden_pearl'),
    *('golden_rebal', 'golden_rls', 'golden_snail', 'golden_grbal_context'),
)


@pytest.mark.parametrize('name', BUNDLES)
def test_every_method_adapts_and_rolls_out_as_on_the_host(name):
    bundle = load_bundle(str(DATA / name), ROBOT)
    window, state = full_window(bundle)
    actions = np.random.default_rng(0).uniform(13, 56, (8, 30, 2))
    actions[0] = 30.0
    host, device = (make_method(bundle, config).adapt(window) for config in (EngineConfig(threads=1), ON_DEVICE))
    for field in ('loss_before', 'loss_after', 'gradient_norm', 'step'):
        assert getattr(device, field) == pytest.approx(getattr(host, field), rel=1e-4, abs=1e-6)
    states = device.model.rollout(state, there(actions))
    assert isinstance(states, torch.Tensor)
    np.testing.assert_allclose(here(states), host.model.rollout(state, actions), atol=2e-4)
    np.testing.assert_array_equal(device.model.rollout(state, actions), here(states))


@pytest.mark.parametrize(('name', 'bound'), [('tf32', 2e-3), ('bf16', 3e-2)])
def test_a_coarser_engine_stays_near_fp32(name, bound):
    bundle = load_bundle('velociroach_mb', load_robot('velociroach'))
    state = full_window(bundle)[1]
    actions = np.random.default_rng(1).uniform(13, 56, (15, 200, 2))
    fine, coarse = (
        make_method(bundle, EngineConfig(name=each, provider=PROVIDER)).prior.rollout(state, actions)
        for each in ('fp32', name)
    )
    gone = np.linalg.norm((fine - fine[:1])[1:, :, :2], axis=-1)
    moved = np.linalg.norm((coarse - fine)[1:, :, :2], axis=-1)
    assert np.percentile(moved / gone, 95) < bound
    assert name == 'tf32' or moved.max() > 0  # PyTorch's CPU has no TF32


class SameNoise(DevicePlace):
    """A device whose random numbers are those of the host."""

    def draws(self, generator):
        class Both:
            standard_normal = staticmethod(lambda shape: there(generator.standard_normal(shape)))
            random = staticmethod(lambda shape: there(generator.random(shape)))

        return Both()


@pytest.mark.parametrize('method', ['mppi', 'icem', 'random_shooting'])
def test_the_same_noise_gives_the_same_plan(method):
    bundle = load_bundle(str(DATA / 'golden_bundle'), ROBOT)
    state = full_window(bundle)[1]
    path = make_path('straight')
    objective = TrackingObjective(ObjectiveConfig(), path, PathPosition(0.0, 0.0), 0.1)
    config = PlannerConfig(method=method, samples=150, batch=60, horizon=8, control_cost=0.1)
    plans = []
    for engine, place in ((EngineConfig(threads=1), None), (ON_DEVICE, SameNoise(DEVICE))):
        planner = make_planner(config, ROBOT, place) if place else make_planner(config, ROBOT)
        rollout = partial(make_method(bundle, engine).prior.rollout, state)
        plan = None
        for tick in range(2):
            plan = planner.plan(rollout, objective, ROBOT.action_low, plan, partial(generator, 0, tick), unlimited)
        plans.append(plan)
    host, device = plans
    assert isinstance(device.actions, np.ndarray)
    np.testing.assert_allclose(device.actions, host.actions, atol=1e-3)
    np.testing.assert_allclose(device.states, host.states, atol=1e-3)
    assert device.cost == pytest.approx(host.cost, rel=1e-3)
    assert device.cost_spread == pytest.approx(host.cost_spread, rel=1e-3)
    assert (device.candidates, device.finite, device.batches) == (host.candidates, host.finite, host.batches)


def assembled(**planner):
    config = ControllerConfig(model=str(DATA / 'golden_bundle'), path='straight', anchor='world', engine=ON_DEVICE)
    return assemble(replace(config, planner=replace(config.planner, samples=40, batch=20, horizon=5, **planner)), ROBOT)


def walked(assembly, ticks=4, path='straight'):
    with np.load(DATA / 'golden_bundle' / 'expected.npz') as arrays:
        states = arrays['states'].astype(float)
    assembly.loop.restart(make_path(path))
    executing = ROBOT.action_low
    for tick, state in enumerate(islice(states, ticks)):
        result = assembly.loop.step(tick, 0.1 * tick, state, executing, executing)
        executing = result.next_action
        yield result


@pytest.mark.parametrize('method', ['mppi', 'icem'])
def test_a_tick_repeats_bit_for_bit_from_its_record(method):
    results = list(walked(assembled(method=method)))
    assert all(result.plan.usable for result in results)
    again = assembled(method=method)
    again.loop.restart(make_path('straight'))
    for result in results:
        record = result.record(seed=0, stamp=0.0, state_stamp=0.0)
        repeated = again.loop.repeat(record).record(seed=0, stamp=0.0, state_stamp=0.0)
        for name in ('plan_actions', 'plan_states', 'cost', 'cost_median', 'loss_after', 'pre_error', 'post_error'):
            np.testing.assert_array_equal(getattr(repeated, name), getattr(record, name), err_msg=name)


def test_who_looks_on_sees_arrays_of_the_host_and_changes_nothing():
    alone = list(walked(assembled()))
    assembly, seen = assembled(), []
    assembly.loop.watch(lambda states, costs: seen.append((states, costs)))
    watched = list(walked(assembly))
    np.testing.assert_array_equal(watched[-1].plan.actions, alone[-1].plan.actions)
    assert {type(each) for pair in seen for each in pair} == {np.ndarray}
    assert seen[0][0].shape == (6, 20, 24)


HOST_ALONE = {'_local_scalar_dense', 'nonzero', 'lift', 'lift_fresh', 'scalar_tensor', 'masked_select'}
"""What PyTorch does where a number comes from the host, or the host waits for one: a CUDA graph can hold neither."""


class OnTheDeviceAlone(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func.overloadpacket.__name__ not in HOST_ALONE, f'{func} needs the host'
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize('name', BUNDLES)
def test_what_is_captured_needs_nothing_of_the_host(name, monkeypatch):
    """Shown without a GPU, too: the second call of each function runs under a watch."""
    asked = []

    def call(self, **inputs):
        with torch.inference_mode():
            self.function(inputs)
            with OnTheDeviceAlone():
                asked.append(self.function(inputs))
            return asked[-1]

    monkeypatch.setattr(Captured, '__call__', call)
    weights = dict.fromkeys(TERMS, 1.0)
    for path, speed in (('straight', 0.0), ('figure8', 0.2)):
        config = ControllerConfig(model=str(DATA / name), path=path, anchor='world', engine=ON_DEVICE)
        small = replace(config.planner, samples=20, batch=20, horizon=4)
        objective = replace(config.objective, **weights, speed=speed)
        assembly = assemble(replace(config, planner=small, objective=objective), ROBOT)
        assert len(list(walked(assembly, ticks=3, path=path))) == 3
    assert len(asked) > 20


def test_the_fingerprint_names_the_device_and_pytorch():
    assembly = assembled()
    warm_up(assembly)
    told = assembly.details['fingerprint']
    assert f'torch={torch.__version__}; device=' in told
    assert f'provider={PROVIDER}' in told


def test_without_a_gpu_the_message_names_the_fix(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    device_provider.find_device.cache_clear()  # a device that was found before
    with pytest.raises(UserError, match=r'finds no GPU; check nvidia-smi, .* or choose engine.provider: cpu'):
        assemble(ControllerConfig(engine=EngineConfig(provider='cuda')))


def test_an_operator_that_is_not_known_is_refused():
    from onnx import TensorProto, helper

    from millirobot_adapt.device.onnx_graph import OnnxGraph

    value = helper.make_tensor_value_info('x', TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info('y', TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node('Erf', ['x'], ['y'])], 'g', [value], [result])
    with pytest.raises(
        UserError, match=r'has the operator Erf, which is not known on a device; choose engine.provider'
    ):
        OnnxGraph(helper.make_model(graph).SerializeToString(), DEVICE)
