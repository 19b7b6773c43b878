"""How the mock walks on each floor, against the figures measured on the real robot's."""

import numpy as np
import pytest

from millirobot_adapt.core.robot import load_robot
from millirobot_adapt.sim import measure
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.terrain import TERRAINS

ROBOT = load_robot('velociroach')
REAL = {
    'styrofoam': ((0.17, 0.21, 0.25), 0.166, 0.72),
    'turf': ((0.13, 0.20, 0.24), 0.248, 0.42),
}
"""Forward speed in the first bands of measure.BANDS [m/s], yaw gain [rad/s per rev/s], yaw noise over 1 s [rad/s].

The last band is left out: random setpoints hardly ever reach it.
"""


def calibrate(terrain: str, seed: int) -> measure.Calibration:
    commands = measure.random_commands(ROBOT, 50.0, 1, seed)
    return measure.calibration(ROBOT, measure.record(ROBOT, Condition(terrain=terrain), commands, seed))


@pytest.fixture(scope='module', params=REAL)
def floor(request):
    return REAL[request.param], [calibrate(request.param, seed) for seed in range(2)]


def mean(runs, name):
    return np.mean([getattr(run, name) for run in runs], axis=0)


def test_forward_speed_by_leg_rate_is_near_the_real_robots(floor):
    (forward, _, _), runs = floor
    np.testing.assert_allclose(mean(runs, 'forward')[:3], forward, rtol=0.35)


def test_turning_is_near_the_real_robots(floor):
    (_, gain, noise), runs = floor
    assert mean(runs, 'yaw_gain') == pytest.approx(gain, rel=0.35)
    assert 0.5 * noise / 2 < mean(runs, 'yaw_residual') < 1.5 * noise / 2  # half of the real noise by default


def test_each_floor_is_walked_on_differently():
    ends = []
    for terrain in TERRAINS:
        commands = np.full((20, 2), 5.0)
        ends.append(measure.record(ROBOT, Condition(terrain=terrain), commands, seed=0).velocity[:, 0].mean())
    assert len(set(np.round(ends, 3))) == len(TERRAINS)
