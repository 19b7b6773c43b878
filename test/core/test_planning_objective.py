import dataclasses

import numpy as np
import pytest
from differential_drive import rollout, start, walk

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.costs.term import TERMS
from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig, make_planner
from millirobot_adapt.core.planning.projection import AT_START, PathPosition
from millirobot_adapt.core.robot.description import RobotConfig

DT = 0.1
NOTHING = ObjectiveConfig(path_distance=0.0, progress=0.0, course=0.0, slew=0.0, fence=0.0)


def line(*points, yaw=0.0):
    """States (H + 1, 1, nx) at the given x, y."""
    states = np.stack([start(x, y, yaw) for x, y in points])[:, None]
    return states, np.full((len(points) - 1, 1, 2), 30.0)


def cost(states, actions, name='straight', start=0.0, **weights):
    config = dataclasses.replace(NOTHING, **weights)
    return TrackingObjective(config, make_path(name), PathPosition(start, 0.0), DT)(states, actions)[0]


def test_path_distance_sums_over_the_predicted_points_only():
    states, actions = line((0.0, 0.5), (0.1, 0.2), (0.2, -0.1))
    assert cost(states, actions, path_distance=2.0) == pytest.approx(2 * 0.3)


def test_progress_runs_across_way_points_and_past_the_end():
    states, actions = line((0.9, 0.0), (1.0, 0.0), (1.2, 0.0))
    assert cost(states, actions, start=0.9, progress=10.0) == pytest.approx(-3.0)
    states, actions = line((19.9, 0.0), (20.2, 0.0))
    assert cost(states, actions, start=19.9, progress=10.0) == pytest.approx(-3.0)


def test_progress_that_misses_the_speed_asked_for_costs_on_either_side():
    states, actions = line((0.9, 0.0), (1.0, 0.0), (1.2, 0.0))
    assert cost(states, actions, start=0.9, progress=10.0, speed=1.5) == pytest.approx(0.0)
    assert cost(states, actions, start=0.9, progress=10.0, speed=2.0) == pytest.approx(10 * 0.5 * 2 * DT)
    assert cost(states, actions, start=0.9, progress=10.0, speed=1.0) == pytest.approx(10 * 0.5 * 2 * DT)


def test_a_robot_that_is_asked_for_a_speed_walks_at_it():
    path, planner = make_path('straight'), make_planner(PlannerConfig(samples=60, batch=60), RobotConfig())
    fast, slow = (walk(planner, path, 80, objective=ObjectiveConfig(speed=speed))[-1].progress for speed in (0.0, 0.2))
    assert slow == pytest.approx(0.2 * 80 * DT, rel=0.1)
    assert fast > 1.2 * slow


def test_course_is_that_of_the_displacement_and_yaw_where_there_is_none():
    states, actions = line((0.0, 0.0), (0.1, 0.1), (0.2, 0.2), yaw=1.0)
    # At the end the robot is 0.2 m off: the direction to take leads back to the path.
    assert cost(states, actions, course=5.0) == pytest.approx(5 * 2 * (np.pi / 4 + np.arctan(0.2 / 0.5)))
    states, actions = line((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), yaw=1.0)
    assert cost(states, actions, course=5.0) == pytest.approx(5 * 2 * 1.0)


def test_slew_counts_changes_against_the_executing_action_too():
    states, actions = line((0.0, 0.0), (0.1, 0.0), (0.2, 0.0))
    assert cost(states, actions, slew=0.5) == 0.0
    actions[0] = 28.0
    assert cost(states, actions, slew=0.5) == pytest.approx(0.5 * 2 * 2.0**2)


def test_fence_counts_what_the_margin_is_missed_by_inside_and_beyond():
    states, actions = line((2.4, 0.0), (2.6, 0.0), (2.45, 1.0))
    assert cost(states, actions, fence=10.0, fence_margin=0.0) == pytest.approx(10 * 0.1)
    assert cost(states, actions, fence=10.0, fence_margin=0.2) == pytest.approx(10 * (0.3 + 0.15))
    assert cost(states, actions, fence=10.0, fence_corners=(-9.0, -9.0, 9.0, 9.0)) == 0.0


def test_the_fence_may_have_a_corner_that_points_inwards():
    corner = (0.0, 0.0, 4.0, 0.0, 4.0, 1.0, 1.0, 1.0, 1.0, 4.0, 0.0, 4.0)
    states, actions = line((0.5, 0.5), (2.0, 0.5), (2.0, 2.0))
    assert cost(states, actions, fence=1.0, fence_corners=corner, fence_margin=0.0) == pytest.approx(1.0)


def test_reach_limits_the_path_ahead():
    states, actions = line((0.0, 0.0), (1.7, 0.0))
    assert cost(states, actions, path_distance=1.0, reach=2.0, start=0.3) == pytest.approx(0.0)
    assert cost(states, actions, path_distance=1.0, reach=0.5) == pytest.approx(1.2)


def test_weights_add_up():
    rng = np.random.default_rng(0)
    actions = rng.uniform(13, 56, (12, 50, 2))
    states = rollout(start(), actions)
    path = make_path('figure8')
    config = ObjectiveConfig(path_distance=3.0, progress=2.0, course=1.0, slew=0.1, fence=4.0)
    total = TrackingObjective(config, path, AT_START, DT)(states, actions)
    parts = [
        TrackingObjective(dataclasses.replace(NOTHING, **{name: getattr(config, name)}), path, AT_START, DT)(
            states, actions
        )
        for name in TERMS
    ]
    np.testing.assert_allclose(total, sum(parts))


def test_single_precision_states_serve():
    rng = np.random.default_rng(0)
    actions = rng.uniform(13, 56, (12, 50, 2))
    states = rollout(start(), actions)
    objective = TrackingObjective(ObjectiveConfig(), make_path('figure8'), AT_START, DT)
    np.testing.assert_allclose(objective(states.astype(np.float32), actions), objective(states, actions), rtol=1e-3)


def test_a_fence_that_holds_nothing_is_a_users_mistake():
    with pytest.raises(UserError, match=r'fence_corners = .*the box is empty'):
        ObjectiveConfig(fence_corners=(1.0, 0.0, 0.0, 1.0))
