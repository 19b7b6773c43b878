import dataclasses
from functools import partial

import numpy as np
import pytest
from differential_drive import rollout, start
from hypothesis import given, settings
from hypothesis import strategies as st
from robots import NX

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.icem import Icem
from millirobot_adapt.core.planning.mppi import Mppi, robust_scale
from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective
from millirobot_adapt.core.planning.optimize import Planner, SearchSize, first_batches, unlimited
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig, make_planner
from millirobot_adapt.core.planning.projection import AT_START
from millirobot_adapt.core.planning.sequences import Bounds, coloured_noise
from millirobot_adapt.core.planning.validator import PlausiblePlan
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig

ROBOT = RobotConfig()
METHODS = ('mppi', 'icem', 'random_shooting')
EXECUTING = np.array([20.0, 30.0])
OBJECTIVE = TrackingObjective(ObjectiveConfig(), make_path('left'), AT_START, 0.1)
ROLLOUT = partial(rollout, start(0.1, 0.15, 0.4))


def plan(config, *, seed=0, rollout=ROLLOUT, objective=OBJECTIVE, previous=None, executing=EXECUTING):
    return make_planner(config, ROBOT).plan(
        rollout, objective, executing, previous, lambda c: generator(seed, 0, c), unlimited
    )


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

    config = PlannerConfig(method=method, noise=noise, width=noise, slew=slew, samples=30, batch=20, horizon=5)
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


@pytest.mark.parametrize(
    ('samples', 'iterations', 'batch', 'sizes'),
    [
        (250, 1, 100, [(100, False), (100, False), (50, True)]),
        (250, 2, 100, [(100, False), (25, True), (100, False), (25, True)]),
        (10, 4, 100, [(3, True), (3, True), (2, True), (2, True)]),
        (2, 4, 100, [(1, True), (1, True)]),
    ],
)
def test_iterations_share_the_candidates_and_batches_divide_an_iteration(samples, iterations, batch, sizes):
    assert list(SearchSize(samples, iterations, batch).batches()) == sizes


@pytest.mark.parametrize('method', METHODS)
def test_each_batch_has_a_generator_of_its_own_and_a_fixed_size(method):
    asked, sizes = [], []

    def record(batch):
        asked.append(batch)
        return generator(0, 0, batch)

    def watched(actions):
        sizes.append(actions.shape[1])
        return ROLLOUT(actions)

    config = PlannerConfig(method=method, samples=250, iterations=1, batch=100)
    make_planner(config, ROBOT).plan(watched, OBJECTIVE, EXECUTING, None, record, unlimited)
    assert asked == [0, 1, 2]
    assert sizes[:3] == [100, 100, 50]


class Noting:
    """Draws the same sequences, and notes what it is told."""

    effective_samples = 1.0

    def __init__(self):
        self.told, self.answer = [], None

    def ask(self, rng, n):
        return np.tile(np.linspace(20.0, 30.0, n)[None, :, None], (4, 1, 2))

    def tell(self, sequences, costs):
        self.told.append(costs.tolist())

    def best(self):
        return self.answer


def search(sampler, *, size, objective, validator=lambda states, actions: '', go_on=unlimited, rollout=ROLLOUT):
    bounds = Bounds(ROBOT.action_low, ROBOT.action_high, np.full(2, 100.0), np.zeros(2))
    planner = Planner(lambda guess: sampler, bounds, horizon=4, size=size, validator=validator)
    return planner.plan(rollout, objective, EXECUTING, None, lambda batch: generator(0, 0, batch), go_on)


def first_rate(states, actions):
    return actions[1, :, 0]


def test_a_sampler_learns_once_an_iteration_however_many_batches_it_takes():
    sampler = Noting()
    search(sampler, size=SearchSize(8, 2, 3), objective=first_rate)
    assert [len(costs) for costs in sampler.told] == [4, 4]
    sampler = Noting()
    search(sampler, size=SearchSize(8, 1, 3), objective=first_rate, go_on=first_batches(2))
    assert [len(costs) for costs in sampler.told] == [6], 'what was scored in time counts'


def test_a_sampler_hears_of_no_iteration_without_a_finite_cost():
    sampler = Noting()
    made = search(sampler, size=SearchSize(8, 2, 4), objective=lambda states, actions: np.full(4, np.nan))
    assert sampler.told == []
    assert not made.usable
    assert (made.candidates, made.finite) == (8, 0)


def test_a_proposal_that_fails_the_final_check_gives_way_to_the_cheapest_candidate():
    sampler = Noting()
    sampler.answer = np.full((4, 2), 25.0)
    size = SearchSize(5, 1, 5)
    assert search(sampler, size=size, objective=first_rate).actions[1, 0] == 25.0

    def refuse(states, actions):
        return 'too slow' if actions[1, 0] == 25.0 else ''

    made = search(sampler, size=size, objective=first_rate, validator=refuse)
    assert (made.actions[1, 0], made.cost, made.effective_samples) == (20.0, 20.0, 1.0)
    nothing = search(sampler, size=size, objective=first_rate, validator=lambda states, actions: 'no')
    assert not nothing.usable
    assert (nothing.actions[1:] == 0).all()
    assert (nothing.actions[0] == EXECUTING).all()
    assert nothing.finite == 5


def test_a_plan_that_moves_faster_than_a_robot_can_is_refused():
    def far(actions):
        states = ROLLOUT(actions)
        states[2:, :, 0] += 10.0
        return states

    assert plan(PlannerConfig()).usable
    assert not plan(PlannerConfig(), rollout=far).usable
    assert plan(PlannerConfig(speed_limit=100.0), rollout=lambda actions: far(actions) * 0.9).usable


def test_the_check_of_a_plan_says_what_is_wrong():
    check = PlausiblePlan(Bounds(np.zeros(2), np.full(2, 50.0), np.full(2, 100.0), np.zeros(2)), longest_step=0.5)
    states = np.zeros((4, NX))
    assert check(states, np.full((3, 2), 50.0)) == ''
    assert check(states, np.full((3, 2), 51.0)) == 'an action is out of range'
    assert check(states, np.array([[90.0, 90.0], [1.0, 1.0], [1.0, 1.0]])) == '', 'row 0 is executing already'
    states[2, 0] = 0.6
    assert check(states, np.zeros((3, 2))) == 'a predicted step is 0.60 m long'


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('change', [{'samples': 300}, {'horizon': 9}, {'batch': 80}, {'slew': 0.5}, {'iterations': 3}])
def test_each_shared_parameter_changes_the_plan(method, change):
    base = PlannerConfig(method=method)
    assert not np.array_equal(plan(base).actions, plan(dataclasses.replace(base, **change)).actions)


OWN = {
    'mppi': ({'hold': 1}, {'noise': 0.1}, {'temperature': 0.5}, {'control_cost': 1.0}),
    'icem': ({'width': 0.1}, {'colour': 0.5}, {'elites': 9}),
    'random_shooting': ({'hold': 1},),
}


@pytest.mark.parametrize(('method', 'change'), [(method, change) for method in OWN for change in OWN[method]])
def test_each_parameter_of_its_own_changes_the_plan(method, change):
    base = PlannerConfig(method=method)
    previous = plan(base, seed=1)  # the control cost of a plan in the middle of the range is zero
    one, other = (plan(config, previous=previous) for config in (base, dataclasses.replace(base, **change)))
    assert not np.array_equal(one.actions, other.actions)


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


def test_one_wild_cost_does_not_switch_the_temperature_off():
    """One cost of 1e4 among costs near 50 used to take the effective sample size from 7 to 313 of 400."""

    def wild(states, actions):
        costs = OBJECTIVE(states, actions)
        if len(costs) > 1:
            costs[7] = 1e4
        return costs

    calm, disturbed = plan(PlannerConfig()), plan(PlannerConfig(), objective=wild)
    assert disturbed.effective_samples == pytest.approx(calm.effective_samples, rel=0.02)
    assert calm.effective_samples < 40
    np.testing.assert_allclose(disturbed.actions, calm.actions, atol=1.0)


@pytest.mark.parametrize('share', [0.05, 0.3, 0.45])
def test_the_scale_of_the_costs_does_not_know_the_expensive_ones(share):
    costs = generator(3).normal(50.0, 2.0, 400)
    assert robust_scale(costs) == pytest.approx(2.0, rel=0.15)
    costs[np.argsort(costs)[-int(400 * share) :]] = 1e6
    costs[-1] = np.inf
    assert robust_scale(costs) == pytest.approx(2.0, rel=0.15)


def test_equal_costs_weigh_alike():
    flat = plan(PlannerConfig(), objective=lambda states, actions: np.full(actions.shape[1], 3.0))
    assert flat.effective_samples == pytest.approx(400)


@pytest.mark.parametrize('factor', [0.0, 0.5, 1.0])
def test_the_control_cost_draws_the_plan_to_the_middle_as_the_cited_algorithm_does(factor):
    """Without state costs, exp(-c u' eps / sigma^2) turns a normal eps of mean 0 into one of mean -c u: u (1 - c)."""
    bounds = Bounds(np.array([-100.0]), np.array([100.0]), np.array([1000.0]), np.zeros(1))
    guess = np.array([[0.0], [4.0], [-3.0]])
    sampler = Mppi(guess, bounds, hold=1, noise=0.05, temperature=0.1, control_cost=factor)
    sequences = sampler.ask(generator(1), 40_000)
    sampler.tell(sequences, np.zeros(40_000))
    np.testing.assert_allclose(sampler.best()[1:], (1.0 - factor) * guess[1:], atol=0.2)


def test_with_iterations_mppi_moves_on_from_its_own_mean():
    once, thrice = (
        np.mean([plan(PlannerConfig(samples=120, iterations=n), seed=seed).cost for seed in range(10)]) for n in (1, 3)
    )
    assert thrice < once


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
    assert (held.candidates, held.batches) == (400, 4 if method == 'icem' else 2)
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
HORIZON = 12


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
        lambda guess, bounds: Mppi(guess, bounds, hold=1, noise=0.03, temperature=0.2, control_cost=0.0),
        lambda guess, bounds: Icem(guess, bounds, width=0.1, colour=1.0, elites=10),
    ],
    ids=['mppi', 'icem'],
)
def test_planners_approach_the_optimum_of_a_linear_quadratic_problem(make):
    optimum, best_action = lqr(HORIZON)
    bounds = Bounds(np.array([-10.0]), np.array([10.0]), np.array([20.0]), np.zeros(1))
    planner = Planner(
        lambda guess: make(guess, bounds),
        bounds,
        horizon=HORIZON,
        size=SearchSize(1000, 4, 250),
        validator=lambda states, actions: '',
    )
    previous = None
    for tick in range(40):
        made = planner.plan(linear, quadratic, np.zeros(1), previous, lambda c, t=tick: generator(0, t, c), unlimited)
        # Undo the shift: the problem stays where it is.
        previous = dataclasses.replace(made, actions=np.concatenate((made.actions[:1], made.actions[:-1])))
    assert optimum <= made.cost < 1.03 * optimum
    assert made.actions[1, 0] == pytest.approx(best_action, abs=0.15 * abs(best_action))


@pytest.mark.parametrize('method', METHODS)
def test_a_batch_computes_the_same_however_many_follow(method):
    def batches(go_on):
        seen = []

        def watched(actions):
            seen.append(actions)
            return ROLLOUT(actions)

        config = PlannerConfig(method=method, samples=200, batch=50)
        make_planner(config, ROBOT).plan(watched, OBJECTIVE, EXECUTING, None, lambda c: generator(0, 0, c), go_on)
        return [actions for actions in seen if actions.shape[1] > 1]  # one is the check of a mean

    every, fewer = batches(unlimited), batches(first_batches(2))
    assert (len(every), len(fewer)) == (4, 2)
    for one, other in zip(fewer, every, strict=False):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize('method', METHODS)
def test_a_search_cut_short_gives_the_best_so_far(method):
    config = PlannerConfig(method=method, samples=200, iterations=1, batch=50)

    def cut(count):
        planner = make_planner(config, ROBOT)
        return planner.plan(ROLLOUT, OBJECTIVE, EXECUTING, None, lambda c: generator(0, 0, c), first_batches(count))

    nothing, half, whole = cut(0), cut(2), cut(9)
    assert (nothing.batches, nothing.candidates, nothing.finite) == (0, 0, 0)
    assert (nothing.actions[1:] == 0).all()
    assert (half.batches, half.candidates) == (2, 100)
    assert (whole.batches, whole.candidates) == (4, 200)
    np.testing.assert_array_equal(half.actions, plan(dataclasses.replace(config, samples=100)).actions)


def test_icem_needs_a_tenth_of_the_samples_of_random_shooting():
    few = [plan(PlannerConfig(method='icem', samples=200, batch=50), seed=seed).cost for seed in range(10)]
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
