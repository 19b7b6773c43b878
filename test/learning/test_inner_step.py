import pytest

torch = pytest.importorskip('torch')

from millirobot_adapt.learning.inner_step import (  # noqa: E402
    adapted_parameters,
    gradient_norm,
    inner_update,
)
from millirobot_adapt.learning.network import backpropagate, forward, initialise, masked_loss  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture
def case():
    """A small network in double precision and three windows of six rows, the last with two rows missing."""
    generator = torch.Generator().manual_seed(1)
    theta = [tensor.double() for tensor in initialise((7, 12, 12, 8), generator)]
    inputs = torch.randn(3, 6, 7, generator=generator, dtype=torch.float64)
    targets = torch.randn(3, 6, 8, generator=generator, dtype=torch.float64)
    mask = torch.ones(3, 6, dtype=torch.float64)
    mask[2, :2] = 0
    return theta, inputs, targets, mask


def summed_loss(theta, inputs, targets, mask):
    """The loss whose gradient the inner step takes: summed over the rows that are there, divided by T1."""
    return ((forward(theta, inputs) - targets).square().mean(-1) * mask).sum(-1) / mask.shape[-1]


def test_gradient_equals_autograd(case):
    theta, inputs, targets, mask = case
    for task in range(3):
        variables = [tensor.clone().requires_grad_() for tensor in theta]
        loss = summed_loss(variables, inputs[task], targets[task], mask[task])
        expected = torch.autograd.grad(loss, variables)
        pairs, _ = backpropagate(theta, inputs[task], targets[task], mask[task] / 6)
        for (hidden, delta), weight, bias in zip(pairs, expected[0::2], expected[1::2], strict=True):
            torch.testing.assert_close(hidden.T @ delta, weight)
            torch.testing.assert_close(delta.sum(0), bias)


def test_gradient_equals_finite_differences(case):
    theta, inputs, targets, mask = case
    pairs, _ = backpropagate(theta, inputs[2], targets[2], mask[2] / 6)
    step = 1e-6
    for layer, (hidden, delta) in enumerate(pairs):
        gradient = hidden.T @ delta
        for row, column in ((0, 0), (3, 5), (6, 7)):
            nudged = []
            for sign in (1, -1):
                moved = [tensor.clone() for tensor in theta]
                moved[2 * layer][row, column] += sign * step
                nudged.append(summed_loss(moved, inputs[2], targets[2], mask[2]))
            assert float((nudged[0] - nudged[1]) / (2 * step)) == pytest.approx(float(gradient[row, column]), abs=1e-8)


def test_adapted_forward_equals_the_adapted_parameters(case):
    theta, inputs, targets, mask = case
    psi = [torch.tensor(0.05 * (index + 1), dtype=torch.float64) for index in range(len(theta))]
    queries = torch.randn(1, 9, 7, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    update = inner_update(theta, psi, inputs[:1], targets[:1], mask[:1])
    assert float(update.fraction) > 0
    dense = adapted_parameters(theta, update)
    torch.testing.assert_close(forward(dense, queries[0]), forward(theta, queries, update.step)[0])


def test_meta_gradient_is_of_second_order(case):
    """The derivative of the loss after the step, by theta, equals finite differences through the whole update."""
    theta, inputs, targets, mask = case
    psi = [torch.tensor(0.1, dtype=torch.float64)] * len(theta)

    def after(parameters):
        step = inner_update(parameters, psi, inputs, targets, mask).step
        return (forward(parameters, inputs, step) - targets).square().mean()

    variables = [tensor.clone().requires_grad_() for tensor in theta]
    gradients = torch.autograd.grad(after(variables), variables)
    for tensor, place in ((0, (2, 3)), (2, (1, 1)), (5, (4,))):
        nudged = []
        for sign in (1, -1):
            moved = [value.clone() for value in theta]
            moved[tensor][place] += sign * 1e-6
            nudged.append(after(moved))
        expected = float((nudged[0] - nudged[1]) / 2e-6)
        assert float(gradients[tensor][place]) == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_gradient_norm(case):
    theta, inputs, targets, mask = case
    pairs, _ = backpropagate(theta, inputs, targets, mask / 6)
    direct = sum(
        (hidden.transpose(1, 2) @ delta).square().sum((1, 2)) + delta.sum(1).square().sum(1) for hidden, delta in pairs
    )
    torch.testing.assert_close(gradient_norm(pairs), direct.sqrt())


@pytest.mark.parametrize('missing', [0, 2])
def test_the_whole_step_without_the_guard_is_the_one_of_finite_differences(case, missing):
    """What mb_de and grbal_literal take: psi times the gradient, element by element, however far it leads."""
    theta, inputs, targets, mask = (part if isinstance(part, list) else part[:1] for part in case)
    mask = mask.clone()
    mask[:, :missing] = 0
    psi = [torch.tensor(3.0 + index, dtype=torch.float64) for index in range(len(theta))]
    update = inner_update(theta, psi, inputs, targets, mask, guarded=False)
    assert update.fraction.tolist() == [1.0]
    assert float(update.loss_after) > float(update.loss_before), 'so far that the guard would have shortened it'
    for tensor, moved in enumerate(adapted_parameters(theta, update)):
        for place in ((0,), (5,)) if moved.dim() == 1 else ((0, 0), (3, 5)):
            nudged = []
            for sign in (1, -1):
                near = [value.clone() for value in theta]
                near[tensor][place] += sign * 1e-6
                nudged.append(float(summed_loss(near, inputs[0], targets[0], mask[0])))
            gradient = (nudged[0] - nudged[1]) / 2e-6
            taken = float(theta[tensor][place] - moved[place])
            assert taken == pytest.approx(float(psi[tensor]) * gradient, abs=1e-7)


@pytest.mark.parametrize('rate', [0.01, 0.5, 3.0, 100.0])
def test_guard_never_lets_the_loss_rise(case, rate):
    theta, inputs, targets, mask = case
    psi = [torch.tensor(rate, dtype=torch.float64)] * len(theta)
    update = inner_update(theta, psi, inputs, targets, mask)
    after = masked_loss(forward(theta, inputs, update.step), targets, mask)
    assert (after <= update.loss_before).all()
    torch.testing.assert_close(after, update.loss_after)
    assert set(update.fraction.tolist()) <= {1.0, 0.5, 0.25, 0.0}
    if rate == 100.0:
        assert update.fraction.tolist() == [0.0, 0.0, 0.0]


def test_missing_rows_count_nothing_and_shorten_the_step(case):
    theta, inputs, targets, mask = case
    garbage = inputs.clone()
    garbage[2, :2] = 50.0
    psi = [torch.tensor(0.01, dtype=torch.float64)] * len(theta)
    one, other = (inner_update(theta, psi, rows, targets, mask) for rows in (inputs, garbage))
    torch.testing.assert_close(one.loss_after[2], other.loss_after[2])
    alone = inner_update(theta, psi, inputs[2:, 2:], targets[2:, 2:], mask[2:, 2:])
    torch.testing.assert_close(one.gradient_norm[2], alone.gradient_norm[0] * 4 / 6)
    empty = inner_update(theta, psi, inputs, targets, torch.zeros_like(mask))
    assert empty.fraction.tolist() == [0.0] * 3
    assert empty.loss_before.tolist() == [0.0] * 3
