"""Arrival records: what an estimator took comes back number for number, and so does what it answered."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.contract.arrival_record import MOST_POSES, ArrivalLog, ArrivalRecord, feed
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import Arrival, PoseSample, Telemetry

numbers = st.floats(allow_nan=True, allow_infinity=True)


def pose(stamp, values):
    return PoseSample(stamp, np.array(values[:3]), np.array(values[3:]))


def reply(stamp, values):
    parts = np.split(np.array(values), [2, 4, 7, 10, 12])
    return Telemetry(stamp, *parts[:5], float(values[12]))


@given(
    st.lists(st.tuples(numbers, st.lists(numbers, min_size=7, max_size=7)), max_size=5),
    st.none() | st.tuples(numbers, st.lists(numbers, min_size=13, max_size=13)),
)
def test_a_record_comes_back_bit_for_bit(poses, telemetry):
    record = ArrivalRecord(3, tuple(pose(*each) for each in poses), None if telemetry is None else reply(*telemetry))
    data = record.encode()
    again = ArrivalRecord.decode(data)
    np.testing.assert_array_equal(again.encode(), data)
    assert (again.number, len(again.poses), again.telemetry is None) == (3, len(poses), telemetry is None)


def test_the_numbers_keep_their_places():
    record = ArrivalRecord(0, (pose(1.5, np.arange(7.0)),), reply(1.6, np.arange(13.0)))
    again = ArrivalRecord.decode(record.encode())
    np.testing.assert_array_equal(again.poses[0].quaternion, [3, 4, 5, 6])
    assert again.telemetry.stamp == 1.6
    np.testing.assert_array_equal(again.telemetry.angular_velocity, [4, 5, 6])
    np.testing.assert_array_equal(again.telemetry.joint_effort, [10, 11])
    assert again.telemetry.battery == 12


@pytest.mark.parametrize(
    'spoil',
    [
        lambda data: data[:2],
        lambda data: data[:-1],
        lambda data: np.append(data, 0.0),
        lambda data: np.concatenate([[99.0], data[1:]]),
        lambda data: np.concatenate([data[:3], [2.0], data[4:]]),
        lambda data: np.concatenate([data[:2], [np.nan], data[3:]]),
        lambda data: np.concatenate([data[:1], [np.inf], data[2:]]),
    ],
)
def test_what_is_no_record_is_refused(spoil):
    data = ArrivalRecord(0, (pose(1.5, np.arange(7.0)),), reply(1.6, np.arange(13.0))).encode()
    with pytest.raises(ValueError, match='arrival record'):
        ArrivalRecord.decode(spoil(data))


def test_a_record_of_the_first_version_is_read():
    data = np.array([1.0, 5.0, 1.0, 1.0, *np.arange(8.0), *np.arange(20.0, 34.0)])
    record = ArrivalRecord.decode(data)
    assert (record.version, record.number) == (1, 5)
    np.testing.assert_array_equal(record.poses[0].quaternion, [4, 5, 6, 7])
    assert (record.poses[0].arrival, record.poses[0].in_world, record.telemetry.arrival) == (None, True, None)
    assert (record.telemetry.battery, record.telemetry.index) == (33.0, 0)


def test_arrivals_frames_and_the_index_come_back():
    marked = replace(pose(1.5, np.arange(7.0)), arrival=Arrival(1.6, 0.5), in_world=False)
    answered = replace(reply(1.7, np.arange(13.0)), index=77, arrival=Arrival(1.8, 0.7))
    again = ArrivalRecord.decode(ArrivalRecord(0, (marked,), answered).encode())
    assert (again.poses[0].arrival, again.poses[0].in_world) == (Arrival(1.6, 0.5), False)
    assert (again.telemetry.index, again.telemetry.arrival) == (77, Arrival(1.8, 0.7))


def test_a_log_counts_records_and_does_not_grow_without_replies():
    log = ArrivalLog()
    records = [log.pose(pose(0.01 * k, np.ones(7))) for k in range(2 * MOST_POSES)]
    written = [record for record in records if record is not None]
    assert [(record.number, len(record.poses)) for record in written] == [(0, MOST_POSES), (1, MOST_POSES)]
    last = log.reply(reply(10.0, np.ones(13)))
    assert (last.number, last.poses) == (2, ())


def test_an_estimator_answers_its_records_as_it_answered_the_arrivals():
    live, again = (make_estimator(EstimatorConfig(), RobotConfig()) for _ in range(2))
    rng, log, records, answers = generator(3), ArrivalLog(), [], []
    for k in range(100):
        # Late, repeated and shuffled stamps: what the order of arrival decides.
        values = np.array([0.002 * k, 0, 0, 0, 0, 0, 1]) + rng.normal(0, 1e-4, 7)
        sample = pose(100.0 + 0.01 * (k + rng.integers(-2, 3)), values)
        live.on_pose(sample)
        log.pose(sample)
        if k % 10 == 9:
            telemetry = reply(100.0 + 0.01 * k, rng.normal(0, 0.05, 13))
            live.on_telemetry(telemetry)
            answers.append(live.estimate(telemetry.stamp))
            records.append(ArrivalRecord.decode(log.reply(telemetry).encode()))
    for record, answer in zip(records, answers, strict=True):
        found, _ = feed(again, record)
        for name, value in vars(answer).items():
            np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)
