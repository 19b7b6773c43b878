"""The best other method is found on the seeds of the experiment and compared on seeds after them."""

import numpy as np
import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.experiments.confirmation import confirmation_table, confirmations, fresh_episodes, rivals_of
from millirobot_adapt.experiments.episode import COLUMNS, Episode
from millirobot_adapt.experiments.experiment import ConditionEntry, ConfirmConfig, Experiment, parse_method
from millirobot_adapt.experiments.grid import episodes_of
from millirobot_adapt.experiments.results_table import rows_of

LEVELS = {'mb': 4.0, 'grbal': 2.0, 'rebal': 2.0, 'follower': 3.0}


def experiment(confirm='rebal', seeds=4, fresh=12, methods=tuple(LEVELS)):
    conditions = (
        ConditionEntry('carpet', shapes=('left', 'straight')), ConditionEntry('turf'), ConditionEntry('leg_loss'),
    )  # fmt: skip
    return Experiment(
        conditions, ('left',), tuple(map(parse_method, methods)), seeds, confirm=ConfirmConfig(confirm, fresh)
    )


def walked(specs, cost):
    episodes = []
    for spec in specs:
        table = {name: np.full(20, cost(spec) if name == 'step_cost' else 0.0) for name in COLUMNS}
        episodes.append(Episode(spec, make_path(spec.shape), table | {'time': 0.1 * np.arange(20.0)}, 'time'))
    return rows_of(episodes, 0.1)


def confirmed(given, cost):
    rows = walked(episodes_of(given, 'controller.yaml'), cost)
    rivals = rivals_of(rows, given)
    specs = fresh_episodes(given, 'controller.yaml', rivals)
    return specs, confirmations(rows, walked(specs, cost), given, rivals)


def level(spec):
    """The follower is the best other one on turf, where the robot of every seed walks as well as that of others."""
    return 1.0 if (spec.method, spec.condition.name) == ('follower', 'turf') else LEVELS[spec.method]


def test_the_rival_is_the_best_other_of_each_condition_and_both_walk_all_shapes_on_fresh_seeds():
    specs, found = confirmed(experiment(), level)
    assert {each.condition: each.rival for each in found} == {
        'carpet': 'grbal',
        'turf': 'follower',
        'leg_loss': 'grbal',
    }
    walks = {(s.method, s.condition.name, s.shape, s.seed) for s in specs}
    assert len(walks) == len(specs) == 2 * 4 * 12
    assert {seed for *_, seed in walks} == set(range(4, 16))
    assert {(method, shape) for method, name, shape, _ in walks if name == 'carpet'} == {
        (method, shape) for method in ('rebal', 'grbal') for shape in ('left', 'straight')
    }


def test_the_difference_is_in_units_of_the_baseline_and_the_ratio_pairs_equal_seeds():
    def noisy(spec):
        return level(spec) * (1.0 + generator(spec.seed).uniform())

    given = experiment()
    _, found = confirmed(given, noisy)
    turf = next(each for each in found if each.condition == 'turf')
    assert turf.seeds == 12
    assert turf.ratio == pytest.approx(2.0)
    assert turf.ratio_interval == pytest.approx((2.0, 2.0))
    scale = {seed: 1.0 + generator(seed).uniform() for seed in range(16)}
    unit = 4.0 * np.mean([scale[seed] for seed in range(4)])
    assert turf.behind == pytest.approx(np.mean([scale[seed] for seed in range(4, 16)]) / unit)
    low, high = turf.behind_interval
    assert low < turf.behind < high
    assert confirmation_table(found).rows[1][:4] == ['turf', 'rebal', 'follower', '12']


def test_a_rival_that_was_only_lucky_is_not_ahead_on_fresh_seeds():
    """Four equal methods under noise: the best of them on few seeds looks ahead there, and is not on further ones."""
    methods = ('mb', 'mb_aug', 'grbal', 'rebal')

    def noisy(spec):
        return float(np.exp(0.5 * generator(spec.seed, methods.index(spec.method)).standard_normal()))

    given = experiment(seeds=3, fresh=200, methods=methods)
    rows = walked(episodes_of(given, 'controller.yaml'), noisy)
    _, found = confirmed(given, noisy)
    for each in found:
        means = {
            method: np.mean([r['cost'] for r in rows if (r['method'], r['condition']) == (method, each.condition)])
            for method in methods
        }
        assert means[each.rival] < means['rebal']
        assert each.behind_interval[0] < 0.0 < each.behind_interval[1]


def test_an_oracle_is_no_rival():
    given = experiment(methods=('mb', 'rebal', 'oracle'))
    rows = walked(episodes_of(given, 'controller.yaml'), lambda spec: 1.0)
    assert set(rivals_of(rows, given).values()) == {'mb'}


def test_conditions_under_which_the_baseline_did_not_walk_are_left_out():
    given = experiment(methods=('oracle', 'mb', 'rebal'))  # an oracle walks where a model of the condition is named
    specs, found = confirmed(given, lambda spec: 1.0)
    assert specs == found == []


@pytest.mark.parametrize(
    ('confirm', 'methods'),
    [
        ('pearl', ('mb', 'rebal')),
        ('rebal', ('rebal',)),
        ('rebal', ('rebal', 'oracle')),
        ('oracle', ('mb', 'rebal', 'oracle')),
    ],
)
def test_what_is_confirmed_must_be_one_of_at_least_two_methods(confirm, methods):
    with pytest.raises(UserError, match=f'confirm: {confirm!r} must be one of at least two methods; they are'):
        experiment(confirm, methods=methods)
