"""Gradients that are written out: equal to autograd's of the plain loops."""

import pytest

torch = pytest.importorskip('torch')

from millirobot_adapt.learning import loss, recurrence  # noqa: E402
from millirobot_adapt.learning.context import shifted  # noqa: E402
from millirobot_adapt.learning.network import Normalisation, initialise  # noqa: E402
from millirobot_adapt.learning.recurrence import Recurrence, initialise_recurrence, warm_up  # noqa: E402
from millirobot_adapt.learning.segments import Segments  # noqa: E402
from millirobot_adapt.learning.short_windows import short_windows  # noqa: E402

pytestmark = pytest.mark.train

BATCH, ROWS, HORIZON, UNITS = 6, 7, 5, 4


@pytest.fixture
def normal():
    generator = torch.Generator().manual_seed(3)

    def draw(count, low=0.0):
        return low + torch.rand(count, generator=generator).double()

    return Normalisation(draw(7), draw(7, 0.5), draw(8), draw(8, 0.5), clip=1.5)


@pytest.fixture
def learner():
    """A network and a unit whose numbers are large enough for every part of the loss to count."""
    generator = torch.Generator().manual_seed(0)
    theta = [tensor.double() for tensor in initialise((7, 10, 9, 8), generator)]
    theta[-2] *= 5.0
    for bias in theta[1::2]:
        bias += torch.randn(bias.shape, generator=generator)
    drawn = initialise_recurrence(UNITS, theta, generator).tensors()
    unit = [tensor.double() for tensor in drawn]
    unit[2] += torch.randn(unit[2].shape, generator=generator)
    return [tensor.requires_grad_() for tensor in (*theta, *unit)]


@pytest.fixture
def tasks():
    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    windows = draw(BATCH, ROWS, 7), draw(BATCH, ROWS, 8), short_windows(BATCH, ROWS, 0.5)
    return windows, Segments(draw(BATCH, HORIZON + 1, 5), draw(BATCH, HORIZON, 2), draw(BATCH, HORIZON, 3))


def gradients(learner, normal, tasks, adapted, monkeypatch, written):
    for module in (loss, recurrence):
        monkeypatch.setattr(module, 'written_gradients_wanted', lambda: written)
    (inputs, targets, mask), future = tasks
    theta, unit = learner[:-4], Recurrence.of(learner[-4:])
    network = shifted(theta, warm_up(unit, inputs, targets, mask) @ unit.to_network) if adapted else theta
    found = loss.losses(network, normal, future)
    total = found.one_step + found.open_loop + found.position
    wanted = learner if adapted else learner[:-4]
    return [total.detach(), *torch.autograd.grad(total, wanted)]


@pytest.mark.parametrize('adapted', [True, False])
def test_loss_and_gradients_equal_those_of_the_plain_loops(learner, normal, tasks, adapted, monkeypatch):
    plain = gradients(learner, normal, tasks, adapted, monkeypatch, written=False)
    written = gradients(learner, normal, tasks, adapted, monkeypatch, written=True)
    for one, other in zip(plain, written, strict=True):
        assert one.abs().max() > 1e-3, 'it matters'
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_inputs_are_clipped_in_some_steps_and_not_in_others(learner, normal, tasks):
    """Else the test above would not see a clip that lets its gradient through."""
    future = tasks[1]
    features = normal.features(future.body[:, :-1], future.actions)[..., :5]
    clipped = features.abs() == normal.clip
    assert 0.05 < clipped.double().mean() < 0.95


def test_rows_that_are_missing_may_hold_anything(learner, tasks):
    (inputs, targets, mask), _ = tasks
    unit = Recurrence.of(learner[-4:])
    found = []
    for filling in (0.0, float('nan')):
        inputs, targets = (torch.where(mask[..., None] > 0, each, filling) for each in (inputs, targets))
        context = warm_up(unit, inputs, targets, mask)
        found.append([context.detach(), *torch.autograd.grad(context.square().sum(), unit.tensors()[:3])])
    assert all(torch.isfinite(each).all() for each in found[1])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_without_a_gradient_and_in_a_trace_the_plain_loops_run(learner, normal, tasks, monkeypatch):
    (inputs, targets, mask), future = tasks
    monkeypatch.setattr(recurrence.WrittenRecurrence, 'apply', None)
    monkeypatch.setattr(loss.WrittenRollout, 'apply', None)
    with torch.no_grad():
        warm_up(Recurrence.of(learner[-4:]), inputs, targets, mask)
        loss.losses(learner[:-4], normal, future)
    monkeypatch.setattr(torch.jit, 'is_tracing', lambda: True)
    context = warm_up(Recurrence.of(learner[-4:]), inputs, targets, mask)
    assert context.requires_grad
    assert loss.losses(learner[:-4], normal, future).open_loop.requires_grad
