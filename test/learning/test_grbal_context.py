"""GrBAL under a context: the gradient through both, its graph, what each guard leaves, and a robot it adapts to."""

import numpy as np
import pytest
import yaml

torch = pytest.importorskip('torch')
pytest.importorskip('onnx')

from robots import LAYOUT  # noqa: E402
from test_rebal import NORMALISATION, check_format, errors_of_toys, learner, some_rows, train_and_export  # noqa: E402

from millirobot_adapt.core.dynamics.engine import make_session, run_graph, to_engine  # noqa: E402
from millirobot_adapt.learning.graphs import (  # noqa: E402
    AdaptGraph,
    ContextAdaptGraph,
    ContextGraph,
    context_adapt_graph,
)
from millirobot_adapt.learning.inner_step import InnerStep  # noqa: E402
from millirobot_adapt.learning.methods.grbal_context import GrbalContextLearner  # noqa: E402
from millirobot_adapt.learning.methods.step_sizes import StepSizes  # noqa: E402
from millirobot_adapt.learning.network import theta_names  # noqa: E402
from millirobot_adapt.learning.segments import Segments, cut  # noqa: E402
from millirobot_adapt.learning.training_run import load_training_run  # noqa: E402

pytestmark = pytest.mark.train
ROWS = 7
SMALL, WILD = 0.05, 1e4
"""Step sizes: of a step that helps, and of one that no fraction makes good."""


def window_of(seed, missing=0):
    return some_rows(torch.Generator().manual_seed(seed), ROWS, missing)


def step_of(theta, size, weights=None):
    return InnerStep([torch.tensor(size)] * len(theta), weights=weights)


def windows_with(taken, theta, recurrence):
    """Windows under which the context is taken, or refused."""
    graph = ContextGraph(NORMALISATION, recurrence, LAYOUT)
    found = [rows for rows in map(window_of, range(30)) if bool(graph(*theta, *rows)[-1]) == taken]
    assert found
    return found


def test_where_the_context_is_refused_theta_is_what_grbal_makes_of_the_window():
    theta, recurrence = learner(dtype=torch.float32)
    step = step_of(theta, SMALL)
    for rows in windows_with(False, theta, recurrence):
        found = ContextAdaptGraph(NORMALISATION, recurrence, step, LAYOUT)(*theta, *rows)
        plain = AdaptGraph(NORMALISATION, step, LAYOUT)(*theta, *rows)
        for value, wanted in zip(found, plain, strict=True):
            torch.testing.assert_close(value, wanted)
        assert found[-1] > 0


def test_where_the_step_is_refused_theta_is_what_rebal_makes_of_the_window():
    theta, recurrence = learner(dtype=torch.float32)
    for rows in windows_with(True, theta, recurrence):
        *found, before, after, _, fraction = ContextAdaptGraph(NORMALISATION, recurrence, step_of(theta, WILD), LAYOUT)(
            *theta, *rows
        )
        bias, *losses, _ = ContextGraph(NORMALISATION, recurrence, LAYOUT)(*theta, *rows)
        for value, wanted in zip(found, [theta[0], bias, *theta[2:]], strict=True):
            torch.testing.assert_close(value, wanted, rtol=0, atol=0)
        torch.testing.assert_close([before, after], losses)
        assert after < before
        assert fraction == 0


def test_where_both_are_taken_the_step_begins_at_the_network_under_the_context():
    theta, recurrence = learner(dtype=torch.float32)
    step = step_of(theta, SMALL)
    for rows in windows_with(True, theta, recurrence):
        bias, before, between, _ = ContextGraph(NORMALISATION, recurrence, LAYOUT)(*theta, *rows)
        *expected, norm, fraction = AdaptGraph(NORMALISATION, step, LAYOUT)(theta[0], bias, *theta[2:], *rows)
        *found, norm_found, fraction_found = ContextAdaptGraph(NORMALISATION, recurrence, step, LAYOUT)(*theta, *rows)
        assert expected[-1] < between < before
        torch.testing.assert_close(found, [*expected[:-2], before, expected[-1]])
        torch.testing.assert_close([norm_found, fraction_found], [norm, fraction])


@pytest.mark.parametrize('rows', ['an empty window', 'numbers that are none'])
def test_nothing_to_learn_from_leaves_theta_as_it_is(rows):
    theta, recurrence = learner(dtype=torch.float32)
    states, actions, next_states, mask = window_of(0, missing=ROWS if rows == 'an empty window' else 0)
    if rows == 'numbers that are none':
        actions = actions * float('nan')
    graph = ContextAdaptGraph(NORMALISATION, recurrence, step_of(theta, SMALL), LAYOUT)
    *found, fraction = graph(*theta, states, actions, next_states, mask)
    assert fraction == 0
    for value, wanted in zip(found, theta, strict=False):
        torch.testing.assert_close(value, wanted, rtol=0, atol=0)


def test_both_guards_count_the_transitions_alike():
    theta, recurrence = learner(dtype=torch.float32)
    weights = torch.linspace(0.2, 1.8, ROWS)
    rows = window_of(0)
    graph = ContextAdaptGraph(NORMALISATION, recurrence, step_of(theta, WILD, weights), LAYOUT)
    before, after, _, fraction = graph(*theta, *rows)[-4:]
    plain = ContextAdaptGraph(NORMALISATION, recurrence, step_of(theta, WILD), LAYOUT)(*theta, *rows)
    (weighted, *_) = AdaptGraph(NORMALISATION, step_of(theta, SMALL, weights), LAYOUT)(*theta, *rows)[-4:]
    assert fraction == 0
    assert before == pytest.approx(float(weighted))
    assert before != pytest.approx(float(plain[-4]), rel=1e-3)
    assert after <= before


@pytest.mark.parametrize(('hidden', 'weighted'), [((8,), False), ((24, 12, 8), True)])
def test_the_graph_equals_pytorch(hidden, weighted):
    theta, recurrence = learner(hidden, dtype=torch.float32)
    names = [*theta_names(theta), 'states', 'actions', 'next_states', 'mask']
    outcomes = set()
    for size in (SMALL, 3.0, WILD):
        step = step_of(theta, size, torch.linspace(0.5, 1.5, ROWS) if weighted else None)
        content = context_adapt_graph(theta, NORMALISATION, recurrence, step, ROWS, LAYOUT)
        session = make_session(content, {})
        for seed, missing in enumerate(8 * [0, 3, ROWS]):
            given = [*theta, *window_of(seed, missing)]
            with torch.no_grad():
                expected = ContextAdaptGraph(NORMALISATION, recurrence, step, LAYOUT)(*given)
            arrays = {name: to_engine(array.numpy()) for name, array in zip(names, given, strict=True)}
            found = [value.numpy() for value in run_graph(session, arrays)]
            for value, wanted in zip(found, expected, strict=True):
                np.testing.assert_allclose(value, wanted.numpy(), rtol=1e-4, atol=1e-5)
            outcomes.add((found[-3] < found[-4], float(found[-1])))
    assert {(False, 0.0), (True, 0.0), (True, 1.0)} <= outcomes


def test_the_graph_keeps_formats_that_onnxruntime_has_long_read_and_each_array_once():
    theta, recurrence = learner((16, 16), dtype=torch.float32)
    content = context_adapt_graph(theta, NORMALISATION, recurrence, step_of(theta, SMALL), ROWS, LAYOUT)
    check_format(content, recurrence)


def double(segments):
    return Segments(*(part.double() for part in (segments.body, segments.actions, segments.displacement)))


def test_training_goes_through_the_step_and_the_context(toy_rollouts):
    theta, recurrence = learner(influence=1.0)
    log_psi = [torch.tensor(0.03, dtype=torch.float64).log() for _ in theta]
    model = GrbalContextLearner(NORMALISATION, theta, recurrence, StepSizes(log_psi, guarded=False))
    past, future = map(double, cut(toy_rollouts(count=6, length=ROWS + 6), np.arange(6), ROWS + 4).divide(ROWS))
    for tensor in model.trained():
        tensor.requires_grad_()

    def loss():
        found = model.score(past, future, mask=torch.ones(len(past), ROWS, dtype=torch.float64))
        return found.one_step + found.open_loop

    gradients = torch.autograd.grad(loss(), model.trained())
    generator = torch.Generator().manual_seed(2)
    assert len(gradients) == len(theta) + 4 + len(log_psi)
    for tensor, gradient in zip(model.trained(), gradients, strict=True):
        way = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        found = []
        for sign in (1, -1):
            with torch.no_grad():
                tensor.add_(sign * 1e-6 * way)
            found.append(float(loss().detach()))
            with torch.no_grad():
                tensor.sub_(sign * 1e-6 * way)
        slope = (found[0] - found[1]) / 2e-6
        assert slope == pytest.approx(float((gradient * way).sum()), rel=2e-3, abs=1e-8)
        assert gradient.abs().max() > 0


@pytest.fixture(scope='module')
def trained(toy_rollouts, tmp_path_factory):
    folder = tmp_path_factory.mktemp('grbal_context')
    toy_rollouts(count=30, length=40).save(folder / 'data.npz')
    train_and_export(folder / 'data.npz', folder, steps=360, method='grbal_context')
    return folder


def test_adapting_beats_theta_star_where_the_heading_is_measured_wrong(trained, toy_rollouts):
    missed, one_step, window = errors_of_toys(trained / 'bundle', toy_rollouts, skew=0.4)
    assert missed[1] < 0.8 * missed[0]
    assert one_step[1] < one_step[0]
    assert window[1] < window[0]


def test_the_bundle_says_which_step_sizes_were_learned(trained):
    psi = yaml.safe_load((trained / 'bundle' / 'model.yaml').read_text())['adaptation']['psi']
    learned = load_training_run(trained / 'run').model.psi
    assert list(psi.values()) == pytest.approx([float(value) for value in learned], rel=1e-3)
    assert max(abs(value - 0.1) for value in psi.values()) > 0.005
    assert set(psi) == {'w0', 'b0', 'w1', 'b1', 'w2', 'b2'}
