"""What an inner step learns besides the network, and the switches that take its parts away one at a time."""

import numpy as np
import pytest
import yaml

torch = pytest.importorskip('torch')
onnx = pytest.importorskip('onnx')

from onnx import numpy_helper  # noqa: E402
from robots import LAYOUT  # noqa: E402

from millirobot_adapt.app.commands.learn import parse_settings  # noqa: E402
from millirobot_adapt.core.dynamics.bundle import load_bundle  # noqa: E402
from millirobot_adapt.core.dynamics.engine import EngineConfig  # noqa: E402
from millirobot_adapt.core.dynamics.method_factory import make_method  # noqa: E402
from millirobot_adapt.core.dynamics.method_interface import Window  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig  # noqa: E402
from millirobot_adapt.core.share import share_dir  # noqa: E402
from millirobot_adapt.learning import session  # noqa: E402
from millirobot_adapt.learning.graphs import AdaptGraph  # noqa: E402
from millirobot_adapt.learning.inner_step import InnerStep  # noqa: E402
from millirobot_adapt.learning.network import initialise  # noqa: E402
from millirobot_adapt.learning.train_config import AugmentConfig, TrainConfig  # noqa: E402
from millirobot_adapt.learning.training_run import load_training_run  # noqa: E402

pytestmark = pytest.mark.train
WINDOW, HORIZON = 6, 4


def test_switches_are_set_by_the_words_true_and_false():
    config = parse_settings(TrainConfig, ['guard=false', 'row_weights=True', 'clip=0'])
    assert (config.guard, config.row_weights, config.clip) == (False, True, 0.0)


def test_a_transition_of_weight_zero_does_not_count_and_equal_weights_change_nothing():
    generator = torch.Generator().manual_seed(0)
    theta = initialise((7, 6, 8), generator)
    psi = [torch.tensor(0.05)] * len(theta)
    inputs, targets = torch.randn(3, WINDOW, 7, generator=generator), torch.randn(3, WINDOW, 8, generator=generator)
    mask, weights = torch.ones(3, WINDOW), torch.tensor([0.0, 0.0, 1.5, 1.5, 1.5, 1.5])
    plain, equal = (InnerStep(psi, weights=each).update(theta, inputs, targets, mask) for each in (None, mask[0]))
    weighted = InnerStep(psi, weights=weights).update(theta, inputs, targets, mask)
    fewer = InnerStep(psi).update(theta, inputs[:, 2:], targets[:, 2:], mask[:, 2:])
    torch.testing.assert_close(plain.gradient_norm, equal.gradient_norm)
    torch.testing.assert_close(weighted.gradient_norm, fewer.gradient_norm)
    torch.testing.assert_close(weighted.loss_after, fewer.loss_after)
    assert not torch.allclose(weighted.gradient_norm, plain.gradient_norm)


def test_guard_clip_and_weights_of_the_transitions_reach_the_bundle(toy_rollouts, tmp_path):
    data = toy_rollouts(count=12, length=30)
    config = TrainConfig(
        method='grbal', hidden=(8, 8), window=WINDOW, horizon=HORIZON, steps=4, check_every=2, batch=8, guard=False,
        row_weights=True, clip=0.0, augment=AugmentConfig(change=0.5),
    )  # fmt: skip
    session.train(data, tmp_path / 'run', config, say=lambda line: None)
    model = load_training_run(tmp_path / 'run').model
    assert (model.sizes.guarded, model.normalisation.clip) == (False, np.inf)
    weights = model.sizes.weights
    assert float(weights.mean()) == pytest.approx(1.0)
    assert float(weights.std()) > 0, 'four steps have moved them'
    session.export(tmp_path / 'run', tmp_path / 'bundle', RobotConfig())
    bundle = load_bundle(str(tmp_path / 'bundle'), RobotConfig())
    told = bundle.manifest['adaptation']
    assert set(told['psi']) == set(bundle.theta)
    assert told['row_weights'] == pytest.approx(weights.tolist(), rel=1e-3)

    states, actions = data.states[0].astype(float), data.actions[0].astype(float)
    window = Window(states[:WINDOW], actions[:WINDOW], states[1 : WINDOW + 1], np.ones(WINDOW))
    adaptation = make_method(bundle, EngineConfig(threads=1)).adapt(window)
    tensors = [torch.from_numpy(array).float() for array in (window.states, window.actions, window.next_states)]
    with torch.no_grad():
        graph = AdaptGraph(model.normalisation, model.sizes.step, LAYOUT)
        *theta, _, _, _, step = graph(*model.theta, *tensors, torch.ones(WINDOW))
    assert adaptation.step == float(step) == 1.0
    for value, wanted in zip(adaptation.model.theta.values(), theta, strict=True):
        np.testing.assert_allclose(value.numpy(), wanted.numpy(), atol=1e-5)


GRADIENT_GRAPHS = sorted((share_dir() / 'models').glob('*grbal*/*adapt.onnx'))


@pytest.mark.parametrize('graph', GRADIENT_GRAPHS, ids=lambda path: path.parent.name)
def test_the_psi_that_a_shipped_model_tells_is_the_one_its_graph_multiplies_with(graph):
    """For each tensor of theta one factor, in the node next to the output that multiplies by a constant."""
    found = onnx.load(graph).graph
    makers = {name: node for node in found.node for name in node.output}
    constants = {node.output[0]: numpy_helper.to_array(node.attribute[0].t) for node in found.node if not node.input}
    factors = {}
    for output in found.output:
        kind, _, tensor = output.name.partition('_')
        front = [output.name] if kind == 'adapted' and tensor else []
        while front and tensor not in factors:
            nodes = [makers[name] for name in front if name in makers]
            scalars = [
                float(constants[name].item())
                for node in nodes
                for name in node.input
                if node.op_type == 'Mul' and name in constants and constants[name].size == 1
            ]
            if scalars:
                factors[tensor] = scalars[0]
            front = [name for node in nodes for name in node.input]
    told = yaml.safe_load((graph.parent / 'model.yaml').read_text())['adaptation']['psi']
    assert told == pytest.approx(factors, rel=1e-3)
