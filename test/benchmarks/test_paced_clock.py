"""The clock of a link in real time, beside a body that cannot keep up."""

from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.benchmarks.link.paced_clock import PacedClock
from millirobot_adapt.sim.realtime import OWN_CLOCK_LAG


def test_while_the_body_keeps_up_it_is_the_time_that_passes():
    now, lived = [100.0], [0.0]
    clock = PacedClock(lambda: lived[0], lambda: now[0])
    for _ in range(10):
        now[0] += 0.01
        assert abs(clock.steady() - (now[0] - 100.0)) < 1e-9
        lived[0] = clock.steady()


@given(st.lists(st.floats(0.1, 20.0), min_size=1, max_size=30))
def test_a_body_slower_than_real_time_is_waited_for(slowness):
    """Each turn the body lives up to the clock, at so many seconds a second: without end, where nothing were let go."""
    now, lived, before = [0.0], [0.0], 0.0
    clock = PacedClock(lambda: lived[0], lambda: now[0])
    for slow in slowness:
        now[0] += 0.001
        told = clock.steady()
        assert before <= told <= lived[0] + OWN_CLOCK_LAG + 1e-9
        now[0] += slow * (told - lived[0])
        before = lived[0] = told
    assert now[0] <= len(slowness) * (0.001 + 20.0 * (OWN_CLOCK_LAG + 1e-6))
