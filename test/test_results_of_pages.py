"""Tables of pages whose walks are part of the repository say what these walks say."""

import csv
import math
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest

from millirobot_adapt.experiments.experiment import FOLLOWER, find_experiment

DOCS = Path(__file__).parents[1] / 'docs'
FIRST = '| condition | mb | mb_aug | grbal, theta'
COLUMNS = ('mb', 'mb_aug', 'grbal@frozen', 'grbal', 'rebal@frozen', 'rebal', 'follower')
TRAINING_SEEDS, SEEDS = 3, 5


@pytest.fixture(scope='module')
def costs():
    """Cost of a step by method and condition: every walk of it, as a whole."""
    found = defaultdict(dict)
    with (DOCS / 'results' / 'comparison.csv').open(newline='') as file:
        for row in csv.DictReader(file):
            if row['span'] == 'all':
                walk = (row['shape'], int(row['training_seed']), int(row['seed']))
                found[row['method'], row['condition']][walk] = float(row['cost'])
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
    assert set(costs) == {(method.name, entry.name) for method in experiment.methods for entry in experiment.conditions}
    for entry in experiment.conditions:
        for method in experiment.methods:
            shapes, trainings = entry.shapes or experiment.shapes, 1 if method.name == FOLLOWER else TRAINING_SEEDS
            wanted = {(a, b, c) for a in shapes for b in range(trainings) for c in range(SEEDS)}
            assert set(costs[method.name, entry.name]) == wanted, (method.name, entry.name)


def test_the_costs_of_the_table_are_the_means_of_the_walks(costs, table):
    experiment = find_experiment(['comparison'])
    floors = [entry.name for entry in experiment.conditions if entry.group == 'training floors']
    single = [entry.name for entry in experiment.conditions if entry.name not in floors]
    groups = [
        [entry.name for entry in experiment.conditions if entry.group == group]
        for group in ('from the start', 'in mid-run')
    ]
    for conditions, row in zip([floors, *([name] for name in single), *groups], table, strict=True):
        walks = {m: [cost for name in conditions for cost in costs[m, name].values()] for m in COLUMNS}
        for method, told in zip(COLUMNS, row[1:8], strict=True):
            assert float(told) == pytest.approx(fmean(walks[method]), abs=0.0051), (row[0], method)
        mean_log = {method: fmean(map(math.log, walks[method])) for method in ('rebal', 'mb')}
        ratio = math.exp(mean_log['rebal'] - mean_log['mb'])
        assert float(row[8].split()[0]) == pytest.approx(ratio, abs=0.0051), row[0]
