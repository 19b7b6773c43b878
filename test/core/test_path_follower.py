import numpy as np
import pytest
from differential_drive import rollout, start

from millirobot_adapt.core.control.path_follower import PathFollower, PathFollowerConfig
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.tracking import PathTracker
from millirobot_adapt.core.robot.description import RobotConfig

ROBOT = RobotConfig()


def walk(shape, ticks=150, speed=0.0, yaw_offset=0.0, **changes):
    """Follow a shape; the pose shows the yaw off by `yaw_offset`. Returns tracking and action of every tick."""
    path = make_path(shape)
    follower = PathFollower(PathFollowerConfig(**changes), ROBOT, speed)
    follower.restart(path)
    tracker, state, executing, tracked, actions = PathTracker(path), start(), np.full(2, 35.0), [], []
    for tick in range(ticks):
        tracked.append(tracker.update(state))
        seen = state.copy()
        yaw = np.arctan2(state[11], state[10]) + yaw_offset
        seen[10:12] = np.cos(yaw), np.sin(yaw)
        decision = follower.step(tick, 0.1 * tick, seen, executing, executing)
        state = rollout(state, executing.reshape(1, 1, 2))[1, 0]
        executing = decision.next_action
        actions.append(executing)
    return tracked, np.array(actions)


@pytest.mark.parametrize('shape', ['straight', 'left', 'figure8'])
def test_it_stays_on_the_path_and_inside_the_range(shape):
    tracked, actions = walk(shape)
    assert np.abs([step.cross_track for step in tracked]).max() < 0.06
    assert tracked[-1].progress > 3.0
    assert (actions >= ROBOT.action_low).all()
    assert (actions <= ROBOT.action_high).all()


def test_it_walks_at_the_speed_asked_for():
    slow, fast = (walk('straight', speed=speed)[1].mean() for speed in (0.2, 0.4))
    assert fast == pytest.approx(2 * slow, rel=0.02)


def test_the_course_does_not_mind_a_yaw_that_is_off():
    by_course, by_yaw = (
        np.mean([step.cross_track for step in walk('straight', yaw_offset=0.35, course_ticks=ticks)[0][50:]])
        for ticks in (2, 0)
    )
    assert abs(by_course) < 0.01
    assert abs(by_yaw) > 0.03


@pytest.mark.parametrize('change', [{'look_ahead': 0.3}, {'speed': 0.2}, {'course_ticks': 5}])
def test_each_gain_changes_the_walk(change):
    assert not np.allclose(walk('figure8', ticks=40, **change)[1], walk('figure8', ticks=40)[1])
