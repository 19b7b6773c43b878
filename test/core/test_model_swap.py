"""Another model in the middle of a run: loaded beside it, in use from a tick to the next, on trial."""

import math
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from robots import LAYOUT, NX, assemble_state

from millirobot_adapt.core.control.history import TransitionHistory
from millirobot_adapt.core.control.model_server import ModelRequest, ModelServer
from millirobot_adapt.core.control.model_trial import ModelTrial, fitted
from millirobot_adapt.core.control.planning_model import try_model
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.planner_factory import PlannerConfig

DATA = Path(__file__).resolve().parents[1] / 'data'
GOLDEN, RLS = DATA / 'golden_bundle', DATA / 'golden_rls'
DT = 0.1


def config(model=GOLDEN, **other):
    planner = PlannerConfig(samples=32, batch=16, horizon=4)
    return ControllerConfig(model=str(model), planner=planner, engine=EngineConfig(threads=1), **other)


def state(x):
    zeros = np.zeros(3)
    return assemble_state(np.array([x, 0.0, 0.03]), zeros, zeros, zeros, zeros[:2], zeros[:2], zeros[:2], 4.0)


# What the loop does.


def step(loop, k):
    return loop.step(k, k * DT, state(0.02 * k), np.full(2, 20.0), np.full(2, 21.0))


def test_another_model_adapts_to_the_transitions_that_are_there():
    assembly = assemble(config())
    other = assemble(config(RLS)).model
    assembly.loop.restart(assembly.paths.lay(state(0.0)))
    before = [step(assembly.loop, k) for k in range(5)][-1]
    assembly.loop.tune(assembly.tuning(assembly.config, 1, other))
    swapped, after = step(assembly.loop, 5), step(assembly.loop, 6)
    assert (before.revision, swapped.revision) == (0, 1)
    assert swapped.window.mask.sum() == 5
    assert not np.array_equal(swapped.plan.states, before.plan.states)
    assert math.isnan(swapped.pre_error), 'what the other model had predicted is no error of this one'
    assert math.isfinite(after.post_error)
    assembly.loop.tune(assembly.tuning(assembly.config, 2, assembly.model))
    assembly.loop.tune(assembly.tuning(assembly.config, 3))
    assert step(assembly.loop, 7).revision == 3
    assert assembly.loop.prior is assembly.model.method.prior


@pytest.mark.parametrize('length', [2, 6])
def test_a_window_becomes_as_long_as_the_other_model_wants(length):
    history = TransitionHistory(4, DT, LAYOUT)
    for k in range(8):
        history.add(k * DT, np.full(NX, float(k)), np.full(2, float(k)))
    whole = history.window()
    history.resize(length)
    window = history.window()
    assert window.mask.sum() == min(length, 4)
    np.testing.assert_array_equal(window.states[-2:], whole.states[-2:])
    again = fitted(whole, length)
    for name in ('states', 'actions', 'next_states', 'mask'):
        np.testing.assert_array_equal(getattr(again, name), getattr(window, name))


# The trial.


class Moves:
    """Predicts a fixed step in x."""

    carries = False

    def __init__(self, by, length=3):
        self.prior, self.by, self.window_length, self.resets = self, by, length, 0

    def rollout(self, start, actions):
        return start + np.array([0.0, self.by])[:, None, None] * (np.arange(NX) == 0)

    def adapt(self, window):
        return SimpleNamespace(model=self)

    def reset(self):
        self.resets += 1


def former(by, length=3):
    return SimpleNamespace(method=Moves(by, length), prediction_error=lambda p, a, s: abs(float(p[0] - a[0])))


def ticks(model, steps):
    """Ticks of a robot that makes these steps."""
    x = np.concatenate([[0.0], np.cumsum(steps)])
    for k in range(len(x)):
        seen = np.zeros((3, NX)), np.zeros((3, 2)), np.zeros((3, NX)), np.zeros(3)
        if k:
            seen[0][-1, 0], seen[2][-1, 0], seen[3][-1] = x[k - 1], x[k], 1.0
        yield SimpleNamespace(
            window=Window(*seen), state=np.eye(NX)[0] * x[k], adaptation=SimpleNamespace(model=model), adapt=True
        )


def judged(before, after, steps, count):
    trial = ModelTrial(former(before), count)
    found = [trial.observe(tick) for tick in ticks(Moves(after), steps)]
    assert all(each is None for each in found[:count])
    return found[count]


STEPS = 0.1 + 0.02 * np.sin(np.arange(60.0) * 2.4)


def test_the_worse_predictor_is_found_and_the_better_one_stays():
    result = judged(0.1, 0.2, STEPS, 50)
    assert (result.ticks, result.worse) == (50, True)
    assert result.before == pytest.approx(np.abs(STEPS[:50] - 0.1).mean())
    assert result.after == pytest.approx(np.abs(STEPS[:50] - 0.2).mean())
    assert not judged(0.2, 0.1, STEPS, 50).worse
    assert not judged(0.1, 0.1, STEPS, 50).worse
    assert not judged(0.1, 0.1001, STEPS, 50).worse, 'within the noise nothing is worse'


def test_a_model_that_predicts_nothing_finite_is_worse_than_any():
    result = judged(5.0, float('nan'), STEPS, 5)
    assert result.worse
    assert math.isfinite(result.after)


def test_a_new_run_forgets_the_last_transition_of_the_one_before():
    trial = ModelTrial(former(0.1), 4)
    some = list(ticks(Moves(0.2), STEPS))
    assert [trial.observe(tick) for tick in some[:3]] == [None] * 3
    trial.restart()
    assert [trial.observe(tick) for tick in some[10:12]] == [None] * 2, '2 + 1 transitions'
    assert trial.observe(some[12]).ticks == 4
    assert trial.before.method.resets == 1


# The server.


@dataclass
class Bench:
    """A server whose models go into a real loop."""

    assembly: object
    server: object
    used: list
    answers: list

    def ask(self, name):
        answer = self.server.serve(ModelRequest(str(name), 'id'))
        assert answer.request == ModelRequest(str(name), 'id')
        return answer


def bench(**other):
    assembly, used, answers = assemble(config(**other)), [], []

    def use(model, why, trial):
        used.append((model, why, trial))
        return len(used)

    return Bench(assembly, ModelServer(assembly, use, answers.append), used, answers)


def test_a_bundle_that_fits_comes_into_force_on_trial():
    lab = bench()
    answer = lab.ask(RLS)
    assert (answer.taken, answer.text) == (True, 'in use as revision 1')
    ((model, why, trial),) = lab.used
    assert (model.bundle.path, why) == (RLS, 'swapped in for golden_bundle')
    assert trial.before is lab.assembly.model
    assert lab.server.model is model


def test_the_former_model_comes_back_if_the_trial_says_so_and_only_then():
    lab = bench()
    lab.ask(RLS)
    worse = SimpleNamespace(worse=True, text='error 2.000 against 1.000 over 100 ticks')
    first = lab.used[0][2]
    lab.server.on_trial_end(first, worse)
    model, why, trial = lab.used[1]
    assert model is lab.server.model is lab.assembly.model
    assert trial is None
    assert why == f'back for golden_rls, which predicted worse: {worse.text}'
    lab.server.on_trial_end(first, worse)
    assert len(lab.used) == 2, 'a trial ends once'
    lab.ask(RLS)
    lab.server.on_trial_end(lab.used[2][2], SimpleNamespace(worse=False))
    lab.ask(GOLDEN)
    lab.ask(RLS)
    lab.server.on_trial_end(lab.used[3][2], worse)
    assert len(lab.used) == 5, 'another was swapped in since'


def test_without_a_trial_nothing_comes_back():
    lab = bench(trial_ticks=0)
    lab.ask(RLS)
    assert lab.used[0][2] is None


def edited(tmp_path, **changes):
    folder = tmp_path / 'edited'
    shutil.copytree(GOLDEN, folder)
    manifest = yaml.safe_load((folder / 'model.yaml').read_text())
    (folder / 'model.yaml').write_text(yaml.safe_dump({**manifest, **changes}))
    return folder


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'dt': 0.05}, 'dt = 0.05 s, but the robot is controlled every 0.1 s'),
        ({'robot': 'rover'}, "was trained for robot 'rover'"),
        ({'method': 'rebal'}, 'has no context.onnx'),
    ],
)
def test_a_bundle_that_does_not_fit_is_refused_with_the_reason(tmp_path, changes, says):
    lab = bench()
    answer = lab.ask(edited(tmp_path, **changes))
    assert answer.taken is False
    assert answer.text.startswith('refused: ')
    assert says in answer.text
    assert '\n' not in answer.text
    assert lab.used == []
    assert lab.server.model is lab.assembly.model


def test_a_bundle_that_is_not_there_is_refused():
    assert 'no such file' in bench().ask('/nowhere/at/all').text


def test_a_model_of_the_mock_does_not_replace_one_of_the_robot(tmp_path):
    lab = bench(model=edited(tmp_path, data={'origin': 'real'}))
    assert 'the model in use on data of a robot' in lab.ask(RLS).text


def test_a_model_that_predicts_nothing_finite_is_refused():
    lab = bench()
    broken = replace(lab.assembly.model, method=Moves(float('nan')))

    with pytest.raises(UserError, match='predicts nothing finite'):
        try_model(broken, lab.assembly.robot, 4, 8)


def test_requests_are_served_in_their_order_and_told_until_the_server_is_closed():
    lab = bench()

    def tell(answer):
        lab.answers.append(answer)
        if answer.request.id == GOLDEN.name and answer.taken is not None:
            lab.server.close()

    server = ModelServer(lab.assembly, lambda *given: 7, tell)
    for name in (RLS, '/nowhere/at/all', GOLDEN):
        server.request(ModelRequest(str(name), Path(name).name))
    lab.server = server
    server.work()
    assert [(each.request.id, each.taken) for each in lab.answers] == [
        ('golden_rls', None), ('golden_rls', True), ('all', None), ('all', False), ('golden_bundle', None),
        ('golden_bundle', True),
    ]  # fmt: skip
