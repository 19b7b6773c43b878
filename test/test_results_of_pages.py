"""Tables of pages whose walks are part of the repository say what these walks say."""

import csv
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest

from millirobot_adapt.analysis.statistics import ratio_of_costs, standings, with_interval
from millirobot_adapt.experiments.experiment import FOLLOWER, find_experiment
from millirobot_adapt.experiments.results_table import costs_under

DOCS = Path(__file__).parents[1] / 'docs'
FIRST = '| condition | mb | mb_aug | grbal, theta'
SECOND = '| condition | rebal / its own theta'
PAIRS = (('rebal', 'rebal@frozen'), ('rebal', 'mb_aug'), ('grbal', 'grbal@frozen'), ('grbal', 'mb_aug'))
COLUMNS = ('mb', 'mb_aug', 'grbal@frozen', 'grbal', 'rebal@frozen', 'rebal', 'follower')
TRAINING_SEEDS, SEEDS = 3, 5


def read(name):
    """Whole walks in long form, as `results_table.rows_of` has them."""
    with (DOCS / 'results' / name).open(newline='') as file:
        return [
            row | {'training_seed': int(row['training_seed']), 'seed': int(row['seed']), 'cost': float(row['cost'])}
            for row in csv.DictReader(file)
            if row['span'] == 'all'
        ]


@pytest.fixture(scope='module')
def walks():
    return read('comparison.csv')


@pytest.fixture(scope='module')
def costs(walks):
    """Cost of a step by method and condition: every walk of it, as a whole."""
    found = defaultdict(dict)
    for row in walks:
        found[row['method'], row['condition']][row['shape'], row['training_seed'], row['seed']] = row['cost']
    return found


def table(first):
    """Rows of the table of the page whose head begins so, without the marks of bold and italic."""
    lines = (DOCS / 'adaptation.md').read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(first))
    rows = []
    for line in lines[begin + 2 :]:
        if not line.startswith('|'):
            return rows
        rows.append([entry.strip().replace('**', '').strip('*') for entry in line.strip('|').split('|')])
    raise AssertionError('the table does not end')


def conditions_of_rows():
    """The conditions that each row of the tables sums up: the floors, every other one alone, and two groups."""
    experiment = find_experiment(['comparison'])
    floors = [entry.name for entry in experiment.conditions if entry.group == 'training floors']
    single = [[entry.name] for entry in experiment.conditions if entry.name not in floors]
    groups = [
        [entry.name for entry in experiment.conditions if entry.group == group]
        for group in ('from the start', 'in mid-run')
    ]
    return [floors, *single, *groups]


def test_every_method_walked_all_of_the_experiment(costs):
    experiment = find_experiment(['comparison'])
    assert set(costs) == {(method.name, entry.name) for method in experiment.methods for entry in experiment.conditions}
    for entry in experiment.conditions:
        for method in experiment.methods:
            shapes, trainings = entry.shapes or experiment.shapes, 1 if method.name == FOLLOWER else TRAINING_SEEDS
            wanted = {(a, b, c) for a in shapes for b in range(trainings) for c in range(SEEDS)}
            assert set(costs[method.name, entry.name]) == wanted, (method.name, entry.name)


def test_the_costs_of_the_table_are_the_means_of_the_walks(costs, walks):
    for conditions, row in zip(conditions_of_rows(), table(FIRST), strict=True):
        for method, told in zip(COLUMNS, row[1:8], strict=True):
            mean = fmean(cost for name in conditions for cost in costs[method, name].values())
            assert float(told) == pytest.approx(mean, abs=0.0051), (row[0], method)
        ratio = ratio_of_costs(costs_under(walks, conditions, ['rebal', 'mb']), 'rebal', 'mb')
        assert row[8] == with_interval(*ratio), row[0]


def test_what_adapting_buys_and_who_is_behind_is_what_the_walks_say(walks):
    for conditions, row in zip(conditions_of_rows(), table(SECOND), strict=True):
        for (method, rival), told in zip(PAIRS, row[1:5], strict=True):
            ratio = ratio_of_costs(costs_under(walks, conditions, [method, rival]), method, rival)
            assert told == with_interval(*ratio), (row[0], method, rival)
        standing = standings(costs_under(walks, conditions, COLUMNS), 'mb', 'oracle')['rebal']
        low, high = standing.behind_interval
        assert row[5] == f'{standing.behind:+.2f} [{low:.2f}, {high:.2f}] ({standing.best_other})', row[0]


def test_what_each_part_of_grbal_adds_is_what_the_walks_say():
    walks, experiment = read('ablations.csv'), find_experiment(['ablations'])
    single = [[entry.name] for entry in experiment.conditions]
    others = [method.name for method in experiment.methods[1:]]
    assert {row['method'] for row in walks} == {'grbal', *others}
    for conditions, row in zip([*single, [name for (name,) in single]], table('| over grbal |'), strict=True):
        costs = costs_under(walks, conditions, ['grbal', *others])
        assert {values.shape for values in costs.values()} == {(TRAINING_SEEDS, len(conditions), SEEDS)}
        for method, told in zip(others, row[1:], strict=True):
            assert told == with_interval(*ratio_of_costs(costs, method, 'grbal')), (row[0], method)


def test_who_is_best_on_fresh_seeds_is_what_the_walks_say():
    walks, experiment = read('confirmation.csv'), find_experiment(['comparison'])
    for entry, row in zip(experiment.conditions, table('| on fresh seeds |'), strict=True):
        rival = row[1].replace(', theta\\', '@frozen')
        costs = costs_under(walks, [entry.name], ['rebal', rival])
        shapes = len(entry.shapes or experiment.shapes)
        assert {values.shape for values in costs.values()} == {(1, shapes, 30)}, entry.name
        assert {walk['seed'] for walk in walks if walk['condition'] == entry.name} == set(range(10, 40))
        assert row[2:4] == [f'{costs[method].mean():.2f}' for method in ('rebal', rival)]
        assert row[4] == with_interval(*ratio_of_costs(costs, 'rebal', rival))
