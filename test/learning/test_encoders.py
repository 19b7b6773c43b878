"""The encoders of snail and pearl: what order and missing rows do to them, their graphs, and a robot they adapt to."""

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('onnx')

from robots import LAYOUT  # noqa: E402
from test_rebal import (  # noqa: E402
    NORMALISATION,
    check_format,
    check_graph,
    errors_of_toys,
    some_windows,
    train_and_export,
)

from millirobot_adapt.app.main import main  # noqa: E402
from millirobot_adapt.learning.attention import Attention, initialise_attention  # noqa: E402
from millirobot_adapt.learning.context import shifted  # noqa: E402
from millirobot_adapt.learning.gaussian_context import Belief, initialise_gaussian_context  # noqa: E402
from millirobot_adapt.learning.graphs import context_graph  # noqa: E402
from millirobot_adapt.learning.loss import losses  # noqa: E402
from millirobot_adapt.learning.methods.pearl import PearlLearner  # noqa: E402
from millirobot_adapt.learning.network import initialise  # noqa: E402
from millirobot_adapt.learning.segments import cut  # noqa: E402

pytestmark = pytest.mark.train
ROWS, UNITS, HIDDEN = 7, 8, (12, 10)


def make(kind, dtype=torch.float64):
    """A network, and an encoder that has some influence on it."""
    generator = torch.Generator().manual_seed(4)
    theta = initialise((7, *HIDDEN, 8), generator)
    if kind == 'snail':
        encoder = initialise_attention(UNITS, ROWS, theta, generator)
        place = 2
    else:
        encoder = initialise_gaussian_context(2 * UNITS, UNITS, theta, generator)
        place = 6
    tensors = [tensor.to(dtype) * (5.0 if at == place else 1.0) for at, tensor in enumerate(encoder.tensors())]
    return [tensor.to(dtype) for tensor in theta], type(encoder).of(tensors)


@pytest.mark.parametrize('kind', ['snail', 'pearl'])
def test_parameters_come_back_in_their_order(kind):
    _, encoder = make(kind)
    again = type(encoder).of(encoder.tensors())
    assert [id(tensor) for tensor in again.tensors()] == [id(tensor) for tensor in encoder.tensors()]


@pytest.mark.parametrize('kind', ['snail', 'pearl'])
def test_missing_rows_change_nothing_whatever_they_hold_and_an_empty_window_shifts_nothing(kind):
    _, encoder = make(kind)
    inputs, targets, mask = some_windows(rows=ROWS)
    mask[:, :4] = 0
    alone = encoder.shift(inputs[:, 4:], targets[:, 4:], mask[:, 4:])
    assert alone.abs().min() > 1e-4
    for filling in (0.0, 1e6, float('nan')):
        inputs[:, :4], targets[:, :4] = filling, filling
        torch.testing.assert_close(encoder.shift(inputs, targets, mask), alone, rtol=0, atol=1e-12)
    assert not encoder.shift(inputs, targets, torch.zeros_like(mask)).any()


@pytest.mark.parametrize(('kind', 'invariant'), [('pearl', True), ('snail', False)])
def test_only_a_product_of_gaussians_ignores_the_order_of_the_transitions(kind, invariant):
    _, encoder = make(kind)
    inputs, targets, mask = some_windows(rows=ROWS)
    mask[0, :2] = 0
    straight = encoder.shift(inputs, targets, mask)
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(1))
    mixed = encoder.shift(inputs[:, order], targets[:, order], mask[:, order])
    assert torch.allclose(mixed, straight, rtol=0, atol=1e-12) == invariant


def test_attention_looks_at_the_newest_rows_of_a_longer_past():
    _, encoder = make('snail')
    inputs, targets, mask = some_windows(rows=ROWS + 5)
    newest = encoder.shift(inputs[:, 5:], targets[:, 5:], mask[:, 5:])
    torch.testing.assert_close(encoder.shift(inputs, targets, mask), newest)


def test_no_row_attends_to_a_later_one():
    _, encoder = make('snail')
    rows = torch.randn(2, ROWS, UNITS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    visible = (torch.arange(ROWS)[:, None] >= torch.arange(ROWS)).expand(2, ROWS, ROWS)
    (block, _) = encoder.blocks
    before = block.apply(rows, visible)
    rows[:, 4] += 1.0
    changed = (block.apply(rows, visible) != before).any(-1)
    assert changed.tolist() == 2 * [4 * [False] + 3 * [True]]


def test_the_belief_is_the_product_of_the_prior_and_the_factors():
    _, encoder = make('pearl')
    inputs, targets, mask = some_windows(rows=ROWS)
    belief = encoder.believe(inputs, targets, mask)
    total, weighted = torch.ones(3, UNITS), torch.zeros(3, UNITS)
    for row in range(ROWS):
        alone = encoder.believe(inputs[:, row : row + 1], targets[:, row : row + 1], mask[:, :1])
        precision = 1 / alone.variance - 1  # without the prior
        total, weighted = total + precision, weighted + alone.mean / alone.variance
    torch.testing.assert_close(belief.variance, 1 / total)
    torch.testing.assert_close(belief.mean, weighted / total)
    assert (belief.variance < 1).all()


def test_the_divergence_is_that_of_pytorch():
    generator = torch.Generator().manual_seed(0)
    belief = Belief(torch.randn(3, 5, generator=generator), torch.rand(3, 5, generator=generator) + 0.1)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(
        normal(belief.mean, belief.variance.sqrt()), normal(torch.zeros(3, 5), torch.ones(3, 5))
    )
    torch.testing.assert_close(belief.divergence(), expected.sum(-1))


def test_training_draws_z_and_pays_for_its_divergence_while_planning_takes_the_mean(toy_rollouts):
    theta, encoder = make('pearl', torch.float32)
    model = PearlLearner(NORMALISATION, theta, encoder)
    past, future = cut(toy_rollouts(count=20, length=ROWS + 6), np.arange(20), ROWS + 4).divide(ROWS)
    trained = model.score(past, future)
    with torch.no_grad():
        planned = model.score(past, future)
    assert float(trained.penalty) > 0
    assert planned.penalty == 0.0
    inputs = NORMALISATION.features(past.body[:, :-1], past.actions)
    targets = NORMALISATION.targets(past.change)
    shift = encoder.shift(inputs, targets, torch.ones(inputs.shape[:2]))
    at_mean = losses(shifted(theta, shift), NORMALISATION, future)
    assert float(trained.one_step) != pytest.approx(float(at_mean.one_step), rel=1e-3)


@pytest.mark.parametrize('kind', ['snail', 'pearl'])
def test_the_graph_equals_pytorch(kind):
    theta, encoder = make(kind, torch.float32)
    check_graph(theta, encoder, ROWS, 8 * [*range(ROWS + 1)])


@pytest.mark.parametrize('kind', ['snail', 'pearl'])
def test_the_graph_keeps_formats_that_onnxruntime_has_long_read_and_each_array_once(kind):
    theta, encoder = make(kind, torch.float32)
    check_format(context_graph(theta, NORMALISATION, encoder, ROWS, LAYOUT), encoder)


@pytest.mark.parametrize(('method', 'skew'), [('snail', 0.4), ('pearl', 0.0)])
def test_adapting_beats_theta_star_on_robots_that_differ(method, skew, toy_rollouts, tmp_path):
    data = tmp_path / 'data.npz'
    toy_rollouts(count=30, length=40).save(data)
    bundle = train_and_export(data, tmp_path, steps=360, method=method, context={'snail': 24, 'pearl': 64}[method])
    missed, one_step, window = errors_of_toys(bundle, toy_rollouts, skew)
    assert missed[1] < 0.8 * missed[0]
    assert one_step[1] < one_step[0]
    assert window[1] < window[0]


def test_attention_of_an_odd_width_is_refused(toy_rollouts, tmp_path, capsys):
    data = tmp_path / 'data.npz'
    toy_rollouts(count=8, length=40).save(data)
    arguments = ['train', '--data', str(data), '--method', 'snail', '--set', 'context=30', '--out', str(tmp_path / 'r')]
    assert main(arguments) == 2
    assert 'context 30 is no multiple of 4, the heads of snail' in capsys.readouterr().err


def test_the_blocks_are_cut_apart_again():
    _, encoder = make('snail')
    assert isinstance(encoder, Attention)
    assert [len(block.tensors()) for block in encoder.blocks] == [5, 5]
