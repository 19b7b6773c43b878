import dataclasses

import numpy as np
import pytest
from differential_drive import rollout, start, walk

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.costs.term import TERMS
from millirobot_adapt.core.planning.factory import PlannerConfig, make_planner
from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.projection import PathWindow
from millirobot_adapt.core.planning.tracking import PathTracker
from millirobot_adapt.core.robot.description import RobotConfig

DT = 0.1
NOTHING = ObjectiveConfig(path_distance=0.0, progress=0.0, course=0.0, slew=0.0, fence=0.0)


def line(*points, yaw=0.0):
    """States (H + 1, 1, nx) at the given x, y."""
    states = np.stack([start(x, y, yaw) for x, y in points])[:, None]
    return states, np.full((len(points) - 1, 1, 2), 30.0)


def cost(states, actions, name='straight', segment=0, **weights):
    config = dataclasses.replace(NOTHING, **weights)
    return TrackingObjective(config, make_path(name), segment, DT)(states, actions)[0]


def test_path_distance_sums_over_the_predicted_points_only():
    states, actions = line((0.0, 0.5), (0.1, 0.2), (0.2, -0.1))
    assert cost(states, actions, path_distance=2.0) == pytest.approx(2 * 0.3)


def test_progress_runs_across_way_points_and_past_the_end():
    states, actions = line((0.9, 0.0), (1.0, 0.0), (1.2, 0.0))
    assert cost(states, actions, progress=10.0) == pytest.approx(-3.0)
    states, actions = line((19.9, 0.0), (20.2, 0.0))
    assert cost(states, actions, segment=19, progress=10.0) == pytest.approx(-3.0)


def test_progress_that_misses_the_speed_asked_for_costs_on_either_side():
    states, actions = line((0.9, 0.0), (1.0, 0.0), (1.2, 0.0))
    assert cost(states, actions, progress=10.0, speed=1.5) == pytest.approx(0.0)
    assert cost(states, actions, progress=10.0, speed=2.0) == pytest.approx(10 * 0.5 * 2 * DT)
    assert cost(states, actions, progress=10.0, speed=1.0) == pytest.approx(10 * 0.5 * 2 * DT)


def test_a_robot_that_is_asked_for_a_speed_walks_at_it():
    path, planner = make_path('straight'), make_planner(PlannerConfig(samples=60, batch=60), RobotConfig())
    fast, slow = (walk(planner, path, 80, objective=ObjectiveConfig(speed=speed))[-1].progress for speed in (0.0, 0.2))
    assert slow == pytest.approx(0.2 * 80 * DT, rel=0.1)
    assert fast > 1.2 * slow


def test_course_is_that_of_the_displacement_and_yaw_where_there_is_none():
    states, actions = line((0.0, 0.0), (0.1, 0.1), (0.2, 0.2), yaw=1.0)
    assert cost(states, actions, course=5.0) == pytest.approx(5 * 2 * np.pi / 4)
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
    assert cost(states, actions, path_distance=1.0, reach=2.0) == 0.0
    assert cost(states, actions, path_distance=1.0, reach=0.5) == pytest.approx(0.0)  # the segment ahead is whole
    assert cost(*line((0.0, 0.0), (2.5, 0.0)), path_distance=1.0, reach=0.5) == pytest.approx(0.5)


def test_weights_add_up():
    rng = np.random.default_rng(0)
    actions = rng.uniform(13, 56, (12, 50, 2))
    states = rollout(start(), actions)
    path = make_path('figure8')
    config = ObjectiveConfig(path_distance=3.0, progress=2.0, course=1.0, slew=0.1, fence=4.0)
    total = TrackingObjective(config, path, 0, DT)(states, actions)
    parts = [
        TrackingObjective(dataclasses.replace(NOTHING, **{name: getattr(config, name)}), path, 0, DT)(states, actions)
        for name in TERMS
    ]
    np.testing.assert_allclose(total, sum(parts))


def test_projection_agrees_with_the_tracker():
    path = make_path('figure8')
    rng = np.random.default_rng(1)
    for segment in rng.integers(0, path.segments, 50):
        point = path.waypoints[segment] + rng.normal(0, 0.05, 2)
        tracker = PathTracker(path)
        tracker.segment = int(segment)
        tracked = tracker.update_pose(point, 0.0)
        found = PathWindow(path, int(segment), 0.5).project(point[:1, None], point[1:, None])
        assert found.distance[0, 0] == pytest.approx(abs(tracked.cross_track), abs=1e-9)
        arc_length = (path.segment_starts[segment] + found.arc_length[0, 0]) % path.length
        assert arc_length == pytest.approx(tracked.progress % path.length, abs=1e-5)


def test_single_precision_states_serve():
    rng = np.random.default_rng(0)
    actions = rng.uniform(13, 56, (12, 50, 2))
    states = rollout(start(), actions)
    objective = TrackingObjective(ObjectiveConfig(), make_path('figure8'), 0, DT)
    np.testing.assert_allclose(objective(states.astype(np.float32), actions), objective(states, actions), rtol=1e-3)


def test_a_fence_that_holds_nothing_is_a_users_mistake():
    with pytest.raises(UserError, match=r'fence_corners = .*the box is empty'):
        ObjectiveConfig(fence_corners=(1.0, 0.0, 0.0, 1.0))
