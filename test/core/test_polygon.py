"""Inside, outside and how deep: against boxes turned and moved, against a ray cast otherwise, and what is refused."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.safety.polygon import Polygon

U_SHAPE = (0.0, 0.0, 6.0, 0.0, 6.0, 4.0, 4.0, 4.0, 4.0, 1.0, 2.0, 1.0, 2.0, 4.0, 0.0, 4.0)
coordinate = st.floats(-8, 8)


def box_depth(x, y, width, height):
    """Depth in a box about the origin, by the textbook: corners are round outside, square inside."""
    dx, dy = abs(x) - width / 2, abs(y) - height / 2
    return -np.hypot(max(dx, 0), max(dy, 0)) if max(dx, dy) > 0 else -max(dx, dy)


@given(coordinate, coordinate, st.floats(0.2, 5), st.floats(0.2, 5), st.floats(-np.pi, np.pi), coordinate, coordinate)
def test_a_box_turned_and_moved_is_still_that_box(x, y, width, height, angle, east, north):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2] @ turn.T + [east, north]
    px, py = turn @ [x, y] + [east, north]
    wanted = box_depth(x, y, width, height)
    for order in (corners, corners[::-1], np.roll(corners, 1, axis=0)):
        found = float(Polygon(order.ravel().tolist()).depth(px, py))
        assert abs(found) == pytest.approx(abs(wanted), abs=1e-9)
        assert abs(wanted) < 1e-9 or (found > 0) == (wanted > 0)


def winding(corners, x, y):
    """Count how often the corners go round a point: another way to tell inside from outside."""
    angles = np.arctan2(corners[:, 1] - y, corners[:, 0] - x)
    turns = (np.diff(np.append(angles, angles[0])) + np.pi) % (2 * np.pi) - np.pi
    return round(turns.sum() / (2 * np.pi))


@given(st.integers(3, 12), st.integers(0, 2**32 - 1), coordinate, coordinate)
def test_a_star_of_any_form_holds_what_its_corners_go_round(count, seed, x, y):
    rng = np.random.default_rng(seed)
    angles = (np.arange(count) + rng.uniform(0.1, 0.9, count)) * 2 * np.pi / count
    corners = rng.uniform(0.5, 6.0, (count, 1)) * np.column_stack([np.cos(angles), np.sin(angles)])
    try:
        polygon = Polygon(corners.ravel().tolist())
    except UserError:
        assume(False)
    depth = float(polygon.depth(x, y))
    assume(abs(depth) > 1e-9)
    assert (depth > 0) == (winding(corners, x, y) != 0)
    dense = np.linspace(corners, np.roll(corners, -1, axis=0), 4001).reshape(-1, 2)
    assert abs(depth) == pytest.approx(np.hypot(*(dense - [x, y]).T).min(), abs=2e-3)


@pytest.mark.parametrize(
    ('point', 'depth'),
    [
        ((1.0, 2.0), 1.0), ((3.0, 2.0), -1.0), ((5.0, 3.0), 1.0), ((3.0, 0.5), 0.5), ((3.0, 1.5), -0.5),
        ((7.0, 5.0), -np.sqrt(2)), ((1.9, 1.1), 0.1), ((3.0, 9.0), -np.hypot(1, 5)),
    ],
)  # fmt: skip
def test_corners_may_point_inwards(point, depth):
    assert Polygon(U_SHAPE).depth(*point) == pytest.approx(depth)


@given(st.integers(0, 7), st.floats(0, 1))
def test_on_the_border_the_depth_is_zero(side, along):
    corners = np.array(U_SHAPE).reshape(-1, 2)
    x, y = corners[side] + along * (np.roll(corners, -1, axis=0) - corners)[side]
    assert abs(float(Polygon(U_SHAPE).depth(x, y))) < 1e-12


@pytest.mark.parametrize('point', [(np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (1.0, -np.inf), (np.inf, np.nan)])
def test_a_point_that_is_not_finite_has_no_depth(point):
    assert np.isnan(Polygon(U_SHAPE).depth(*point))


def test_many_points_at_once_are_the_same_as_one_by_one():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-1, 7, (2, 12, 40))
    polygon = Polygon(U_SHAPE)
    depth = polygon.depth(x, y)
    assert depth.shape == (12, 40)
    assert depth[3, 7] == polygon.depth(x[3, 7], y[3, 7])


@pytest.mark.parametrize(
    ('numbers', 'says'),
    [
        ((1.0, 0.0, 0.0, 1.0), 'the box is empty'),
        ((0.0, 0.0), '2 numbers make no area'),
        ((0.0, 0.0, 1.0, 0.0, 1.0), '5 numbers make no area'),
        ((0.0, 0.0, 1.0, 0.0, 1.0, float('nan')), 'a corner is not finite'),
        ((0.0, 0.0, 0.0, 0.0, 1.0, 1.0), 'a corner is given twice in a row'),
        ((0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0), 'the last side closes itself'),
        ((0.0, 0.0, 2.0, 2.0, 2.0, 0.0, 0.0, 2.0), 'meet or cross; give its corners in order'),
        ((0.0, 0.0, 1.0, 0.0, 2.0, 0.0), 'meet or cross'),
        ((0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 2.0, 0.0, 0.0, 4.0), 'meet or cross'),
    ],
)
def test_what_makes_no_area_is_refused(numbers, says):
    with pytest.raises(UserError) as error:
        Polygon(numbers)
    assert says in str(error.value)
