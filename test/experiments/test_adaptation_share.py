"""What adapting buys: costs over the same model left alone and over a network that never adapts, on the same seeds."""

import numpy as np
import pytest

from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.experiments.adaptation_share import ITSELF, adaptation_shares, share_table
from millirobot_adapt.experiments.episode import COLUMNS, Episode
from millirobot_adapt.experiments.experiment import Experiment, parse_condition, parse_method
from millirobot_adapt.experiments.grid import episodes_of
from millirobot_adapt.experiments.overview import overview
from millirobot_adapt.experiments.results import Results
from millirobot_adapt.experiments.results_table import as_text, cells_of, rows_of

COSTS = {'mb': 4.0, 'mb_aug': 2.0, 'grbal': 1.0, 'grbal@frozen': 3.0, 'rebal': 0.8, 'follower': 1.5}
EVERY = tuple(COSTS)


def walked(methods=EVERY, conditions=('carpet', 'turf'), seeds=4, level=COSTS.get):
    """Walks whose cost is the level of the method, times what the seed brings all of them alike."""
    experiment = Experiment(
        tuple(parse_condition(name) for name in conditions), ('left',), tuple(map(parse_method, methods)), seeds
    )
    episodes = []
    for spec in episodes_of(experiment, 'controller.yaml'):
        cost = level(spec.method) * (1.0 + generator(spec.seed).uniform())
        table = {name: np.full(20, cost if name == 'step_cost' else 0.0) for name in COLUMNS}
        episodes.append(Episode(spec, make_path('left'), table | {'time': 0.1 * np.arange(20.0)}, 'time'))
    return experiment, episodes


def shares(methods=EVERY, **changes):
    experiment, episodes = walked(methods, **changes)
    specs = [episode.spec for episode in episodes]
    return adaptation_shares(specs, rows_of(episodes, 0.1), experiment.groups, methods[0])


def test_only_what_adapts_is_compared_with_what_does_not():
    pairs = {(share.conditions, share.method, share.rival) for share in shares()}
    assert pairs == {
        (condition, *pair)
        for condition in ('carpet', 'turf')
        for pair in (('grbal', ITSELF), ('grbal', 'mb_aug'), ('rebal', 'mb_aug'))
    }


def test_what_the_seeds_bring_all_methods_alike_falls_out():
    found = {(share.method, share.rival): share for share in shares(conditions=('carpet',))}
    for pair, ratio in {('grbal', ITSELF): 1 / 3, ('grbal', 'mb_aug'): 0.5, ('rebal', 'mb_aug'): 0.4}.items():
        assert found[pair].ratio == pytest.approx(ratio)
        assert found[pair].interval == pytest.approx((ratio, ratio))


def test_conditions_of_a_group_stand_by_themselves_and_together():
    experiment, episodes = walked()
    specs, rows = [episode.spec for episode in episodes], rows_of(episodes, 0.1)
    found = adaptation_shares(specs, rows, {'floors': tuple(experiment.groups)}, 'mb')
    assert list(dict.fromkeys(share.conditions for share in found)) == ['carpet', 'turf', 'floors']


def test_a_single_seed_has_no_interval_and_a_cost_that_is_not_positive_no_ratio():
    assert {share.interval for share in shares(seeds=1)} == {None}
    below = [share for share in shares(level=lambda name: -COSTS[name]) if share.method == 'grbal']
    assert below
    assert all(np.isnan(share.ratio) and share.interval is None for share in below)


@pytest.mark.parametrize('methods', [('mb', 'grbal'), ('mb_aug', 'grbal'), ('mb', 'mb_aug'), ('mb', 'follower')])
def test_against_the_baseline_alone_other_tables_say_it(methods):
    assert shares(methods) == []


def test_another_model_of_the_method_is_not_the_same_model_left_alone():
    methods = ('mb', 'grbal=velociroach_grbal_literal', 'grbal@frozen')
    found = shares(methods, level=lambda name: 1.0)
    assert found == []


def test_table_and_text_have_a_row_for_each_method_and_condition():
    found = shares()
    table = share_table(found)
    assert table.columns == ['conditions', 'method', f'cost / {ITSELF}', 'cost / mb_aug']
    assert [row[:2] for row in table.rows] == [
        [condition, method] for condition in ('carpet', 'turf') for method in ('grbal', 'rebal')
    ]
    assert table.rows[0][2:] == ['0.33 [0.33, 0.33]', '0.50 [0.50, 0.50]']
    assert table.rows[1][2] == '\N{EN DASH}', 'its theta* did not walk'
    assert 'What adapting buys' in as_text([], 'mb', [(table, '')])
    experiment, episodes = walked()
    cells = cells_of(rows_of(episodes, 0.1), EVERY, experiment.groups)
    results = Results(episodes, cells, EVERY, experiment.groups, shares=found)
    assert table.rows in [shown.rows for shown in overview(results)]
