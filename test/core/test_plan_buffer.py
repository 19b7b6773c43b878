from dataclasses import replace

import numpy as np
from robots import NX

from millirobot_adapt.core.control.plan_buffer import PlanBuffer
from millirobot_adapt.core.planning.planner_interface import Plan


def plan(first: float, horizon: int = 6) -> Plan:
    actions = np.array([[first + row, first + row] for row in range(horizon)])
    return Plan(actions, np.zeros((horizon + 1, NX)), 0.0, (0.0, 0.0), 1.0, 8, 8, 1)


def test_in_time_the_next_row_goes_out():
    book = PlanBuffer(2, np.zeros(2))
    book.restart(4)
    np.testing.assert_array_equal(book.action(5), [0, 0])
    book.store(4, plan(100))
    np.testing.assert_array_equal(book.action(5), [101, 101])
    assert book.misses(5) == 0


def test_a_missed_deadline_sends_the_next_action_of_the_last_plan_and_several_stop():
    book = PlanBuffer(2, np.zeros(2))
    book.store(4, plan(100))
    np.testing.assert_array_equal(book.action(6), [102, 102])
    assert book.misses(6) == 1
    np.testing.assert_array_equal(book.action(7), [103, 103])
    assert book.action(8) is None
    book.store(7, plan(200))
    np.testing.assert_array_equal(book.action(8), [201, 201])


def test_a_plan_shorter_than_the_misses_allowed_stops_at_its_end():
    book = PlanBuffer(9, np.zeros(2))
    book.store(0, plan(100, horizon=3))
    np.testing.assert_array_equal(book.action(2), [102, 102])
    assert book.action(3) is None


def test_a_late_result_does_not_replace_a_newer_plan():
    book = PlanBuffer(2, np.zeros(2))
    book.store(4, plan(100))
    book.store(3, plan(50))
    np.testing.assert_array_equal(book.action(5), [101, 101])


def test_a_new_run_forgets_the_plan_and_gives_up_when_none_comes():
    book = PlanBuffer(2, np.zeros(2))
    book.store(4, plan(100))
    book.restart(5)
    book.store(4, plan(100))  # the answer to a tick of the run before
    np.testing.assert_array_equal(book.action(6), [0, 0])
    np.testing.assert_array_equal(book.action(8), [0, 0])
    assert book.action(9) is None


def test_it_counts_plans_in_a_row_that_are_not_usable():
    book = PlanBuffer(2, np.zeros(2))
    counts = []
    for tick, cost in enumerate([np.inf, np.inf, 8.0, np.inf]):
        book.store(tick, replace(plan(100), cost=cost))
        counts.append(book.blind)
    assert counts == [1, 2, 0, 1]
    book.restart(5)
    assert book.blind == 0
