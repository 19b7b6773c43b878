"""Behind a sharp turn: turning back always costs less than going on."""

import numpy as np
import pytest
from differential_drive import rollout, start, walk

from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective
from millirobot_adapt.core.planning.planner_factory import PlannerConfig, make_planner
from millirobot_adapt.core.planning.projection import PathPosition
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.planning.tracking import PathTracker
from millirobot_adapt.core.robot.description import RobotConfig

ROBOT = RobotConfig()
U_TURN = np.array([(2.0, 0.45), (0.0, 0.45), (0.0, 0.60), (2.0, 0.60)])


def constant_actions(horizon=12):
    """Every pair of eight leg rates, held over the horizon, shape (H, 64, 2)."""
    rates = np.linspace(ROBOT.action_low[0], ROBOT.action_high[0], 8)
    return np.stack([np.tile([left, right], (horizon, 1)) for left in rates for right in rates], axis=1)


@pytest.mark.parametrize('mirror', [1.0, -1.0])
@pytest.mark.parametrize('back', [0.05, 0.15, 0.3, 0.6, 1.0])
@pytest.mark.parametrize('y', [0.40, 0.45, 0.50, 0.55, 0.60, 0.65])
def test_turning_back_pays_wherever_the_robot_overshot_a_u_turn(back, y, mirror):
    path = ReferencePath(U_TURN * (1.0, mirror))
    tracker = PathTracker(path)
    for x in np.arange(2.0, -back - 1e-9, -0.03):
        drift = (y - 0.45) * min(1.0, max(0.0, (0.3 - x) / (0.3 + back)))
        position = tracker.update_pose((x, mirror * (0.45 + drift)), np.pi).position
    actions = constant_actions()
    states = rollout(start(-back, mirror * y, np.pi), actions)
    costs = TrackingObjective(ObjectiveConfig(), path, position, 0.1)(states, actions)
    turned = np.abs(np.arctan2(states[-1, :, 11], -states[-1, :, 10]))
    assert costs[turned > 0.9].min() < costs[turned < 0.35].min()


@pytest.mark.parametrize('y', [-0.4, -0.1, 0.0, 0.2])
@pytest.mark.parametrize('beyond', [0.35, 0.5, 0.8, 1.2])
def test_turning_back_pays_behind_the_end_that_the_robot_missed(beyond, y):
    path = ReferencePath(np.array([(0.0, 0.0), (1.0, 0.0)]))
    objective = TrackingObjective(ObjectiveConfig(), path, PathPosition(path.length, 0.2), 0.1)
    actions = constant_actions()
    states = rollout(start(1.0 + beyond, y, 0.0), actions)
    costs = objective(states, actions)
    turned = np.abs(np.arctan2(states[-1, :, 11], states[-1, :, 10]))
    assert costs[turned > 0.9].min() < costs[turned < 0.35].min()


@pytest.mark.parametrize('width', [0.1, 0.15, 0.25])
def test_a_narrow_u_turn_is_walked(width):
    path = ReferencePath(np.array([(0.0, 0.0), (1.2, 0.0), (1.2, width), (0.0, width)]))
    planner = make_planner(PlannerConfig(samples=100, batch=100), ROBOT)
    steps = walk(planner, path, ticks=180)
    finished = [step.finished for step in steps].index(True)
    assert finished < 130
    assert max(abs(step.cross_track) for step in steps[:finished]) < 0.5
