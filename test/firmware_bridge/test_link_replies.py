"""Which replies count."""

import dataclasses

import pytest

from firmware_bridge.packets import TelemetryReply
from firmware_bridge.replies import ReplyChecker, Request, RobotRestarted
from millirobot_adapt.core.robot.description import RobotConfig

WALK = (262, 328)


class Robot:
    """Requests every 0.1 s that are answered at once; time runs with the requests."""

    def __init__(self, index=0, counts=0):
        self.checker = ReplyChecker(RobotConfig(), 25.0)
        self.number = 0
        self.index = index
        self.counts = counts

    def request(self):
        self.number += 1
        sent = 0.1 * self.number
        return Request(WALK, self.number, 1.7e9 + sent, sent, sent + 0.005)

    def reply(self, request, **changes):
        self.index = (self.index + 1) % 2**32
        timestamp = (self.counts + round(1e6 * request.reached)) % 2**32
        reply = TelemetryReply(
            index=self.index, timestamp=timestamp, position=(100 * self.number, 0), command=WALK, duty=(0, 0),
            gyro=(0, 0, 0), accel=(0, 0, 0), back_emf=(0, 0), battery=880,
        )  # fmt: skip
        return dataclasses.replace(reply, **changes)

    def refusal(self, request, reply):
        refusal = self.checker.refusal(reply, request, request.sent + 0.012)
        return None if refusal is None else str(refusal)

    def run(self, count):
        for _ in range(count):
            request = self.request()
            assert self.refusal(request, self.reply(request)) is None


@pytest.fixture
def robot():
    robot = Robot()
    robot.run(5)
    return robot


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'command': (262, 329)}, 'echoes'),
        ({'index': 5}, 'does not follow'),
        ({'position': (10_000_000, 0)}, 'encoder step'),
        ({'battery': 1024}, 'battery'),
        ({'battery': -1}, 'battery'),
        ({'back_emf': (0, -1024)}, 'back-EMF'),
        ({'duty': (4001, 0)}, 'duty'),
        ({'timestamp': 3}, 'before it was asked'),
        ({'timestamp': 1_900_000, 'index': 90}, 'after it came'),
    ],
)
def test_a_reply_that_does_not_fit_is_refused_and_the_next_good_one_counts(robot, changes, reason):
    robot.request()  # lost on its way, so that the index alone proves nothing
    request = robot.request()
    assert reason in robot.refusal(request, robot.reply(request, **changes))
    robot.run(1)


def test_index_and_clock_may_wrap():
    robot = Robot(index=2**32 - 3, counts=2**32 - 250_000)
    robot.run(8)


def test_a_late_answer_to_the_same_command_is_told_by_the_robots_clock(robot):
    unanswered = robot.request()
    late = robot.reply(unanswered)
    request = robot.request()
    assert 'before it was asked' in robot.refusal(request, late)
    assert robot.checker.stale == 1
    assert robot.refusal(request, robot.reply(request)) is None


def test_a_clock_that_jumps_is_followed_where_the_index_proves_that_every_request_was_answered(robot):
    robot.counts -= 70_000  # the robot's clock stood still for 70 ms
    for _ in range(2):
        request = robot.request()
        assert 'before it was asked' in robot.refusal(request, robot.reply(request))
    robot.run(3)


def test_a_request_that_the_radio_repeats_is_not_answered_by_its_first_copy(robot):
    """The robot answers both copies: the index of the second answer is the one that the next request should bring."""
    for _ in range(3):
        request = robot.request()
        twice = [robot.reply(request) for _ in range(2)]
        assert robot.refusal(request, twice[0]) is None
        request = robot.request()
        assert 'before it was asked' in robot.refusal(request, twice[1])
        assert robot.refusal(request, robot.reply(request)) is None
        robot.run(1)


def test_answers_that_come_in_a_bunch_after_a_gap_do_not_pass_for_one_another(robot):
    held_up = [robot.request() for _ in range(3)]
    request = robot.request()
    bunch = [robot.reply(request) for _ in [*held_up, request]]  # the radio lets them through all at once
    assert robot.refusal(request, bunch[0]) is None, 'sampled in time, it tells what is true'
    for late in bunch[1:]:
        request = robot.request()
        assert 'before it was asked' in robot.refusal(request, late)


def test_a_mapping_by_which_replies_come_before_they_are_sampled_is_made_anew(robot):
    robot.counts += 50_000
    robot.run(3)
    assert robot.checker.clock.sampled(robot.counts + 800_000) == pytest.approx(0.8)


def test_a_line_that_is_quicker_than_its_baud_rate_says_is_no_reason_to_doubt_a_reply():
    robot = Robot()
    for _ in range(5):
        request = dataclasses.replace(robot.request(), reached=0.1 * robot.number + 0.02)
        assert (
            robot.checker.refusal(robot.reply(request, timestamp=100_000 * robot.number), request, request.sent) is None
        )
    assert robot.checker.stale == 0


def test_replies_that_stay_late_stay_refused(robot):
    unanswered = robot.request()
    for _ in range(5):
        late = robot.reply(unanswered)
        unanswered = robot.request()
        assert 'before it was asked' in robot.refusal(unanswered, late)


def test_a_robot_that_counts_anew_is_noticed_after_three_replies_that_fit_each_other(robot):
    robot.index, robot.counts = 0, -500_000
    for _ in range(2):
        request = robot.request()
        assert 'does not follow' in robot.refusal(request, robot.reply(request))
    request = robot.request()
    with pytest.raises(RobotRestarted, match='restarted'):
        robot.refusal(request, robot.reply(request))
