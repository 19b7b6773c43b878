"""Who may drive at random, and when."""

from __future__ import annotations

import numpy as np
import pytest

from millirobot_adapt.core.control.collector import Collector, CollectorConfig
from millirobot_adapt.core.control.run_state import BridgeNews, NotReadyError
from millirobot_adapt.core.estimation.quality import StateQuality, StateSample
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.safety.causes import HoldCause, StopCause

ROBOT = RobotConfig()


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def standing(x=0.5, y=0.3):
    state = np.zeros(24)
    state[[0, 1, 6, 8, 10]] = x, y, 1.0, 1.0, 1.0
    return state


def sample(stamp, state=None, pose_age=0.01):
    quality = StateQuality(pose_age, 0.001, 0.01, coasting=False)
    return StateSample(0, stamp, standing() if state is None else state, quality)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def collector(clock):
    """One that is ready to start."""
    made = Collector(CollectorConfig(minutes=0.05), ROBOT, clock)
    made.on_state(sample(0.0))
    made.on_bridge(BridgeNews(True))
    return made


def tick(collector, clock, state=None):
    """A control period passes, a state arrives, a tick begins."""
    clock.now += ROBOT.dt
    collector.on_state(sample(clock.now, standing() if state is None else state))
    return collector.begin_tick()


def test_it_stands_until_it_is_started_and_then_stays_inside_the_range(collector, clock):
    assert collector.status.text == 'idle'
    assert tick(collector, clock) is None
    collector.start()
    assert collector.status.text == 'running'
    setpoints = np.array([tick(collector, clock) for _ in range(20)])
    assert (setpoints >= ROBOT.action_low).all()
    assert (setpoints <= ROBOT.action_high).all()
    assert len(np.unique(setpoints[:, 0])) > 2


def test_it_ends_by_itself_with_one_zero(collector, clock):
    collector.start()
    setpoints = [tick(collector, clock) for _ in range(40)]
    walked = [setpoint for setpoint in setpoints if setpoint is not None and setpoint.any()]
    assert len(walked) in (29, 30)  # 3 s
    np.testing.assert_array_equal(setpoints[len(walked)], np.zeros(2))
    assert setpoints[len(walked) + 1 :] == [None] * (39 - len(walked))
    assert collector.status.text == 'finished'


@pytest.mark.parametrize(
    ('event', 'reason'),
    [
        (lambda collector, clock: collector.stop('by the operator', StopCause.OPERATOR), 'stopped: by the operator'),
        (
            lambda collector, clock: collector.on_bridge(BridgeNews(False, 'stopped: fence')),
            'stopped: the bridge disarmed (stopped: fence)',
        ),
        (
            lambda collector, clock: setattr(clock, 'now', clock.now + 0.6),
            'stopped: the newest state is 0.6 s old',
        ),
    ],
)  # fmt: skip
def test_whatever_ends_a_run_asks_for_standstill_at_the_next_tick(collector, clock, event, reason):
    collector.start()
    assert tick(collector, clock).any()
    event(collector, clock)
    np.testing.assert_array_equal(collector.begin_tick(), np.zeros(2))
    assert collector.status.text == reason
    assert collector.begin_tick() is None


def test_a_state_that_is_not_finite_is_none(collector, clock):
    collector.start()
    for _ in range(6):
        last = tick(collector, clock, np.full(24, np.nan))
    assert not np.any(last)
    assert collector.status.text == 'stopped: the newest state is 0.6 s old'


def test_it_says_what_is_missing(clock):
    collector = Collector(CollectorConfig(), ROBOT, clock)
    for prepare, complaint in (
        (lambda: None, 'no state yet'),
        (lambda: collector.on_state(sample(0.0)), 'the bridge is not armed'),
        (lambda: setattr(clock, 'now', clock.now + 2.0), 'the newest state is 2.0 s old'),
    ):
        prepare()
        with pytest.raises(NotReadyError, match=complaint):
            collector.start()
    assert collector.status.text == 'waiting: the newest state is 2.0 s old'
    assert collector.begin_tick() is None


def test_a_second_start_is_refused_and_runs_walk_differently(collector, clock):
    walks = []
    for _ in range(2):
        collector.start()
        with pytest.raises(NotReadyError, match='already running'):
            collector.start()
        walks.append(np.array([tick(collector, clock) for _ in range(20)]))
        collector.stop('by the operator', StopCause.OPERATOR)
        tick(collector, clock)
    assert not np.array_equal(*walks)


@pytest.mark.parametrize(('minutes', 'radius', 'seed'), [(0.05, 1.0, 1), (0.05, 0.3, 0), (0.02, 1.0, 0)])
def test_every_parameter_changes_something(clock, collector, minutes, radius, seed):
    other = Collector(CollectorConfig(minutes=minutes, radius=radius, seed=seed), ROBOT, clock)
    other.on_state(sample(0.0))
    other.on_bridge(BridgeNews(True))
    walks = []
    for one in (collector, other):
        one.start()
    for _ in range(25):
        walks.append(
            [
                np.zeros(2) if one is None else one
                for one in (tick(collector, clock, standing(1.2)), tick(other, clock, standing(1.2)))
            ]
        )
    first, second = np.array(walks).transpose(1, 0, 2)
    assert not np.array_equal(first, second)


def test_outside_the_circle_it_turns_home(collector, clock):
    collector.start()
    away = np.array([tick(collector, clock, standing(0.5, 2.0)) for _ in range(20)])  # home is to the right
    assert away[:, 0].mean() > away[:, 1].mean() + 10.0


@pytest.mark.parametrize(
    ('news', 'cause'),
    [
        (BridgeNews(False, 'outside the fence'), StopCause.BRIDGE),
        (BridgeNews(True, taken_by='teleop'), StopCause.OPERATOR),
        (BridgeNews(True, 'the left leg does not follow', hold=HoldCause.LEGS), StopCause.FAULT),
    ],
)
def test_a_bridge_that_is_disarmed_taken_or_held_for_the_legs_ends_the_run(collector, clock, news, cause):
    collector.start()
    tick(collector, clock)
    collector.on_bridge(news)
    assert collector.status.cause is cause
    assert not tick(collector, clock).any()
    assert tick(collector, clock) is None


def test_no_run_starts_while_another_source_drives(collector):
    collector.on_bridge(BridgeNews(True, taken_by='controller'))
    with pytest.raises(NotReadyError, match='controller drives the robot'):
        collector.start()


def test_a_pose_that_is_no_longer_accepted_ends_the_run(collector, clock):
    collector.start()
    tick(collector, clock)
    collector.on_state(sample(clock.now, pose_age=0.6))
    assert not collector.begin_tick().any()
    assert collector.status.text == 'stopped: no accepted pose for 0.6 s'
    assert collector.status.cause is StopCause.FAULT
