"""How the mock walks on each floor, against the figures measured on the real robot's.

`millirobot calibrate` walks longer and compares more; on so short a walk only the plainest figures are sure.
"""

import numpy as np
import pytest

from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.share import find
from millirobot_adapt.sim import measure
from millirobot_adapt.sim.calibration import load_targets, walk
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.terrain import TERRAINS

ROBOT = load_robot('velociroach')
TARGETS = load_targets(find('params/calibration', 'velociroach', '.yaml'))


@pytest.fixture(scope='module', params=[pytest.param(name, marks=pytest.mark.long) for name in ('styrofoam', 'turf')])
def figures(request):
    """The figures of a floor, by name."""
    ranges = TARGETS.ranges[request.param]
    runs = [walk(ROBOT, Condition(terrain=request.param), ranges, run, 60.0, 0) for run in range(2)]
    return {figure.name: figure for figure in TARGETS.compare(request.param, measure.figures(ROBOT, runs))}


@pytest.mark.parametrize(
    'name', ['forward_4_5', 'forward_6_7', 'rate_ratio', 'rate_now', 'back_emf_slope', 'back_emf_noise', 'battery_mean']
)
def test_the_walk_is_near_the_real_robots(figures, name):
    assert figures[name].within


@pytest.mark.parametrize('name', ['yaw_residual_1s', 'yaw_residual_tick', 'lateral_sd', 'forward_sd'])
def test_its_noise_is_about_the_real_robots(figures, name):
    assert abs(figures[name].deviation) < 0.5


def test_every_figure_of_the_table_is_measured(figures):
    assert not [name for name, figure in figures.items() if not np.isfinite(figure.mock)]


def test_each_floor_is_walked_on_differently():
    ends = []
    for terrain in TERRAINS:
        commands = np.full((20, 2), 5.0)
        ends.append(measure.record(ROBOT, Condition(terrain=terrain), commands, seed=0).velocity[:, 0].mean())
    assert len(set(np.round(ends, 3))) == len(TERRAINS)
