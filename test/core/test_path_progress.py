"""Progress along any path: in order, by what was walked, whatever the path does with itself."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millirobot_adapt.benchmarks.paths.generated import KINDS, generated
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.projection import CREDIT, GAIN, PathPosition, PathWindow
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.planning.tracking import LOST_STEPS, Ending, PathTracker

CASES = Path(__file__).resolve().parents[1] / 'cases'
TURNS = {'as drawn': np.eye(2), 'mirrored': np.diag([1.0, -1.0]), 'turned': np.array([[0.28, -0.96], [0.96, 0.28]])}


def walked(points):
    return float(sum(np.hypot(*np.subtract(b, a)) for a, b in pairwise(points)))


def follow(path, points, **options):
    tracker = PathTracker(path, **options)
    return [tracker.update_pose(point, 0.0) for point in points]


def along(path, step=0.03, sway=0.0, seed=0):
    """Return arc lengths and points of a walk along the path, with a random distance to it that varies slowly."""
    rng = np.random.default_rng(seed)
    arc_lengths = np.append(np.arange(0.0, path.length, step), path.length + 0.05)
    noise = np.convolve(rng.normal(size=(len(arc_lengths) + 20, 2)).ravel(), np.ones(20) / 4.5, 'same')[::2]
    side = sway * np.column_stack((noise[: len(arc_lengths)], noise[-len(arc_lengths) :]))
    return arc_lengths, path.at(arc_lengths) + side


def case(name, turn='as drawn', scale=1.0, points=0):
    path = make_path(str(next(CASES.glob(f'*/{name}'))))
    corners = scale * path.waypoints @ TURNS[turn].T
    if points:
        at = np.linspace(0.0, ReferencePath(corners).length, points)
        corners = ReferencePath(corners).at(np.union1d(at, ReferencePath(corners).segment_starts))
    return ReferencePath(corners)


@pytest.mark.parametrize('turn', TURNS)
@pytest.mark.parametrize('points', [0, 50, 3000])
@pytest.mark.parametrize('name', ['out_and_back.csv', 'lanes.csv', 'full.csv', 'uturn.csv'])
def test_a_path_that_comes_near_itself_is_walked_in_order(name, turn, points):
    path = case(name, turn, points=points)
    arc_lengths, track = along(path, sway=0.01)
    steps = follow(path, track)
    assert np.abs([step.progress for step in steps] - arc_lengths).max() < 0.15
    assert not any(step.finished for step in steps[:-5])
    assert steps[-1].finished


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('seed', range(5))
def test_generated_paths_are_walked_in_order(kind, seed):
    path = generated(kind, seed)
    arc_lengths, track = along(path, sway=0.015, seed=seed)
    steps = follow(path, track)
    off = np.abs([step.progress for step in steps] - arc_lengths)
    assert off.max() < 0.3
    assert off.mean() < 0.06
    assert steps[-1].finished
    assert not any(step.finished for step in steps[: -len(steps) // 20])


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(list(KINDS)),
    seed=st.integers(0, 50),
    scale=st.floats(0.1, 3.0),
    moves=st.lists(st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)), min_size=5, max_size=60),
)
def test_however_a_robot_moves_it_gains_no_more_than_it_walked(kind, seed, scale, moves):
    path = ReferencePath(scale * generated(kind, seed, points=200).waypoints)
    points = path.waypoints[0] + np.cumsum(np.vstack([(0.0, 0.0), moves]), axis=0)
    steps = follow(path, points)
    progress = np.array([step.progress for step in steps])
    assert (np.diff(progress) >= 0).all()
    if steps[-1].left_out == 0.0:
        assert progress[-1] - progress[0] <= GAIN * walked(points) + 1e-9


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(list(KINDS)),
    number=st.integers(0, 20),
    share=st.floats(0.0, 1.0),
    credit=st.floats(0.0, CREDIT),
    seed=st.integers(0, 1000),
)
def test_many_points_are_projected_as_each_one_alone(kind, number, share, credit, seed):
    path = generated(kind, number, points=100)
    rng = np.random.default_rng(seed)
    place = share * path.length
    steps = rng.normal(0.0, 0.03, (13, 150, 2))
    steps[0] = path.at(np.array(place)) + rng.normal(0.0, 0.05, 2)
    x, y = np.moveaxis(np.cumsum(steps, axis=0), -1, 0)
    walked = np.cumsum(np.hypot(*np.moveaxis(steps, -1, 0)), axis=0) - np.hypot(*steps[0, 0])
    window = PathWindow.ahead(path, PathPosition(place, credit), 1.0)
    together = window.project(x, y, walked)
    for row, column in rng.integers((0, 0), x.shape, (20, 2)):
        one = (slice(row, row + 1), slice(column, column + 1))
        alone = window.project(x[one], y[one], walked[one])
        for name in ('distance', 'arc_length', 'x', 'y'):
            assert getattr(alone, name)[0, 0] == getattr(together, name)[row, column], 'bit for bit'


@pytest.mark.parametrize('scale', [0.5, 1.0, 2.0])
@pytest.mark.parametrize('turn', TURNS)
def test_lanes_are_not_skipped_by_a_robot_half_way_between_them(turn, scale):
    path = case('lanes.csv', turn, scale)
    straight = path.segment_directions[0]
    sideways = np.array([-straight[1], straight[0]]) * np.sign(np.linalg.det(TURNS[turn]))
    first_lane = path.waypoints[0] + np.arange(0.0, 1.5 * scale, 0.03)[:, None] * straight + 0.099 * scale * sideways
    assert follow(path, first_lane)[-1].progress == pytest.approx(1.5 * scale, abs=0.1)


def test_a_robot_beside_the_path_or_a_single_wrong_pose_finishes_nothing():
    path = ReferencePath(np.array([[0.0, 0.0], [2.0, 0.0]]))
    assert not follow(path, [(0, 0), (0.3, 0.9), (2.0, 5.0)])[-1].finished
    assert not follow(path, [(0, 0), (0.1, 0), (3.1, 0)])[-1].finished
    jumped = follow(path, [(0, 0), (0.1, 0), (2.0, 0.0), (0.13, 0.0), (0.16, 0.0)])
    assert not any(step.finished for step in jumped)
    assert jumped[-1].progress <= 0.1 + GAIN * 0.66
    five_metres_aside = [(x, 5.0 * min(1.0, x)) for x in np.arange(0.0, 2.1, 0.03)]
    assert not any(step.finished for step in follow(path, five_metres_aside))


@pytest.mark.parametrize('length', [0.02, 0.04, 0.2, 0.8])
def test_a_short_path_is_walked_too(length):
    path = ReferencePath(np.array([[0.0, 0.0], [length, 0.0]]))
    steps = follow(path, [(share * length, 0.0) for share in np.linspace(0.0, 1.0, 41)])
    first = [step.finished for step in steps].index(True)
    assert steps[first].fraction >= 0.94


@pytest.mark.parametrize('tolerance', [0.1, 0.3, 0.5])
def test_finished_is_near_the_end(tolerance):
    path = ReferencePath(np.array([[0.0, 0.0], [1.0, 0.0]]))
    for aside, finished in ((0.9 * tolerance, True), (1.1 * tolerance, False)):
        track = [(x, aside * x) for x in np.arange(0.0, 1.05, 0.02)]
        assert any(step.finished for step in follow(path, track, ending=Ending(tolerance))) == finished


def test_a_robot_without_progress_is_given_up_with_figures():
    path = ReferencePath(np.array([[0.0, 0.0], [2.0, 0.0]]))
    circle = [(0.5 + 0.1 * np.cos(t), 0.1 * np.sin(t)) for t in np.arange(0.0, 30.0, 0.3)]
    steps = follow(path, [(x, 0.0) for x in np.arange(0.0, 0.6, 0.03)] + circle, ending=Ending(patience=40))
    failed = [step.failed for step in steps]
    first = next(index for index, text in enumerate(failed) if text)
    assert 50 < first < 80
    assert failed[first].startswith('no progress along the path any more: 0.6')
    assert not any(step.failed for step in follow(path, circle)), 'without a time-out'


def test_a_lost_robot_goes_on_at_the_nearest_point_that_it_has_not_passed_and_what_it_left_out_is_told():
    path = ReferencePath(np.array([[0.0, 0.0], [4.0, 0.0]]))
    carried = [(x, 0.0) for x in np.arange(0.0, 1.0, 0.03)] + [(2.5, 0.05)] * (LOST_STEPS + 3)
    steps = follow(path, carried)
    assert steps[-1].progress == pytest.approx(2.5)
    assert 0.5 < steps[-1].left_out < 1.5
    assert steps[-LOST_STEPS].left_out == 0.0, 'a few wrong poses are not enough'
    end = follow(path, carried + [(x, 0.0) for x in np.arange(2.5, 4.05, 0.03)])[-1]
    assert not end.finished
    assert end.failed.startswith('the end of the path is reached, but 1.')
    back = follow(path, [(x, 0.0) for x in np.arange(0.0, 2.0, 0.03)] + [(0.5, 0.0)] * 30)[-1]
    assert back.progress == pytest.approx(1.98), 'what was passed is not walked again'


def test_a_run_starts_on_the_part_of_the_path_where_the_robot_stands_and_the_first_one_of_several():
    assert follow(case('out_and_back.csv'), [(0.0, 0.0)])[0].progress == 0.0
    assert follow(case('lanes.csv'), [(0.0, 0.05)])[0].progress == pytest.approx(0.0)
    assert follow(case('uturn.csv'), [(-0.3, 0.57)])[0].progress == pytest.approx(0.12)
    assert follow(case('full.csv'), [(-0.3, 0.57)])[0].progress == pytest.approx(2.12)
    straight = ReferencePath(np.array([[0.0, 0.0], [2.0, 0.0]]))
    assert follow(straight, [(0.8, 0.1)])[0].progress == pytest.approx(0.8)
    assert follow(straight, [(2.0, 0.1)])[0].progress == 0.0, 'at its end: it is walked from the beginning'


def test_a_corner_that_was_cut_is_caught_up():
    path = ReferencePath(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    inside = [(x, 0.0) for x in np.arange(0.0, 0.85, 0.03)]
    angle = np.linspace(-np.pi / 2, 0.0, 8)
    inside += list(zip(0.85 + 0.15 * np.cos(angle), 0.15 + 0.15 * np.sin(angle), strict=True))
    inside += [(1.0, y) for y in np.arange(0.2, 1.01, 0.03)]
    steps = follow(path, inside)
    assert steps[-1].progress == pytest.approx(2.0, abs=0.05)
    assert all(step.position.credit <= CREDIT for step in steps)
