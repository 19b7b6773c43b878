"""Every method: trained, chosen and exported on the toy robot, and at run time what it was in training."""

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('onnx')

from robots import LAYOUT  # noqa: E402

from millirobot_adapt.core.control.history import TransitionHistory  # noqa: E402
from millirobot_adapt.core.dynamics import method_factory  # noqa: E402
from millirobot_adapt.core.dynamics.bundle import load_bundle  # noqa: E402
from millirobot_adapt.core.dynamics.engine import EngineConfig  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig  # noqa: E402
from millirobot_adapt.learning import session  # noqa: E402
from millirobot_adapt.learning.methods import METHODS  # noqa: E402
from millirobot_adapt.learning.segments import cut  # noqa: E402
from millirobot_adapt.learning.sweep import Trial, best, edges  # noqa: E402
from millirobot_adapt.learning.train_config import (  # noqa: E402
    DynamicEvaluationConfig,
    LeastSquaresConfig,
    TrainConfig,
)
from millirobot_adapt.learning.training_run import load_training_run  # noqa: E402

pytestmark = pytest.mark.train
WINDOW, HORIZON, PAST = 8, 4, 14
CHOSEN = ('mb_de', 'rls')


def train(method, rollouts, folder):
    config = TrainConfig(
        method=method, hidden=(12, 12), window=WINDOW, horizon=HORIZON, steps=30, check_every=15, batch=16,
        mb_de=DynamicEvaluationConfig(rates=(0.01, 0.1)),
        rls=LeastSquaresConfig(discounts=(0.9, 1.0), prior_weights=(3.0, 30.0)),
    )  # fmt: skip
    session.train(rollouts, folder / 'run', config, say=lambda line: None)
    session.export(folder / 'run', folder / 'bundle', RobotConfig())
    return folder


@pytest.fixture(scope='module', params=METHODS)
def trained(request, toy_rollouts, tmp_path_factory):
    return request.param, train(request.param, toy_rollouts(count=12, length=30), tmp_path_factory.mktemp('trained'))


def test_every_method_can_be_trained_and_run():
    assert set(METHODS) == set(method_factory.METHODS)


def test_equal_seeds_give_equal_bundles(trained, toy_rollouts, tmp_path):
    method, folder = trained
    again = train(method, toy_rollouts(count=12, length=30), tmp_path)
    assert (again / 'bundle' / 'model.yaml').read_bytes() == (folder / 'bundle' / 'model.yaml').read_bytes()


def test_at_run_time_it_predicts_what_it_predicted_in_training(trained, toy_rollouts):
    """The position error at the horizon after PAST transitions, by the bundle and by PyTorch."""
    method, folder = trained
    model = load_training_run(folder / 'run').model
    rollouts = toy_rollouts(count=3, length=PAST + HORIZON, skew=0.2, seed=5)
    past, future = cut(rollouts, np.arange(3), PAST + HORIZON).divide(PAST)
    if method not in CHOSEN:
        past = past.divide(PAST - WINDOW)[1]
    with torch.no_grad():
        wanted = {adapted: float(model.score(past, future, adapted=adapted).position) for adapted in (False, True)}

    runtime = method_factory.make_method(load_bundle(str(folder / 'bundle'), RobotConfig()), EngineConfig(threads=1))
    errors = {False: [], True: []}
    for states, actions in zip(rollouts.states.astype(float), rollouts.actions.astype(float), strict=True):
        runtime.reset()
        history = TransitionHistory(WINDOW, 0.1, LAYOUT)
        for tick in range(PAST + 1):
            history.add(0.1 * tick, states[tick], actions[tick - 1] if tick else None)
            adapted = runtime.adapt(history.window()).model
        for key, using in ((False, runtime.prior), (True, adapted)):
            predicted = using.rollout(states[PAST], actions[PAST:, None])[-1, 0]
            errors[key].append(np.hypot(*(predicted[:2] - states[-1, :2])))
    for key, values in errors.items():
        assert np.sqrt(np.mean(np.square(values))) == pytest.approx(wanted[key], rel=1e-3, abs=1e-5)


def test_the_best_of_the_settings_is_kept_and_all_are_recorded(trained):
    method, folder = trained
    run = load_training_run(folder / 'run')
    rows = run.record['training'].get('sweep', [])
    assert len(rows) == (4 if method in CHOSEN else 0)
    assert (folder / 'run' / 'sweep.png').exists() == (method in CHOSEN)
    if rows:
        chosen = min(rows, key=lambda row: row['loss'])
        names = ('rate', 'guarded') if method == 'mb_de' else ('discount', 'prior_weight')
        assert all(getattr(run.model, name) == chosen[name] for name in names)
        manifest = load_bundle(str(folder / 'bundle'), RobotConfig()).manifest
        assert manifest['adaptation'][names[0]] == chosen[names[0]]
        assert manifest['training']['sweep'] == rows


def test_mb_de_is_the_network_of_mb(toy_rollouts, tmp_path):
    found = []
    for method in ('mb', 'mb_de'):
        folder = train(method, toy_rollouts(count=12, length=30), tmp_path / method)
        found.append((folder / 'bundle' / 'theta.npz').read_bytes())
    assert found[0] == found[1]


def test_a_best_value_at_the_edge_is_told_of():
    losses = {0.1: 3.0, 0.2: 1.0, 0.3: 2.0}
    trials = [Trial({'rate': rate, 'guarded': True}, loss, loss, loss) for rate, loss in losses.items()]
    assert best(trials).settings['rate'] == 0.2
    assert edges(trials) == []
    assert edges(trials[:2]) == ['rate']
    assert edges([Trial({'rate': 0.4, 'guarded': False}, 0.5, 0.5, 0.5), *trials]) == ['rate']
