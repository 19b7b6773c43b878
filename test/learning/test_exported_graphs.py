"""Exported graphs against PyTorch, at sizes other than those they were traced at."""

import numpy as np
import pytest

torch = pytest.importorskip('torch')
onnx = pytest.importorskip('onnx')

from robots import LAYOUT  # noqa: E402

from millirobot_adapt.core.dynamics.engine import make_session, run_graph, to_engine  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig  # noqa: E402
from millirobot_adapt.learning.graphs import AdaptGraph, adapt_graph  # noqa: E402
from millirobot_adapt.learning.inner_step import InnerStep  # noqa: E402
from millirobot_adapt.learning.kinematics import body_state, integrate  # noqa: E402
from millirobot_adapt.learning.network import Normalisation, forward, initialise, theta_names  # noqa: E402
from millirobot_adapt.learning.rollout_graph import rollout_graph  # noqa: E402

pytestmark = pytest.mark.train
NORMALISATION = Normalisation(
    torch.tensor((0.25, 0.01, -0.1, 30.0, 31.0, 35.0, 34.0)),
    torch.tensor((0.1, 0.05, 1.5, 10.0, 11.0, 12.0, 12.5)),
    torch.tensor((0.025, 0.001, 0.01, 0.002, -0.001, 0.05, 0.1, -0.1)),
    torch.tensor((0.01, 0.005, 0.1, 0.05, 0.04, 1.0, 6.0, 5.0)),
)


def network(hidden, seed=0):
    return initialise((7, *hidden, 8), torch.Generator().manual_seed(seed))


def some_states(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    states = 0.3 * torch.randn(count, 24, generator=generator)
    for cos in (6, 8, 10, 15, 17):
        angle = 0.5 * torch.randn(count, generator=generator)
        states[:, cos], states[:, cos + 1] = torch.cos(angle), torch.sin(angle)
    states[:, 19:21] = 30 + 10 * torch.randn(count, 2, generator=generator)
    return states


def evaluate(graph, theta, **inputs):
    given = {name: to_engine(array.numpy()) for name, array in zip(theta_names(theta), theta, strict=True)}
    given |= {name: to_engine(array.numpy()) for name, array in inputs.items()}
    return [value.numpy() for value in run_graph(make_session(graph, {}), given)]


@pytest.mark.parametrize(('hidden', 'rows'), [((8, 8), 6), ((24, 12), 6), ((8, 8), 15), ((5, 30), 1)])
def test_one_adaptation_graph_serves_every_width_and_window(hidden, rows):
    psi = [torch.tensor(0.02 * (index + 1)) for index in range(6)]
    graph = adapt_graph(network((8, 8)), NORMALISATION, InnerStep(psi), 6, LAYOUT)
    theta, trail = network(hidden, seed=1), some_states(rows + 1)
    actions, mask = 35 + 12 * torch.randn(rows, 2, generator=torch.Generator().manual_seed(2)), torch.ones(rows)
    mask[: rows // 3] = 0
    with torch.no_grad():
        expected = AdaptGraph(NORMALISATION, InnerStep(psi), LAYOUT)(*theta, trail[:-1], actions, trail[1:], mask)
    found = evaluate(graph, theta, states=trail[:-1], actions=actions, next_states=trail[1:], mask=mask)
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, wanted.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('hidden', [(8, 8), (40, 12)])
@pytest.mark.parametrize(('horizon', 'candidates'), [(1, 1), (7, 5)])
def test_the_rollout_graph_is_the_model_step_by_step(hidden, horizon, candidates):
    theta, state = network(hidden, seed=3), some_states(1, seed=4)
    actions = 35 + 12 * torch.randn(horizon, candidates, 2, generator=torch.Generator().manual_seed(5))
    expected = [state.repeat(candidates, 1)]
    for action in actions:
        outputs = forward(theta, NORMALISATION.features(body_state(expected[-1], LAYOUT), action))
        expected.append(integrate(expected[-1], NORMALISATION.change(outputs)[None], 0.1, LAYOUT)[1])
    found = evaluate(rollout_graph(3, NORMALISATION, RobotConfig()), theta, state=state, actions=actions)[0]
    np.testing.assert_allclose(found, torch.stack(expected).numpy(), atol=2e-5)


@pytest.mark.parametrize('int8', [False, True])
@pytest.mark.parametrize('layers', [2, 3, 5])
def test_graphs_keep_the_formats_that_onnxruntime_has_long_read(layers, int8):
    model = onnx.load_from_string(rollout_graph(layers, NORMALISATION, RobotConfig(), int8=int8))
    assert model.ir_version == 8
    assert {operators.domain: operators.version for operators in model.opset_import}[''] == 17
    quantised = [value.name for value in model.graph.input if value.type.tensor_type.elem_type == onnx.TensorProto.INT8]
    assert quantised == ([f'w{layer}' for layer in range(1, layers - 1)] if int8 else [])
