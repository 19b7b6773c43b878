"""`millirobot bench reach`: the fastest mixture of walks, and the walks themselves."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from millirobot_adapt.app.main import main
from millirobot_adapt.benchmarks import reach_bench
from millirobot_adapt.benchmarks.reach_bench import ReachBench, fastest, sample_walks
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim.conditions import Condition, Slope
from millirobot_adapt.sim.lockstep import NoEstimateError

EAST, NORTH = 0.0, math.pi / 2


def rows(*walks):
    return np.array(walks, dtype=float)


def test_the_fastest_walk_along_a_course_wins():
    [way] = fastest(rows((0, 0.3, 0, 0), (0, 0.2, 0, 0)), [EAST])
    assert (way.speed, way.headings, way.shares) == (pytest.approx(0.3), (0.0,), (1.0,))


def test_drift_is_made_up_for_by_a_walk_that_climbs():
    """0.3 m/s that slides by 0.1 needs as much time of 0.1 m/s that climbs by 0.1."""
    [way] = fastest(rows((0, 0.3, -0.1, 0), (0.7, 0.1, 0.1, 0)), [EAST])
    assert way.speed == pytest.approx(0.2)
    assert way.shares == pytest.approx((0.5, 0.5))


def test_a_mixture_does_not_turn_in_the_mean():
    [way] = fastest(rows((0, 0.4, 0, 0.6), (0, 0.1, 0, -0.2), (0, 0.1, 0, 0)), [EAST])
    assert way.speed == pytest.approx(0.25 * 0.4 + 0.75 * 0.1)


def test_where_every_walk_drifts_off_there_is_no_way():
    [east, south] = fastest(rows((0, 0.3, -0.1, 0), (0, 0.2, -0.1, 0)), [EAST, -NORTH])
    assert math.isnan(east.speed)
    assert math.isnan(south.speed)


def test_walks_in_which_the_robot_fell_over_do_not_count(monkeypatch):
    class Fallen:
        def reset(self):
            return SimpleNamespace(true_position=np.zeros(3), true_rpy=np.array([2.0, 0.0, 0.0]))

        def step(self, action):
            return self.reset()

    monkeypatch.setattr(reach_bench, 'make_stepped', lambda *_: Fallen())
    samples = sample_walks(load_robot('rover'), Condition(), ReachBench(headings=3, levels=2))
    assert samples.shape == (0, 4)
    assert math.isnan(fastest(samples, [EAST])[0].speed)


def test_a_walk_that_the_estimator_lost_does_not_count_and_ends_nothing(monkeypatch):
    class Lost:
        def reset(self):
            return SimpleNamespace(true_position=np.zeros(3), true_rpy=np.zeros(3))

        def step(self, action):
            raise NoEstimateError(0.1)

    monkeypatch.setattr(reach_bench, 'make_stepped', lambda *_: Lost())
    assert sample_walks(load_robot('rover'), Condition(), ReachBench(headings=3, levels=2)).shape == (0, 4)


def test_a_steep_slope_costs_speed_across_it():
    """The rover slides on a slope of 25 degrees with little grip; on level ground it does not."""
    robot = load_robot('rover')
    bench = ReachBench(headings=3, levels=2, seconds=1.0)
    level = sample_walks(robot, Condition(terrain={'friction': 0.5}), bench)
    steep = sample_walks(robot, Condition(terrain={'friction': 0.5}, slope=Slope(angle=0.43, direction=NORTH)), bench)
    assert level.shape == steep.shape == (3 * 4, 4)
    [flat], [inclined] = fastest(level, [EAST]), fastest(steep, [EAST])
    assert 0.1 < flat.speed < 2.0
    assert steep[:, 2].mean() < level[:, 2].mean()
    assert math.isnan(inclined.speed) or inclined.speed < flat.speed


def test_the_command_prints_a_bound_for_each_course(capsys, monkeypatch):
    walk, walked = reach_bench.sample_walks, []

    def once(*arguments):
        walked.extend([] if walked else [walk(*arguments)])
        return walked[0]

    monkeypatch.setattr(reach_bench, 'sample_walks', once)
    arguments = ['bench', 'reach', '--robot', 'rover', '--condition', 'flat', '--jobs', '1']
    arguments += ['--headings', '3', '--levels', '2', '--courses', '2']
    assert main([*arguments, '--json']) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed['walks'] == 12
    assert [way['course'] for way in printed['ways']] == pytest.approx([0.0, math.pi])
    assert main(arguments) == 0
    assert 'rover under flat, 12 walks of 2 s' in capsys.readouterr().out
