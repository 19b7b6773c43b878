"""When motion capture is healthy enough to begin."""

import pytest

from millirobot_adapt.core.estimation.pose_rate import PoseRate


def poses(rate, seconds=2.0, age=0.01):
    watched = PoseRate(lowest=20.0, clock_offset=0.0)
    for i in range(round(seconds * rate)):
        watched.on_pose(i / rate, age)
    return watched


def test_a_hundred_a_second_are_healthy_and_begin_to_be_so_after_a_fifth():
    assert poses(100.0).objection(2.0) == ''
    assert poses(100.0, seconds=0.21).objection(0.21) == ''
    assert '15 Hz' in poses(100.0, seconds=0.15).objection(0.15)


def test_too_few_are_told_with_their_rate_and_the_parameter():
    assert poses(10.0).objection(1.95) == 'motion capture comes at 10 Hz, at least 20 Hz are needed (lowest_pose_rate)'


def test_motion_capture_that_has_ceased_is_not_healthy():
    assert poses(100.0).rate(3.5) == 0
    assert '0 Hz' in poses(100.0).objection(3.5)


@pytest.mark.parametrize(('offset', 'age', 'shown'), [(0.0, 0.02, 0.02), (3.0, -2.98, 0.02), (-0.5, 0.51, 0.01)])
def test_the_age_is_that_of_the_corrected_stamps_and_no_objection(offset, age, shown):
    watched = PoseRate(lowest=20.0, clock_offset=offset)
    for i in range(200):
        watched.on_pose(0.01 * i, age)
    assert watched.objection(2.0) == ''
    assert watched.age == pytest.approx(shown)
