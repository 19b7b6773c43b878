import pytest

from millirobot_adapt.core.planning.optimize import Deadline, first_batches, unlimited


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def batches_started(durations, budget):
    """Work through batches that take `durations` [s] until the deadline says no; return how many were started."""
    clock = Clock()
    go_on = Deadline(clock, clock.now + budget)
    for done, duration in enumerate(durations):
        if not go_on(done):
            return done
        clock.now += duration
    return len(durations)


@pytest.mark.parametrize(
    ('durations', 'budget', 'begun'),
    [
        ([0.02] * 4, 0.09, 4),  # in time
        ([0.02] * 4, 0.07, 3),  # the fourth would end at 80 ms
        ([0.02] * 4, 0.01, 1),  # nobody knew how slow the first would be
        ([0.01, 0.05, 0.01, 0.01], 0.10, 2),  # the slowest so far is what the next is expected to take
        ([0.02] * 4, 0.0, 0),  # adaptation took it all
        ([0.02] * 4, -0.5, 0),  # the state came after the deadline
    ],
)
def test_a_batch_is_started_only_if_it_would_end_in_time(durations, budget, begun):
    assert batches_started(durations, budget) == begun


def test_a_count_of_batches_and_no_limit():
    assert [first_batches(2)(done) for done in range(4)] == [True, True, False, False]
    assert all(unlimited(done) for done in range(100))
