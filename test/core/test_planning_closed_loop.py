import numpy as np
import pytest
from differential_drive import walk

from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig, make_planner
from millirobot_adapt.core.robot.description import RobotConfig


@pytest.mark.parametrize('method', ['mppi', 'icem', 'random_shooting'])
@pytest.mark.parametrize(('shape', 'rms'), [('figure8', 0.03), ('left', 0.03), ('zigzag', 0.16)])
def test_a_robot_with_yaw_noise_and_bias_is_led_along_the_path(method, shape, rms):
    planner = make_planner(PlannerConfig(method=method, samples=200, batch=200), RobotConfig())
    steps = walk(planner, make_path(shape), ticks=250)
    assert np.sqrt(np.mean([step.cross_track**2 for step in steps])) < rms
    assert steps[-1].progress > 25.0 * 0.24  # m in 25 s; the robot does .17-.38 m/s
