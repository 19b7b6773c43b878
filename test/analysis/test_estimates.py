"""Estimating again from arrival records: records that come twice, that are missing, and estimators that restart."""

import numpy as np

from millirobot_adapt.analysis.replay.estimates import answers
from millirobot_adapt.contract.arrival_record import ArrivalLog
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry


def walk(begin, replies=8):
    """Return the arrival records of an estimator that sees a robot walk along x."""
    log, records = ArrivalLog(), []
    for k in range(10 * replies):
        stamp = begin + 0.01 * k
        log.pose(PoseSample(stamp, np.array([0.003 * k, 1e-4 * (k % 3), 0.03]), np.array([0.0, 0.0, 0.0, 1.0])))
        if k % 10 == 9:
            none = np.zeros(2)
            records.append(log.reply(Telemetry(stamp, none, none, np.zeros(3), np.zeros(3), none, 4.0)))
    return records


def again(records):
    return list(answers(records, lambda: make_estimator(EstimatorConfig(), RobotConfig())))


def same(one, other):
    return len(one) == len(other) and all(
        np.array_equal(left.state, right.state) for left, right in zip(one, other, strict=True)
    )


def test_every_reply_is_answered_from_the_first_pose_on():
    found = again(walk(100.0))
    assert len(found) == 8
    assert all(answer.certain and answer.odometry is not None for answer in found)
    assert found[-1].state[0] == np.float64(found[-1].odometry.pose.pose.position.x)


def test_records_that_a_split_bag_holds_twice_count_once():
    records = walk(100.0)
    assert same(again([*records[:5], *records[2:5], *records[5:]]), again(records))


def test_after_a_missing_record_nothing_is_certain_until_an_estimator_begins_anew():
    first, second = walk(100.0), walk(200.0)
    found = again([*first[:3], *first[4:], *second])
    assert [answer.certain for answer in found] == [True] * 3 + [False] * 4 + [True] * 8
    assert same(found[7:], again(second))


def test_a_bag_that_begins_late_is_not_certain():
    assert not any(answer.certain for answer in again(walk(100.0)[2:]))
