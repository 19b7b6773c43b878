"""What is walked next: at random first, then in the share that was asked for."""

import pytest

from millirobot_adapt.learning.online.schedule import Schedule


def legs(schedule, count, has_model=True):
    made = []
    for _ in range(count):
        made.append(schedule.next_leg(has_model))
        schedule.add(made[-1], 20.0)
    return made


def test_it_begins_at_random_for_as_long_as_it_was_told_and_until_there_is_a_model():
    schedule = Schedule(1.0, 0.25, ('a', 'b'))
    assert legs(schedule, 3) == ['', '', '']
    assert legs(schedule, 2, has_model=False) == ['', '']
    assert legs(schedule, 1) == ['a']
    assert (schedule.walked, schedule.random, schedule.followed) == (120.0, 100.0, 20.0)


@pytest.mark.parametrize('share', [0.0, 0.1, 0.25, 0.5, 0.9, 1.0])
def test_the_share_holds_from_the_first_path_on_and_paths_come_in_turn(share):
    schedule = Schedule(0.3, share, ('a', 'b', 'c'))
    walked = legs(schedule, 401)[1:]
    assert walked.count('') / 400 == pytest.approx(share, abs=0.01)
    paths = [shape for shape in walked if shape]
    assert paths == [('a', 'b', 'c')[k % 3] for k in range(len(paths))]
