import json

import numpy as np
import pytest

from millirobot_adapt.benchmarks.engine.planners import PLANNERS, PlannerBench, bench_planners, planner_config, steps
from millirobot_adapt.benchmarks.engine.planners_table import as_rows, draw, fewest_samples, table
from millirobot_adapt.core.planning.planner_factory import PlannerConfig

SMALL = PlannerBench(samples=(20, 160), seeds=1, plan_ticks=8)


@pytest.fixture(scope='module')
def found():
    told = []
    found = bench_planners(SMALL, lambda: told.append(1))
    assert len(told) == steps(SMALL)
    return found


def test_every_planner_plans_through_every_walk(found):
    assert [(each.planner, each.samples) for each in found] == [(name, k) for name in PLANNERS for k in (20, 160)]
    for each in found:
        assert each.plan_cost.shape == (3,)
        assert np.isfinite(each.plan_cost).all()
        assert len(each.walk_cost) == 0


def test_more_samples_give_better_plans_and_icem_the_best(found):
    cost = {(each.planner, each.samples): each.plan_cost.mean() for each in found}
    for name in PLANNERS:
        assert cost[name, 160] < cost[name, 20]
    assert cost['icem', 160] == min(cost.values())
    # The baseline is the most that there are of random shooting.
    fewest = fewest_samples(found)
    assert fewest['random_shooting'] == 160
    assert fewest['icem'] in (20, 160)


def test_a_planner_that_drives_is_compared_too():
    driven = bench_planners(PlannerBench(samples=(10,), seeds=1, plan_ticks=1, walk_seconds=0.6), lambda: None)
    rows = {row['planner']: row for row in as_rows(driven, 12)}
    assert rows['random_shooting']['walk_ratio'] == 1.0
    assert all(np.isfinite(row['walk_cost']) for row in rows.values())
    assert 'cost of a step' in table(driven, 12)


def test_it_is_laid_out_as_rows_a_table_and_a_picture(found, tmp_path):
    rows = json.loads(json.dumps(as_rows(found, 12)))
    assert len(rows) == 8
    assert rows[-1]['samples_x_horizon'] == 160 * 12
    low, high = rows[-1]['plan_interval']
    assert low <= rows[-1]['plan_difference'] <= high
    assert rows[-1]['walk_cost'] is None
    assert 'icem reaches its cost of a plan with K = ' in table(found, 12)
    draw(tmp_path / 'quality.png', found)
    assert (tmp_path / 'quality.png').read_bytes().startswith(b'\x89PNG')


def test_contestants_are_the_planners_of_the_parameters():
    config = PlannerConfig(hold=4, batch=100)
    assert planner_config(config, 'icem', 200).method == 'icem'
    assert planner_config(config, 'icem', 200).batch == 200
    assert planner_config(config, 'random_shooting', 2000).hold == 4
    assert planner_config(config, 'random_shooting_hold_1', 2000).hold == 1
