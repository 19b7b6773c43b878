"""The robot's clock against delays, drift, wrapping, resets."""

import numpy as np
import pytest

from firmware_bridge.robot_clock import DRIFT_LIMIT, SETTLED_AFTER, RobotClock

MICROSECOND = 1e-6


class Robot:
    """A robot whose clock runs `drift` slower than the host's and starts at `start` counts."""

    def __init__(self, drift=0.0, start=0):
        self.drift, self.start = drift, start

    def timestamp(self, host):
        return (self.start + round(host * (1 - self.drift) / MICROSECOND)) % 2**32


def feed(clock, robot, seconds, delays, begin=0.0, period=0.1):
    """Let requests reach the robot 5 ms after they were sent or later, by `delays`; return the last time of sending."""
    count = round(seconds / period)
    for sent, delay in zip(begin + period * np.arange(count), delays(count), strict=True):
        clock.observe(robot.timestamp(sent + 0.005 + delay), sent + 0.005, sent + 0.017 + delay)
    return begin + seconds - period


def jitter(count):
    """Radio retries: every third request is late, by up to 20 ms."""
    rng = np.random.default_rng(0)
    return rng.uniform(0, 0.02, count) * (rng.random(count) < 0.3)


def test_it_knows_nothing_before_the_first_reply():
    clock = RobotClock(MICROSECOND)
    assert clock.sampled(5) is None
    assert clock.head_start(5, 1.0) == clock.lead(5, 1.0) == 0.0
    assert not clock.settled


def test_delays_do_not_show_in_the_time_of_sampling():
    clock, robot = RobotClock(MICROSECOND), Robot()
    feed(clock, robot, 5.0, jitter)
    assert clock.settled
    assert clock.sampled(robot.timestamp(7.0)) == pytest.approx(7.0, abs=1e-5)


def test_it_settles_with_the_number_of_replies():
    clock, robot = RobotClock(MICROSECOND), Robot()
    feed(clock, robot, 0.1 * (SETTLED_AFTER - 1), jitter)
    assert not clock.settled
    clock.observe(robot.timestamp(9.0), 9.0, 9.01)
    assert clock.settled


@pytest.mark.parametrize('drift', [-200e-6, 50e-6])
def test_drift_is_found_among_the_delays(drift):
    clock, robot = RobotClock(MICROSECOND), Robot(drift)
    feed(clock, robot, 60.0, jitter)
    assert clock.drift == pytest.approx(drift, abs=5e-6)
    assert clock.sampled(robot.timestamp(60.5)) == pytest.approx(60.5, abs=2e-4)


def test_a_clock_of_another_scale_is_not_trusted_with_stamps():
    clock, robot = RobotClock(MICROSECOND), Robot(3 * DRIFT_LIMIT)
    feed(clock, robot, 20.0, np.zeros)
    assert not clock.settled


def test_the_counter_may_wrap():
    clock, robot = RobotClock(MICROSECOND), Robot(start=2**32 - 2_000_000)
    last = feed(clock, robot, 5.0, jitter)
    assert clock.sampled(robot.timestamp(last)) == pytest.approx(last, abs=1e-5)
    assert clock.sampled(robot.timestamp(0.5)) == pytest.approx(0.5, abs=1e-5), 'a stale one lies in the past'


def test_what_was_sampled_before_it_was_asked_or_after_it_came_is_told():
    clock, robot = RobotClock(MICROSECOND), Robot()
    reached = feed(clock, robot, 1.0, np.zeros) + 0.105
    assert clock.head_start(robot.timestamp(reached), reached) == pytest.approx(0.0, abs=1e-5)
    assert clock.head_start(robot.timestamp(reached - 0.08), reached) == pytest.approx(0.08, abs=1e-5)
    assert clock.head_start(robot.timestamp(reached + 0.02), reached) == 0.0
    assert clock.lead(robot.timestamp(reached + 0.02), reached + 0.01) == pytest.approx(0.01, abs=1e-5)
    assert clock.lead(robot.timestamp(reached), reached + 0.01) == 0.0


def test_a_robot_that_starts_anew_is_mapped_anew():
    clock = RobotClock(MICROSECOND)
    feed(clock, Robot(start=900_000_000), 5.0, jitter)
    clock.restart()
    assert not clock.settled
    robot = Robot()
    feed(clock, robot, 5.0, jitter, begin=100.0)
    assert clock.sampled(robot.timestamp(105.0)) == pytest.approx(105.0, abs=1e-5)


def test_a_clock_that_stands_still_does_no_harm():
    clock = RobotClock(MICROSECOND)
    for sent in np.arange(0.0, 30.0, 0.1):
        clock.observe(7, sent, sent + 0.01)
    assert not clock.settled
