"""The control loop: what it pairs, what it judges, and that a tick is repeated from its record."""

import dataclasses
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest
from robots import LAYOUT, NX, assemble_state

from millirobot_adapt.contract.tick_codec import decode_tick, encode_tick
from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.tick_result import Tuning
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_interface import Adaptation
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.objective import ObjectiveConfig
from millirobot_adapt.core.planning.optimize import SearchSize
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig
from millirobot_adapt.core.planning.planner_interface import Plan
from millirobot_adapt.core.repeatability import generator

DT, HORIZON = 0.1, 5
METHODS = ('mppi', 'icem', 'random_shooting')


class Shift:
    """A model whose every step adds the same amount to x."""

    def __init__(self, step):
        self.step = step

    def rollout(self, state, actions):
        states = np.tile(state, (len(actions) + 1, actions.shape[1], 1))
        states[:, :, 0] += self.step * np.arange(len(actions) + 1)[:, None]
        return states


class MeanStep:
    """Adapts to the mean step in x of the window; theta* stands still."""

    window_length = 4
    prior = Shift(0.0)

    def __init__(self):
        self.windows = []

    def reset(self):
        self.windows.clear()

    def adapt(self, window):
        self.windows.append(window)
        moved = (window.next_states[:, 0] - window.states[:, 0]) @ window.mask
        return Adaptation(Shift(moved / max(1.0, window.mask.sum())), 1.0, 0.5, 2.0, 1.0)


class Counting:
    """Plans 10 * tick + row and remembers what it started from."""

    horizon = HORIZON
    size = SearchSize(samples=40, iterations=1, batch=40)

    def __init__(self):
        self.calls = []
        self.out_of_time = False

    def plan(self, rollout, objective, executing, previous, generator, go_on, samples, watcher):
        if self.out_of_time:
            unknown = np.full((HORIZON + 1, NX), np.nan)
            return Plan(np.zeros((HORIZON, 2)), unknown, np.inf, (np.inf, np.inf), 0.0, 0, 0, 0)
        self.calls.append((executing, previous, generator(0).random()))
        actions = np.array([[10.0 * len(self.calls) + row] * 2 for row in range(HORIZON)])
        states = rollout(actions[:, None])[:, 0]
        return Plan(actions, states, float(objective(states[:, None], actions[:, None])[0]), (0.0, 0.0), 1.0, 1, 1, 1)


def state(x):
    zeros = np.zeros(3)
    return assemble_state(np.array([x, 0.0, 0.03]), zeros, zeros, zeros, zeros[:2], zeros[:2], zeros[:2], 4.0)


@pytest.fixture
def parts():
    method, planner = MeanStep(), Counting()
    loop = ControlLoop(
        method, planner, ObjectiveConfig(), lambda p, a, s: abs(float(p[0] - a[0])), DT, seed=3, layout=LAYOUT
    )
    loop.restart(make_path('straight'))
    return loop, method, planner


def walk(loop, ticks, step=0.03):
    return [loop.step(k, k * DT, state(step * k), np.full(2, 20.0 + k - 1), np.full(2, 20.0 + k)) for k in range(ticks)]


def test_the_newest_transition_is_in_the_window_with_the_action_sent_in_it(parts):
    loop, method, _ = parts
    walk(loop, 4)
    window = method.windows[-1]
    np.testing.assert_array_equal(window.mask, [0, 1, 1, 1])
    np.testing.assert_allclose(window.states[:, 0], [0, 0.0, 0.03, 0.06])
    np.testing.assert_allclose(window.next_states[-1, 0], 0.09)
    np.testing.assert_array_equal(window.actions[-1], [22.0, 22.0])


def test_a_transition_is_predicted_before_the_model_has_adapted_to_it(parts):
    loop, _, _ = parts
    results = walk(loop, 3)
    assert np.isnan(results[0].pre_error)
    # Tick 1: nothing was known yet, theta' still was theta*. Tick 2: theta' knows the step of tick 1.
    assert results[1].pre_error == pytest.approx(0.03)
    assert results[1].post_error == pytest.approx(0.03)
    assert results[2].pre_error == pytest.approx(0.03)
    assert results[2].post_error == pytest.approx(0.0, abs=1e-12)


def test_the_plan_starts_from_the_executing_action_and_the_last_plan(parts):
    loop, _, planner = parts
    results = walk(loop, 3)
    executing, previous, _ = planner.calls[2]
    np.testing.assert_array_equal(executing, [22.0, 22.0])
    assert previous is results[1].plan
    np.testing.assert_array_equal(results[2].next_action, results[2].plan.actions[1])


def test_after_a_tick_without_a_plan_the_last_one_is_shifted(parts):
    loop, _, planner = parts
    first = loop.step(0, 0.0, state(0.0), None, np.zeros(2))
    loop.step(3, 0.3, state(0.1), None, np.zeros(2))
    shifted = planner.calls[1][1].actions
    np.testing.assert_array_equal(shifted[:3], first.plan.actions[2:])
    np.testing.assert_array_equal(shifted[3:], np.repeat(first.plan.actions[-1:], 2, axis=0))


def test_randomness_depends_on_seed_and_tick_alone(parts):
    loop, _, planner = parts
    walk(loop, 3)
    loop.restart(make_path('left'))
    walk(loop, 3)
    draws = [draw for _, _, draw in planner.calls]
    assert draws[:3] == draws[3:]
    assert len(set(draws[:3])) == 3


def test_a_new_run_remembers_nothing(parts):
    loop, method, planner = parts
    walk(loop, 3)
    loop.restart(make_path('straight'))
    result = loop.step(9, 0.9, state(0.5), np.zeros(2), np.zeros(2))
    assert method.windows[-1].mask.sum() == 0
    assert planner.calls[-1][1] is None
    assert np.isnan(result.post_error)


def test_without_adaptation_it_plans_with_the_model_as_it_was_trained(parts):
    loop, method, planner = parts
    walk(loop, 4)
    loop.tune(Tuning(planner, ObjectiveConfig(), adapt=False, revision=1))
    result = loop.step(4, 4 * DT, state(0.12), np.full(2, 23.0), np.full(2, 24.0))
    assert result.adaptation.model is method.prior
    assert result.revision == 1
    assert result.post_error == pytest.approx(0.0, abs=1e-12), 'the model of the tick before had adapted'
    result = loop.step(5, 5 * DT, state(0.15), np.full(2, 24.0), np.full(2, 25.0))
    assert result.post_error == result.pre_error == pytest.approx(0.03)
    assert np.isnan(result.adaptation.loss_after)
    loop.tune(Tuning(planner, ObjectiveConfig(), revision=2))
    loop.step(6, 6 * DT, state(0.18), np.full(2, 25.0), np.full(2, 26.0))
    np.testing.assert_array_equal(method.windows[-1].mask, 1.0, err_msg='the window went on')


def test_other_weights_and_another_search_are_in_force_at_the_next_tick(parts):
    loop, _, planner = parts
    walk(loop, 2)
    other = Counting()
    loop.tune(Tuning(other, ObjectiveConfig(progress=500.0, path_distance=0.0, course=0.0), revision=7))
    result = loop.step(2, 2 * DT, state(0.06), np.full(2, 21.0), np.full(2, 22.0))
    assert (len(planner.calls), len(other.calls)) == (2, 1)
    assert result.plan.cost == pytest.approx(-500.0 * 0.03 * HORIZON)
    assert result.record(seed=3, stamp=0.0, state_stamp=0.0).revision == 7


def test_a_weight_is_seen_in_the_plan_after_the_change_and_in_none_before():
    config = ControllerConfig(planner=PlannerConfig(samples=64, batch=64, horizon=4), engine=EngineConfig(threads=1))
    other = dataclasses.replace(config, objective=ObjectiveConfig(progress=0.0, path_distance=0.0, course=0.0, slew=50))
    plans = []
    for tuned in (config, other):
        assembly = assemble(config)
        assembly.loop.restart(assembly.paths.lay(state(0.0)))
        plans.append([])
        for k in range(4):
            if k == 3:
                assembly.loop.tune(assembly.tuning(tuned, revision=1))
            sent = np.full(2, 20.0)
            plans[-1].append(assembly.loop.step(k, k * DT, state(0.03 * k), sent, sent).plan.actions)
    as_before, changed = plans
    np.testing.assert_array_equal(changed[:3], as_before[:3])
    assert np.abs(np.diff(changed[3], axis=0)).sum() < 0.9 * np.abs(np.diff(as_before[3], axis=0)).sum()


def test_without_a_path_there_is_no_step():
    loop = ControlLoop(MeanStep(), Counting(), ObjectiveConfig(), lambda p, a, s: 0.0, DT, seed=0, layout=LAYOUT)
    with pytest.raises(RuntimeError, match='path'):
        loop.step(0, 0.0, np.zeros(NX), None, np.zeros(2))


def test_what_a_second_thread_does_beside_the_adaptation_has_the_same_bits():
    ticks = []
    for threads in (1, 2):
        # So few candidates are rolled out on one thread: what differs is who computes the errors.
        assembly = assemble(
            ControllerConfig(
                planner=PlannerConfig(samples=32, batch=32, horizon=6), engine=EngineConfig(threads=threads)
            )
        )
        assembly.loop.restart(make_path('straight'))
        ticks.append(walk(assembly.loop, 6))
    for one, two in zip(*ticks, strict=True):
        for field in ('pre_error', 'post_error'):
            np.testing.assert_array_equal(getattr(one, field), getattr(two, field), err_msg=field)
        np.testing.assert_array_equal(one.plan.actions, two.plan.actions)
    assert np.isfinite([(tick.pre_error, tick.post_error) for tick in ticks[0][1:]]).all()


class Asleep(Executor):
    """A second thread that never gets to run."""

    def submit(self, fn, /, *args, **kwargs):
        return Future()


def test_a_second_thread_that_does_not_begin_is_not_waited_for():
    results = []
    for helper in (None, Asleep()):
        loop = ControlLoop(
            MeanStep(), Counting(), ObjectiveConfig(), lambda p, a, s: abs(float(p[0] - a[0])), DT, seed=3,
            layout=LAYOUT, helper=helper,
        )  # fmt: skip
        loop.restart(make_path('straight'))
        results.append([(tick.pre_error, tick.post_error, tick.tracking.position) for tick in walk(loop, 4)[1:]])
    assert results[0] == results[1]


def test_what_fails_on_the_second_thread_fails_the_tick():
    def broken(predicted, actual, before):
        raise ZeroDivisionError('no error')

    with ThreadPoolExecutor(1) as helper:
        loop = ControlLoop(MeanStep(), Counting(), ObjectiveConfig(), broken, DT, seed=3, layout=LAYOUT, helper=helper)
        loop.restart(make_path('straight'))
        with pytest.raises(ZeroDivisionError):
            walk(loop, 2)


def test_a_tick_comes_again_bit_for_bit_from_its_record():
    config = ControllerConfig(planner=PlannerConfig(samples=64, batch=32, horizon=6), engine=EngineConfig(threads=1))
    assembly = assemble(config)
    path = assembly.paths.lay(state(0.0))
    assembly.loop.restart(path)
    rng, records = generator(5), []
    for k in range(8):
        now = state(0.02 * k) + 0.01 * rng.standard_normal(NX)
        sent = 30.0 + 5.0 * rng.standard_normal(2)
        result = assembly.loop.step(k, k * DT, now, sent, sent + 1.0)
        records.append(decode_tick(encode_tick(result.record(seed=config.seed, stamp=0.0, state_stamp=0.0))))

    again = assemble(config).loop
    again.restart(path)
    for record in records:
        repeated = again.repeat(record).record(seed=config.seed, stamp=0.0, state_stamp=0.0)
        for field in dataclasses.fields(record):
            if field.name not in ('adapt_ms', 'plan_ms', 'work_ms'):
                found, recorded = getattr(repeated, field.name), getattr(record, field.name)
                np.testing.assert_array_equal(found, recorded, err_msg=field.name)


class SlowClock:
    """A clock that advances by `step` [s] each time it is read."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize(('budget', 'batches'), [(0.005, 0), (0.036, 1), (0.056, 2), (10.0, 4)])
def test_a_tick_cut_short_comes_again_from_its_record(method, budget, batches):
    config = ControllerConfig(
        planner=PlannerConfig(method=method, samples=64, batch=16, horizon=6), engine=EngineConfig(threads=1)
    )
    assembly = assemble(config, clock=SlowClock(0.01))
    path = assembly.paths.lay(state(0.0))
    assembly.loop.restart(path)
    whole = assembly.loop.step(0, 0.0, state(0.0), None, np.full(2, 30.0))
    assert whole.plan.batches == 4
    cut = assembly.loop.step(1, DT, state(0.02), np.full(2, 30.0), whole.next_action, budget=budget)
    assert (cut.plan.batches, cut.plan.candidates) == (batches, 16 * batches)
    assert cut.cut_short == (batches < 4)

    record = decode_tick(encode_tick(cut.record(seed=config.seed, stamp=0.0, state_stamp=0.0)))
    again = assemble(config).loop
    again.restart(path)
    repeated = again.repeat(record)
    assert repeated.plan.batches == batches
    np.testing.assert_array_equal(repeated.plan.actions, cut.plan.actions)
    np.testing.assert_array_equal(repeated.plan.states, cut.plan.states)
    assert repeated.plan.cost_spread == cut.plan.cost_spread


def test_after_a_tick_without_time_the_search_starts_from_the_last_plan(parts):
    loop, _, planner = parts
    first = loop.step(0, 0.0, state(0.0), None, np.zeros(2))
    planner.out_of_time = True
    assert not loop.step(1, 0.1, state(0.0), None, np.zeros(2)).plan.usable
    planner.out_of_time = False
    loop.step(2, 0.2, state(0.1), None, np.zeros(2))
    np.testing.assert_array_equal(planner.calls[-1][1].actions[:-1], first.plan.actions[1:])


def test_a_deadline_beyond_the_control_period_is_a_users_mistake():
    with pytest.raises(UserError, match=r'deadline = 0\.2 s is longer than the control period'):
        assemble(ControllerConfig(deadline=0.2))


@pytest.mark.parametrize('method', METHODS)
def test_a_tick_with_a_part_of_the_candidates_repeats_from_its_record(method):
    planner = PlannerConfig(method=method, samples=64, batch=16, horizon=6)
    config = ControllerConfig(planner=planner, engine=EngineConfig(threads=1))
    assembly = assemble(config)
    path = assembly.paths.lay(state(0.0))
    assembly.loop.restart(path)
    assert assembly.loop.samples == 64
    few = assembly.loop.step(0, 0.0, state(0.0), None, np.full(2, 30.0), share=0.125)
    assert few.plan.candidates == 8
    assert not few.cut_short
    record = decode_tick(encode_tick(few.record(seed=config.seed, stamp=0.0, state_stamp=0.0)))
    assert record.share == 0.125
    assembly.loop.restart(path)
    np.testing.assert_array_equal(assembly.loop.repeat(record).plan.actions, few.plan.actions)


def test_a_tick_is_repeated_without_those_before_it():
    config = ControllerConfig(planner=PlannerConfig(samples=16, batch=16, horizon=4), engine=EngineConfig(threads=1))
    assembly = assemble(config)
    path = assembly.paths.lay(state(0.0))
    assembly.loop.restart(path)
    results = [assembly.loop.step(k, k * DT, state(0.02 * k), np.full(2, 30.0), np.full(2, 30.0)) for k in range(4)]
    record = results[-1].record(seed=config.seed, stamp=0.0, state_stamp=0.0)
    assembly.loop.restart(path)
    alone = assembly.loop.repeat(record)
    np.testing.assert_array_equal(alone.plan.actions, record.plan_actions)
    assert alone.adaptation.loss_after == record.loss_after
    assert np.isnan(alone.post_error), 'no model had adapted before it'
