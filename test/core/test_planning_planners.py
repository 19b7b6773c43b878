import dataclasses
from functools import partial

import numpy as np
import pytest
from differential_drive import rollout, start
from hypothesis import given, settings
from hypothesis import strategies as st

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.factory import PlannerConfig, make_planner
from millirobot_adapt.core.planning.mppi import Mppi
from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.randomness import generator
from millirobot_adapt.core.robot import RobotConfig

ROBOT = RobotConfig()
METHODS = ('mppi', 'random_shooting')
EXECUTING = np.array([20.0, 30.0])
OBJECTIVE = TrackingObjective(ObjectiveConfig(), make_path('left'), 0)
ROLLOUT = partial(rollout, start(0.1, 0.15, 0.4))


def plan(config, *, seed=0, rollout=ROLLOUT, objective=OBJECTIVE, previous=None, executing=EXECUTING):
    return make_planner(config, ROBOT).plan(rollout, objective, executing, previous, lambda c: generator(seed, 0, c))


@pytest.mark.parametrize('method', METHODS)
def test_the_plan_holds_its_own_rollout_and_cost(method):
    made = plan(PlannerConfig(method=method))
    expected = ROLLOUT(made.actions[:, None])
    np.testing.assert_allclose(made.states, expected[:, 0])
    assert made.cost == pytest.approx(OBJECTIVE(expected, made.actions[:, None])[0])
    assert made.actions.shape == (12, 2)
    assert made.states.shape == (13, 24)
    assert made.cost_spread[0] <= made.cost_spread[1]
    assert (made.candidates, made.finite) == (400, 400)


@settings(max_examples=25, deadline=None)
@given(
    method=st.sampled_from(METHODS),
    noise=st.floats(0.01, 10.0),
    executing=st.tuples(st.floats(0, 60), st.floats(0, 60)),
    seed=st.integers(0, 1000),
)
def test_bounds_hold_and_row_0_is_the_executing_action(method, noise, executing, seed):
    seen = []

    def watched(actions):
        seen.append(actions)
        return ROLLOUT(actions)

    config = PlannerConfig(method=method, noise=noise, samples=30, chunk=20, horizon=5)
    first = plan(config, seed=seed, rollout=watched, executing=np.array(executing))
    # A plan made with other bounds may stray; its successor may not.
    stray = dataclasses.replace(first, actions=first.actions * 3)
    second = plan(config, seed=seed, rollout=watched, previous=stray, executing=np.array(executing))
    for actions in (first.actions[:, None], second.actions[:, None], *seen):
        assert (actions[0] == executing).all()
        assert (actions[1:] >= ROBOT.action_low).all()
        assert (actions[1:] <= ROBOT.action_high).all()


@pytest.mark.parametrize('method', METHODS)
def test_a_seed_gives_one_plan(method):
    config = PlannerConfig(method=method)
    first, again, other = plan(config), plan(config), plan(config, seed=1)
    assert first.cost == again.cost
    assert (first.actions == again.actions).all()
    assert (first.states == again.states).all()
    assert (first.actions[1:] != other.actions[1:]).any()


@pytest.mark.parametrize('method', METHODS)
def test_chunks_are_drawn_from_their_own_generators_in_fixed_sizes(method):
    asked, sizes = [], []

    def record(chunk):
        asked.append(chunk)
        return generator(0, 0, chunk)

    def watched(actions):
        sizes.append(actions.shape[1])
        return ROLLOUT(actions)

    config = PlannerConfig(method=method, samples=250, chunk=100)
    make_planner(config, ROBOT).plan(watched, OBJECTIVE, EXECUTING, None, record)
    assert asked == [0, 1, 2]
    assert sizes[:3] == [100, 100, 50]


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('change', [{'samples': 300}, {'horizon': 9}, {'chunk': 150}, {'hold': 1}])
def test_each_shared_parameter_changes_the_plan(method, change):
    base = PlannerConfig(method=method)
    assert not np.array_equal(plan(base).actions, plan(dataclasses.replace(base, **change)).actions)


@pytest.mark.parametrize('change', [{'noise': 0.1}, {'temperature': 0.5}, {'method': 'random_shooting'}])
def test_each_mppi_parameter_changes_the_plan(change):
    base = PlannerConfig()
    assert not np.array_equal(plan(base).actions, plan(dataclasses.replace(base, **change)).actions)


@pytest.mark.parametrize('method', METHODS)
def test_more_samples_are_not_worse(method):
    few, many = (
        np.mean([plan(PlannerConfig(method=method, samples=samples), seed=seed).cost for seed in range(20)])
        for samples in (20, 1000)
    )
    assert many < few


def test_hold_shares_draws():
    draws = []
    config = PlannerConfig(method='random_shooting', samples=10, horizon=8, hold=3)
    plan(config, rollout=lambda actions: draws.append(actions) or ROLLOUT(actions))
    changes = np.abs(np.diff(draws[0][1:], axis=0)).max(axis=(1, 2)) > 0
    assert changes.tolist() == [False, False, True, False, False, True]


def test_a_cooler_mean_rests_on_fewer_samples():
    warm, cool = (plan(PlannerConfig(temperature=t)) for t in (1.0, 0.01))
    assert 1 <= cool.effective_samples < warm.effective_samples <= 400
    assert plan(PlannerConfig(method='random_shooting')).effective_samples == 1


def test_the_temperature_does_not_depend_on_the_scale_of_the_costs():
    scaled = plan(PlannerConfig(), objective=lambda states, actions: 1000 * OBJECTIVE(states, actions) - 7)
    np.testing.assert_allclose(scaled.actions, plan(PlannerConfig()).actions)


def test_mppi_goes_on_from_the_previous_plan():
    costs, previous = [], None
    for tick in range(4):
        previous = plan(PlannerConfig(samples=50), seed=tick, previous=previous)
        costs.append(previous.cost)
    assert costs[-1] < costs[0]


@pytest.mark.parametrize('method', METHODS)
def test_a_candidate_that_is_not_finite_is_never_chosen(method):
    def poisoned(actions):
        states = ROLLOUT(actions)
        states[-1, actions[1, :, 0] > 30.0, 23] = np.nan  # a number no cost term looks at
        return states

    made = plan(PlannerConfig(method=method, samples=500), rollout=poisoned)
    assert 0 < made.finite < 500
    assert made.actions[1, 0] <= 30.0
    assert np.isfinite(made.cost)
    assert np.isfinite(made.states).all()


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_without_a_finite_candidate_the_plan_is_marked_and_stands_still(method, bad):
    def useless(states, actions):
        return np.full(actions.shape[1], bad)

    good = plan(PlannerConfig(method=method))
    held = plan(PlannerConfig(method=method), objective=useless, previous=good)
    assert held.finite == 0
    assert held.cost == np.inf
    assert (held.candidates, held.chunks) == (400, 2)
    assert (held.actions[0] == EXECUTING).all()
    assert (held.actions[1:] == 0).all()


def test_a_mean_that_is_not_finite_gives_way_to_the_best_candidate():
    def split(states, actions):
        """Cheap at both ends of the first motor's range, forbidden between them."""
        distance = np.abs(actions[1, :, 0] - ROBOT.action_low[0])
        distance = np.minimum(distance, np.abs(actions[1, :, 0] - ROBOT.action_high[0]))
        return np.where(distance < 5.0, distance, np.nan)

    made = plan(PlannerConfig(noise=2.0, temperature=100.0), objective=split)
    assert np.isfinite(made.cost)
    assert made.cost < 5.0


def test_mppi_approaches_the_optimum_of_a_linear_quadratic_problem():
    A, B = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([0.005, 0.1])
    state, horizon = np.array([1.0, 0.0]), 12

    def linear(actions):
        states = [np.repeat(state[None], actions.shape[1], axis=0)]
        for row in actions:
            states.append(states[-1] @ A.T + row * B)
        return np.stack(states)

    def quadratic(states, actions):
        return 10 * (states[1:] ** 2).sum(axis=(0, 2)) + (actions[1:] ** 2).sum(axis=(0, 2))

    # Riccati recursion from the state that the executing action (0) leads to.
    P, gains = 10 * np.eye(2), []
    for _ in range(horizon - 1):
        gain = (B @ P @ A) / (1.0 + B @ P @ B)
        gains.append(gain)
        P = 10 * np.eye(2) + A.T @ P @ (A - np.outer(B, gain))
    first = A @ state
    optimum = first @ P @ first
    best_action = -gains[-1] @ first

    low, high = np.array([-10.0]), np.array([10.0])
    planner = Mppi(low, high, samples=1000, horizon=horizon, chunk=1000, hold=1, noise=0.03, temperature=0.2)
    previous = None
    for tick in range(40):
        made = planner.plan(linear, quadratic, np.zeros(1), previous, lambda c, t=tick: generator(0, t, c))
        # Undo the shift: the problem stays where it is.
        previous = dataclasses.replace(made, actions=np.concatenate((made.actions[:1], made.actions[:-1])))
    assert optimum <= made.cost < 1.03 * optimum
    assert made.actions[1, 0] == pytest.approx(best_action, abs=0.15 * abs(best_action))


def test_bad_parameters_are_a_users_mistake():
    with pytest.raises(UserError, match='method'):
        PlannerConfig(method='cem')
    with pytest.raises(UserError, match='temperature'):
        PlannerConfig(temperature=0.0)
