"""ReBAL: the recurrent unit against PyTorch's own, what a window does to it, its graph, and a robot it adapts to."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip('torch')
onnx = pytest.importorskip('onnx')

from robots import LAYOUT  # noqa: E402

from millirobot_adapt.app.main import main  # noqa: E402
from millirobot_adapt.core.dynamics.bundle import load_bundle  # noqa: E402
from millirobot_adapt.core.dynamics.engine import EngineConfig, make_session, run_graph, to_engine  # noqa: E402
from millirobot_adapt.core.dynamics.method_factory import make_method  # noqa: E402
from millirobot_adapt.core.dynamics.method_interface import Window  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig  # noqa: E402
from millirobot_adapt.learning.context import read_windows, shifted  # noqa: E402
from millirobot_adapt.learning.graphs import ContextGraph, context_graph  # noqa: E402
from millirobot_adapt.learning.kinematics import integrate  # noqa: E402
from millirobot_adapt.learning.network import Normalisation, forward, initialise, masked_loss, theta_names  # noqa: E402
from millirobot_adapt.learning.recurrence import Recurrence, initialise_recurrence, warm_up  # noqa: E402
from millirobot_adapt.learning.short_windows import short_windows  # noqa: E402

pytestmark = pytest.mark.train

UNITS, WINDOW, HORIZON = 6, 12, 8
NORMALISATION = Normalisation(
    torch.tensor((0.25, 0.01, -0.1, 30.0, 31.0, 35.0, 34.0)),
    torch.tensor((0.1, 0.05, 1.5, 10.0, 11.0, 12.0, 12.5)),
    torch.tensor((0.025, 0.001, 0.01, 0.002, -0.001, 0.05, 0.1, -0.1)),
    torch.tensor((0.01, 0.005, 0.1, 0.05, 0.04, 1.0, 6.0, 5.0)),
)


def learner(hidden=(10, 9), seed=0, influence=3.0, dtype=torch.float64):
    """A network and a unit that has some influence on it."""
    generator = torch.Generator().manual_seed(seed)
    theta = [tensor.to(dtype) for tensor in initialise((7, *hidden, 8), generator)]
    drawn = initialise_recurrence(UNITS, theta, generator)
    recurrence = Recurrence(*(tensor.to(dtype) for tensor in drawn.tensors()))
    return theta, replace(recurrence, to_network=influence * recurrence.to_network)


def some_windows(count=3, rows=7, seed=1, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, rows, 7, generator=generator, dtype=dtype)
    targets = torch.randn(count, rows, 8, generator=generator, dtype=dtype)
    return inputs, targets, torch.ones(count, rows, dtype=dtype)


def test_the_unit_is_the_one_that_pytorch_has():
    _, recurrence = learner()
    peer = torch.nn.GRU(15, UNITS, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        peer.weight_ih_l0.copy_(recurrence.from_transition.T)
        peer.weight_hh_l0.copy_(recurrence.from_context.T)
        peer.bias_ih_l0.copy_(recurrence.bias)
        peer.bias_hh_l0.zero_()
    inputs, targets, mask = some_windows()
    expected = peer(torch.cat([inputs, targets.clamp(-3, 3)], dim=-1))[1][0]
    torch.testing.assert_close(warm_up(recurrence, inputs, targets, mask), expected.detach())


def test_the_gradient_equals_finite_differences():
    theta, recurrence = learner()
    inputs, targets, mask = some_windows(rows=4)

    def loss(tensors):
        context = warm_up(Recurrence(*tensors), inputs, targets, mask)
        network = shifted(theta, context @ tensors[-1])
        return masked_loss(forward(network, inputs), targets, mask).sum()

    tensors = [tensor.requires_grad_() for tensor in recurrence.tensors()]
    gradient = torch.autograd.grad(loss(tensors), tensors)
    generator = torch.Generator().manual_seed(2)
    for place in range(len(tensors)):
        way = torch.randn(tensors[place].shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            ahead, back = (
                loss([tensor + step * way if index == place else tensor for index, tensor in enumerate(tensors)])
                for step in (1e-5, -1e-5)
            )
        assert float((ahead - back) / 2e-5) == pytest.approx(float((gradient[place] * way).sum()), rel=1e-6)


def test_missing_rows_change_nothing_whatever_they_hold():
    _, recurrence = learner()
    inputs, targets, mask = some_windows()
    alone = warm_up(recurrence, inputs[:, 4:], targets[:, 4:], mask[:, 4:])
    mask[:, :4] = 0
    for filling in (0.0, 1e6, float('nan')):
        inputs[:, :4], targets[:, :4] = filling, filling
        torch.testing.assert_close(warm_up(recurrence, inputs, targets, mask), alone, rtol=0, atol=1e-12)


def test_an_empty_window_leaves_theta_as_it_is():
    theta, recurrence = learner()
    inputs, targets, mask = some_windows()
    reading = read_windows(theta, recurrence, inputs, targets, torch.zeros_like(mask))
    assert not reading.shift.any()
    assert not reading.taken.any()
    assert not reading.loss_before.any()
    network = shifted(theta, reading.shift)
    torch.testing.assert_close(forward(network, inputs), forward(theta, inputs), rtol=0, atol=0)


def test_a_context_that_explains_its_window_worse_than_none_is_refused():
    theta, recurrence = learner()
    inputs, targets, mask = some_windows(count=40)
    reading = read_windows(theta, recurrence, inputs, targets, mask)
    offered = warm_up(recurrence, inputs, targets, mask) @ recurrence.to_network
    before = masked_loss(forward(theta, inputs), targets, mask)
    after = masked_loss(forward(shifted(theta, offered), inputs), targets, mask)
    better = after < before
    assert 0 < better.sum() < 40
    torch.testing.assert_close(reading.taken, better.double())
    torch.testing.assert_close(reading.shift, offered * better[:, None])
    torch.testing.assert_close(reading.loss_after, torch.minimum(before, after))


def test_a_context_that_is_not_finite_is_refused():
    theta, recurrence = learner()
    inputs, targets, mask = some_windows()
    targets[1, 3, 2] = float('nan')
    reading = read_windows(theta, recurrence, inputs, targets, mask)
    assert reading.taken[1] == 0
    assert reading.shift.isfinite().all()


def test_training_meets_windows_of_every_length():
    mask = short_windows(100, 12, 0.3)
    lengths = mask.sum(-1).int()
    assert set(lengths.tolist()) == set(range(13))
    assert (lengths == 12).sum() >= 70
    assert (mask.diff(dim=1) >= 0).all()  # the oldest rows are those that are missing


@pytest.mark.parametrize(('hidden', 'rows'), [((8,), 2), ((24, 12, 8), 7)])
def test_the_graph_equals_pytorch(hidden, rows):
    theta, recurrence = learner(hidden, dtype=torch.float32)
    check_graph(theta, recurrence, rows, 15 * [rows // 2, 0])


def some_rows(generator, rows, missing=0):
    """A window of a robot that moves at random: states, actions, next states, mask."""
    start = 0.3 * torch.randn(1, 24, generator=generator)
    changes = NORMALISATION.change(torch.randn(rows, 1, 8, generator=generator))
    trail = integrate(start, changes, 0.1, LAYOUT)[:, 0]
    actions, mask = 35 + 12 * torch.randn(rows, 2, generator=generator), torch.ones(rows)
    mask[:missing] = 0
    return trail[:-1], actions, trail[1:], mask


def check_graph(theta, encoder, rows, lacking):
    """The graph gives what PyTorch does, for windows that miss so many rows; some contexts are taken, some refused."""
    session = make_session(context_graph(theta, NORMALISATION, encoder, rows, LAYOUT), {})
    names = [*theta_names(theta), 'states', 'actions', 'next_states', 'mask']
    generator = torch.Generator().manual_seed(3)
    taken = []
    for missing in lacking:
        given = [*theta, *some_rows(generator, rows, missing)]
        with torch.no_grad():
            expected = ContextGraph(NORMALISATION, encoder, LAYOUT)(*given)
        found = run_graph(session, {name: to_engine(array.numpy()) for name, array in zip(names, given, strict=True)})
        for value, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(value.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-5)
        taken.append(float(found[-1].numpy()))
    assert set(taken) == {0.0, 1.0}


def test_the_graph_keeps_formats_that_onnxruntime_has_long_read_and_each_array_once():
    theta, recurrence = learner((16, 16), dtype=torch.float32)
    check_format(context_graph(theta, NORMALISATION, recurrence, 10, LAYOUT), recurrence)


def check_format(graph, encoder):
    model = onnx.load_from_string(graph)
    assert model.ir_version == 8
    assert [(operators.domain, operators.version) for operators in model.opset_import] == [('', 17)]
    arrays = sum(tensor.numel() for tensor in encoder.tensors())
    assert sum(np.prod(array.dims) for array in model.graph.initializer) < 2 * arrays


def train_and_export(data, folder, steps, method='rebal', context=24):
    settings = [
        'hidden=32,32', f'context={context}', f'window={WINDOW}', f'horizon={HORIZON}', f'steps={steps}',
        'check_every=40', 'batch=32', 'learning_rate=5e-3', 'augment.heading=0.3',
    ]  # fmt: skip
    options = [part for setting in settings for part in ('--set', setting)]
    run_folder, bundle = str(folder / 'run'), str(folder / 'bundle')
    assert main(['train', '--data', str(data), '--method', method, '--out', run_folder, *options]) == 0
    assert main(['export-model', run_folder, '--out', bundle]) == 0
    return folder / 'bundle'


@pytest.fixture(scope='module')
def data(toy_rollouts, tmp_path_factory):
    path = tmp_path_factory.mktemp('rebal') / 'data.npz'
    toy_rollouts(count=30, length=40).save(path)
    return path


def errors_of_toys(folder, toy_rollouts, skew):
    """Errors with theta* and after adaptation: position at the horizon [m, rms], next step, loss over the window.

    The toys turn and walk by hidden gains of their own; `skew` [rad] is how wrong their heading is measured.
    """
    bundle = load_bundle(str(folder), RobotConfig())
    method = make_method(bundle, EngineConfig(threads=1))
    missed, one_step, losses = [], [], []
    rollouts = toy_rollouts(count=20, length=30, skew=skew, seed=7)
    now = 20
    past, future = slice(now - WINDOW, now), slice(now, now + HORIZON)
    for states, actions in zip(rollouts.states.astype(float), rollouts.actions.astype(float), strict=True):
        adaptation = method.adapt(
            Window(states[past], actions[past], states[past.start + 1 : now + 1], np.ones(WINDOW))
        )
        losses.append([adaptation.loss_before, adaptation.loss_after])
        predicted = [
            model.rollout(states[now], actions[future][:, None])[:, 0] for model in (method.prior, adaptation.model)
        ]
        missed.append([np.hypot(*(rolled[-1, :2] - states[now + HORIZON, :2])) for rolled in predicted])
        one_step.append([bundle.prediction_error(rolled[1], states[now + 1], states[now]) for rolled in predicted])
    return np.sqrt(np.mean(np.square(missed), axis=0)), np.mean(one_step, axis=0), np.mean(losses, axis=0)


def test_adapting_beats_theta_star_where_the_heading_is_measured_wrong(data, toy_rollouts, tmp_path):
    bundle = train_and_export(data, tmp_path, steps=360)
    assert load_bundle(str(bundle), RobotConfig()).method == 'rebal'
    missed, one_step, window = errors_of_toys(bundle, toy_rollouts, skew=0.4)
    assert missed[1] < 0.8 * missed[0]
    assert one_step[1] < one_step[0]
    assert window[1] < window[0]


def test_equal_seeds_give_equal_bundles(data, tmp_path):
    one, two = (train_and_export(data, tmp_path / name, steps=3) / 'model.yaml' for name in ('one', 'two'))
    assert one.read_bytes() == two.read_bytes()
