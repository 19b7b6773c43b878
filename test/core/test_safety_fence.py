import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.planning.objective import ObjectiveConfig
from millirobot_adapt.core.safety.geofence import Fence, fence_text

BOX = (-1.0, -2.0, 3.0, 4.0)
L_SHAPE = (0.0, 0.0, 4.0, 0.0, 4.0, 1.0, 1.0, 1.0, 1.0, 4.0, 0.0, 4.0)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 1))
def test_a_box_is_the_four_comparisons(x, y, margin):
    distance = min(x + 1, 3 - x, y + 2, 4 - y) - margin
    assume(abs(distance) > 1e-9)
    assert Fence(BOX, margin).contains(np.array([x, y, 7.0])) == (distance > 0)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 0.5))
def test_a_box_given_by_its_corners_is_the_same_in_either_direction(x, y, margin):
    assume(min(abs(x + 1), abs(3 - x), abs(y + 2), abs(4 - y)) > 1e-9)
    corners = [(-1.0, -2.0), (3.0, -2.0), (3.0, 4.0), (-1.0, 4.0)]
    wanted = Fence(BOX, margin).contains(np.array([x, y]))
    for order in (corners, corners[::-1]):
        assert Fence(tuple(np.ravel(order).tolist()), margin).contains(np.array([x, y])) == wanted


@pytest.mark.parametrize(
    ('point', 'inside'),
    [((0.5, 0.5), True), ((3.5, 0.5), True), ((0.5, 3.5), True), ((2.0, 2.0), False), ((-0.1, 0.5), False)],
)
def test_a_corner_that_points_inwards_is_respected(point, inside):
    assert Fence(L_SHAPE, 0.0).contains(np.array(point)) == inside


def test_the_margin_counts_from_the_inner_corner_too():
    assert Fence(L_SHAPE, 0.2).contains(np.array([0.8, 0.8]))
    assert not Fence(L_SHAPE, 0.3).contains(np.array([0.8, 0.8]))


@pytest.mark.parametrize('point', [(np.nan, 0.0), (0.0, np.nan), (np.inf, 0.0), (0.0, -np.inf)])
def test_a_position_that_is_not_finite_is_outside(point):
    assert not Fence(BOX, 0.0).contains(np.array(point))


@pytest.mark.parametrize(
    ('weight', 'bridge', 'objects'),
    [(10.0, BOX, False), (10.0, L_SHAPE, True), (10.0, None, False), (0.0, L_SHAPE, False)],
    ids=['the same', 'another', 'none is known', 'plans keep to none'],
)
def test_plans_that_keep_to_another_fence_than_the_bridge_are_objected_to(weight, bridge, objects):
    config = ControllerConfig(objective=ObjectiveConfig(fence=weight, fence_corners=BOX))
    text = '' if bridge is None else fence_text(bridge)
    says = config.fence_objection(text)
    assert bool(says) == objects
    assert says in ('', f'objective.fence_corners = [{fence_text(BOX)}] is not the gate.fence of the bridge, [{text}]')
