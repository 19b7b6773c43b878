import numpy as np
import pytest
from differential_drive import start

from millirobot_adapt.core.planning.paths import ReferencePath, make_path
from millirobot_adapt.core.planning.tracking import PathTracker


def along(path, step=0.03, laps=1.0, offset=0.0):
    """Yield position and yaw of a robot walking exactly along the path, `offset` to its left."""
    for s in np.arange(0.0, laps * path.length, step):
        index = int(np.searchsorted(path.segment_starts, s % path.length, side='right')) - 1
        direction = path.segment_directions[index]
        point = path.waypoints[index] + (s % path.length - path.segment_starts[index]) * direction
        yield s, point + offset * np.array([-direction[1], direction[0]]), np.arctan2(direction[1], direction[0])


@pytest.mark.parametrize('name', ['straight', 'left', 'zigzag', 'figure8', 'figure8_small'])
def test_walking_exactly_along_gives_the_arc_length_and_no_error(name):
    path = make_path(name)
    tracker = PathTracker(path)
    for s, point, yaw in along(path, laps=2.5 if path.closed else 0.99):
        step = tracker.update_pose(point, yaw)
        assert step.progress == pytest.approx(s, abs=1e-6)
        assert step.fraction == pytest.approx(s / path.length)
        assert step.cross_track == pytest.approx(0.0, abs=1e-6)


def test_cross_track_is_positive_to_the_left():
    tracker = PathTracker(make_path('straight'))
    assert tracker.update_pose((0.2, 0.1), 0.0).cross_track == pytest.approx(0.1)
    assert tracker.update_pose((0.3, -0.1), 0.0).cross_track == pytest.approx(-0.1)


def test_a_robot_beside_the_crossing_stays_on_its_strand():
    path = make_path('figure8')
    tracker = PathTracker(path)
    progress = [tracker.update_pose(point, yaw).progress for _, point, yaw in along(path, offset=0.12)]
    assert np.diff(progress).min() >= 0
    assert np.diff(progress).max() < 0.1
    assert progress[-1] == pytest.approx(path.length, abs=0.2)


def test_progress_never_goes_back():
    tracker = PathTracker(make_path('zigzag'))
    before = tracker.update_pose((0.7, 0.7), 0.0).progress
    step = tracker.update_pose((0.2, 0.2), 0.0)
    assert step.progress == before
    assert abs(step.cross_track) == pytest.approx(0.5 * np.sqrt(2))


def test_beyond_a_corner_the_next_segment_counts():
    tracker = PathTracker(make_path('zigzag'))
    for y in np.arange(0.0, 1.21, 0.05):
        step = tracker.update_pose((min(y, 1.0), y), np.pi / 2)
    assert step.segment == 1
    assert step.progress == pytest.approx(np.sqrt(2))
    assert step.cross_track == pytest.approx(0.2)


def test_the_cost_is_the_papers_formula():
    tracker = PathTracker(make_path('straight'))
    tracker.update_pose((0.5, 0.0), 0.0)
    step = tracker.update_pose((0.53, 0.02), -0.1)
    assert step.step_cost == pytest.approx(50 * 0.02 - 10 * 0.03 + 5 * 0.1)


def test_the_zigzag_has_its_own_weights_unless_shapes_are_to_compare():
    corner = (0.5, 0.6), np.pi / 4 + 0.2
    distance = 0.1 / np.sqrt(2)
    assert PathTracker(make_path('zigzag')).update_pose(*corner).step_cost == pytest.approx(40 * distance + 10 * 0.2)
    equal = PathTracker(make_path('zigzag'), shape_weights=False)
    assert equal.update_pose(*corner).step_cost == pytest.approx(50 * distance + 5 * 0.2)


def test_the_heading_error_wraps():
    path = ReferencePath(np.array([[0.0, 0.0], [-1.0, 0.0]]))
    assert PathTracker(path).update_pose((-0.5, 0.0), -np.pi + 0.1).heading_error == pytest.approx(0.1)


def test_an_open_path_finishes_and_a_closed_one_counts_laps():
    path = ReferencePath(np.array([[0.0, 0.0], [1.0, 0.0]]))
    tracker = PathTracker(path)
    steps = [tracker.update_pose((x, 0.0), 0.0) for x in np.arange(0.0, 1.1, 0.05)]
    assert [step.finished for step in steps].index(True) == 19, 'within 5 cm of its end'
    square = ReferencePath(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), closed=True)
    tracker = PathTracker(square)
    for _, point, yaw in along(square, step=0.1, laps=2.2):
        step = tracker.update_pose(point, yaw)
    assert step.fraction == pytest.approx(2.2, abs=0.03)
    assert not step.finished


def test_a_state_is_read_as_position_and_yaw():
    path = make_path('straight')
    assert PathTracker(path).update(start(0.2, 0.1, 0.3)) == PathTracker(path).update_pose((0.2, 0.1), 0.3)
