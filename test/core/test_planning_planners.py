import dataclasses
from functools import partial

import numpy as np
import pytest
from differential_drive import rollout, start
from hypothesis import given, settings
from hypothesis import strategies as st

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.bounds import Bounds
from millirobot_adapt.core.planning.budget import first_chunks, unlimited
from millirobot_adapt.core.planning.coloured_noise import coloured_noise
from millirobot_adapt.core.planning.factory import PlannerConfig, make_planner
from millirobot_adapt.core.planning.icem import Icem
from millirobot_adapt.core.planning.mppi import Mppi
from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import NX

ROBOT = RobotConfig()
METHODS = ('mppi', 'icem', 'random_shooting')
EXECUTING = np.array([20.0, 30.0])
OBJECTIVE = TrackingObjective(ObjectiveConfig(), make_path('left'), 0, 0.1)
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
    slew=st.floats(0.01, 10.0),
    executing=st.tuples(st.floats(0, 60), st.floats(0, 60)),
    seed=st.integers(0, 1000),
)
def test_bounds_hold_and_row_0_is_the_executing_action(method, noise, slew, executing, seed):
    seen = []

    def watched(actions):
        seen.append(actions)
        return ROLLOUT(actions)

    config = PlannerConfig(method=method, noise=noise, width=noise, slew=slew, samples=30, chunk=20, horizon=5)
    first = plan(config, seed=seed, rollout=watched, executing=np.array(executing))
    # A plan made with other bounds may stray; its successor may not.
    stray = dataclasses.replace(first, actions=first.actions * 3)
    second = plan(config, seed=seed, rollout=watched, previous=stray, executing=np.array(executing))
    for actions in (first.actions[:, None], second.actions[:, None], *seen):
        assert (actions[0] == executing).all()
        assert (actions[1:] >= ROBOT.action_low).all()
        assert (actions[1:] <= ROBOT.action_high).all()
        # Whoever starts outside the range comes into it at once.
        within = np.clip(actions, ROBOT.action_low, ROBOT.action_high)
        assert (np.abs(np.diff(within, axis=0)) <= 2 * np.pi * slew + 1e-9).all()


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
@pytest.mark.parametrize('change', [{'samples': 300}, {'horizon': 9}, {'chunk': 150}, {'slew': 0.5}])
def test_each_shared_parameter_changes_the_plan(method, change):
    base = PlannerConfig(method=method)
    assert not np.array_equal(plan(base).actions, plan(dataclasses.replace(base, **change)).actions)


OWN = {
    'mppi': ({'hold': 1}, {'noise': 0.1}, {'temperature': 0.5}),
    'icem': ({'width': 0.1}, {'colour': 0.5}, {'elites': 9}),
    'random_shooting': ({'hold': 1},),
}


@pytest.mark.parametrize(('method', 'change'), [(method, change) for method in OWN for change in OWN[method]])
def test_each_parameter_of_its_own_changes_the_plan(method, change):
    base = PlannerConfig(method=method)
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


A, B = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([0.005, 0.1])
"""A double integrator with steps of 0.1 s."""
QUIET = {'samples': 1000, 'horizon': 12, 'chunk': 250}


def linear(actions):
    """Roll the double integrator out from 1 m off, at rest."""
    states = [np.repeat(np.array([[1.0, 0.0]]), actions.shape[1], axis=0)]
    for row in actions:
        states.append(states[-1] @ A.T + row * B)
    return np.pad(np.stack(states), ((0, 0), (0, 0), (0, NX - 2)))


def quadratic(states, actions):
    return 10 * (states[1:] ** 2).sum(axis=(0, 2)) + (actions[1:] ** 2).sum(axis=(0, 2))


def lqr(horizon):
    """Return optimal cost and action after an executing action of 0, by the Riccati recursion."""
    P, gain = 10 * np.eye(2), np.zeros(2)
    for _ in range(horizon - 1):
        gain = (B @ P @ A) / (1.0 + B @ P @ B)
        P = 10 * np.eye(2) + A.T @ P @ (A - np.outer(B, gain))
    first = A @ np.array([1.0, 0.0])
    return first @ P @ first, -gain @ first


@pytest.mark.parametrize(
    'make',
    [
        lambda bounds: Mppi(bounds, **QUIET, hold=1, noise=0.03, temperature=0.2),
        lambda bounds: Icem(bounds, **QUIET, width=0.1, colour=1.0, elites=10),
    ],
    ids=['mppi', 'icem'],
)
def test_planners_approach_the_optimum_of_a_linear_quadratic_problem(make):
    optimum, best_action = lqr(QUIET['horizon'])
    planner = make(Bounds(np.array([-10.0]), np.array([10.0]), np.array([20.0])))
    previous = None
    for tick in range(40):
        made = planner.plan(linear, quadratic, np.zeros(1), previous, lambda c, t=tick: generator(0, t, c))
        # Undo the shift: the problem stays where it is.
        previous = dataclasses.replace(made, actions=np.concatenate((made.actions[:1], made.actions[:-1])))
    assert optimum <= made.cost < 1.03 * optimum
    assert made.actions[1, 0] == pytest.approx(best_action, abs=0.15 * abs(best_action))


@pytest.mark.parametrize('method', METHODS)
def test_a_chunk_computes_the_same_however_many_follow(method):
    def chunks(samples, go_on=unlimited):
        seen = []

        def watched(actions):
            seen.append(actions)
            return ROLLOUT(actions)

        config = PlannerConfig(method=method, samples=samples, chunk=50)
        make_planner(config, ROBOT).plan(watched, OBJECTIVE, EXECUTING, None, lambda c: generator(0, 0, c), go_on)
        return [actions for actions in seen if actions.shape[1] > 1]  # one is the check of a mean

    every = chunks(200)
    assert len(every) == 4
    for fewer in (chunks(100), chunks(200, first_chunks(2))):
        assert len(fewer) == 2
        for one, other in zip(fewer, every, strict=False):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize('method', METHODS)
def test_a_search_cut_short_gives_the_best_so_far(method):
    config = PlannerConfig(method=method, samples=200, chunk=50)

    def cut(count):
        planner = make_planner(config, ROBOT)
        return planner.plan(ROLLOUT, OBJECTIVE, EXECUTING, None, lambda c: generator(0, 0, c), first_chunks(count))

    nothing, half, whole = cut(0), cut(2), cut(9)
    assert (nothing.chunks, nothing.candidates, nothing.finite) == (0, 0, 0)
    assert (nothing.actions[1:] == 0).all()
    assert (half.chunks, half.candidates) == (2, 100)
    assert (whole.chunks, whole.candidates) == (4, 200)
    np.testing.assert_array_equal(half.actions, plan(dataclasses.replace(config, samples=100)).actions)


def test_icem_needs_a_tenth_of_the_samples_of_random_shooting():
    few = [plan(PlannerConfig(method='icem', samples=200, chunk=50), seed=seed).cost for seed in range(10)]
    many = [plan(PlannerConfig(method='random_shooting', samples=2000), seed=seed).cost for seed in range(10)]
    assert np.mean(few) < np.mean(many)


@pytest.mark.parametrize('steps', [1, 2, 7, 12])
@pytest.mark.parametrize('colour', [0.0, 1.0, 3.0])
def test_coloured_noise_has_unit_variance(steps, colour):
    noise = coloured_noise(generator(0), colour, steps, (20_000, 2))
    assert noise.shape == (steps, 20_000, 2)
    np.testing.assert_allclose(noise.std(axis=(1, 2)), 1.0, rtol=0.02)
    np.testing.assert_allclose(noise.mean(axis=(1, 2)), 0.0, atol=0.02)


def test_the_redder_the_noise_the_slower_it_varies():
    changes = [np.diff(coloured_noise(generator(0), c, 12, (2000, 1)), axis=0).std() for c in (0.0, 1.0, 2.0, 4.0)]
    assert changes[0] == pytest.approx(np.sqrt(2), rel=0.02)
    assert changes == sorted(changes, reverse=True)


def test_bad_parameters_are_a_users_mistake():
    with pytest.raises(UserError, match='method'):
        PlannerConfig(method='cem')
    with pytest.raises(UserError, match='temperature'):
        PlannerConfig(temperature=0.0)
