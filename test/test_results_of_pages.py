"""Tables of pages whose walks are part of the repository say what these walks say."""

import csv
import math
from collections import defaultdict
from pathlib import Path

import pytest

from millirobot_adapt.experiments.experiment import find_experiment

DOCS = Path(__file__).parents[1] / 'docs'
FIRST = '| condition | mb | mb_aug | grbal |'
COLUMNS = ('mb', 'mb_aug', 'grbal', 'rebal@frozen', 'rebal', 'follower')


@pytest.fixture(scope='module')
def costs():
    """Cost of a step by method and condition: every walk of it, as a whole."""
    found = defaultdict(list)
    with (DOCS / 'results' / 'comparison.csv').open(newline='') as file:
        for row in csv.DictReader(file):
            if row['span'] == 'all':
                found[row['method'], row['condition']].append((row['shape'], int(row['seed']), float(row['cost'])))
    return found


@pytest.fixture(scope='module')
def table():
    lines = (DOCS / 'adaptation.md').read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(FIRST))
    rows = []
    for line in lines[begin + 2 :]:
        if not line.startswith('|'):
            return rows
        rows.append([entry.strip().strip('*') for entry in line.strip('|').split('|')])
    raise AssertionError('the table does not end')


def test_every_method_walked_all_of_the_experiment(costs):
    experiment = find_experiment(['comparison'])
    places = {(entry.name, shape) for entry in experiment.conditions for shape in entry.shapes or experiment.shapes}
    walked = {(method, condition, *walk[:2]) for (method, condition), walks in costs.items() for walk in walks}
    assert {(method, *place, seed) for method in COLUMNS for place in places for seed in range(8)} == walked


def test_the_costs_of_the_table_are_the_means_of_the_walks(costs, table):
    experiment = find_experiment(['comparison'])
    floors = [entry.name for entry in experiment.conditions if entry.group == 'training floors']
    single = [entry.name for entry in experiment.conditions if entry.name not in floors]
    groups = [
        [entry.name for entry in experiment.conditions if entry.group == group]
        for group in ('from the start', 'in mid-run')
    ]
    for conditions, row in zip([floors, *([name] for name in single), *groups], table, strict=True):
        for method, told in zip(COLUMNS, row[1:7], strict=True):
            found = [walk[2] for condition in conditions for walk in costs[method, condition]]
            assert float(told) == pytest.approx(sum(found) / len(found), abs=0.0051), (row[0], method)
        pairs = [
            math.log(mine[2] / theirs[2])
            for condition in conditions
            for mine, theirs in zip(sorted(costs['rebal', condition]), sorted(costs['mb', condition]), strict=True)
        ]
        assert float(row[7].split()[0]) == pytest.approx(math.exp(sum(pairs) / len(pairs)), abs=0.0051), row[0]
