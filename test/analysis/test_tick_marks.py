"""Where one run ends and the next begins, by what its ticks remember."""

from types import SimpleNamespace

import numpy as np

from millirobot_adapt.analysis.replay.decisions import TickMarks


def ticks(*rows):
    """Marks of ticks (number, has a state, has a plan to start from, rows of its window, credit [m], misses)."""
    marks = TickMarks()
    for number, state, planned, transitions, credit, misses in rows:
        mask = np.arange(3) < transitions
        marks.add(
            SimpleNamespace(
                tick=number,
                stamp=0.1 * number,
                misses=misses,
                window_mask=mask if state else np.empty(0),
                previous_plan=np.full((2, 2), 0.0 if planned else np.nan),
                credit=credit,
            )
        )
    return [(begin, end, whole) for begin, end, _, whole in marks.runs()]


def test_two_starts_are_two_runs():
    first, later = (1, True, False, 0, 0.0, 0), (2, True, True, 1, 0.0, 0)
    again = (3, True, False, 0, 0.0, 0)
    assert ticks(first, later, again, (4, True, True, 1, 0.0, 0)) == [(0, 2, True), (2, 4, True)]


def test_a_first_plan_that_was_late_begins_no_second_run():
    waiting = (8, False, False, 0, np.nan, 0)
    first, without_plan = (9, True, False, 0, 0.0, 1), (10, True, False, 1, 0.001, 2)
    assert ticks(waiting, first, without_plan, (11, True, True, 2, 0.0, 0)) == [(0, 4, True)]


def test_a_way_walked_tells_that_a_tick_is_not_the_first():
    first = (9, True, False, 0, 0.0, 1)
    assert ticks(first, (10, True, False, 0, 0.002, 2)) == [(0, 2, True)]


def test_a_lost_record_breaks_no_run():
    assert ticks((1, True, False, 0, 0.0, 0), (3, True, False, 2, 0.0, 0)) == [(0, 2, True)]
