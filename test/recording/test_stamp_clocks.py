"""Bags whose stamps come from other clocks: simulated time, time since boot, another host, a clock that is set.

The bag holds what another recorder would keep of the robot: poses, telemetry and what was sent.
"""

import copy
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from millirobot_adapt.contract.topics import BACK_EMF, BATTERY, IMU, LEGS, MOCAP_POSE, SENT, TICK
from millirobot_adapt.recording.names import full_names
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.stamp_clocks import set_stamp, stamp_of
from millirobot_adapt.recording.writer import BagWriter

GOOD = Path(__file__).resolve().parents[1] / 'data' / 'bags' / 'good'
TELEMETRY = (LEGS, IMU, BATTERY, BACK_EMF)
TOPICS = (MOCAP_POSE, *TELEMETRY, SENT)
EVERY = {topic.name for topic in TOPICS}
REPLY = {topic.name for topic in TELEMETRY}
POSE = {MOCAP_POSE.name}
SECOND = 1_000_000_000
HOUR = 3600 * SECOND
SET_AT = 5 * SECOND
"""When a clock is set, after the first message [ns]."""


@cache
def recorded():
    """Topic, message, time of receipt [ns]: eight seconds from the walk's start on."""
    found = [(name, message, round(at * 1e9)) for name, message, at in open_bag(GOOD).messages(TOPICS)]
    walks = next(at for name, _, at in found if name == LEGS.name)
    return [each for each in found if walks <= each[2] < walks + 8 * SECOND]


def write(folder, names, change, receipt=lambda at, after: at):
    """Write the bag with `change(stamp, after)` for the stamps of some topics; `after` the time since its start."""
    start = recorded()[0][2]
    with BagWriter(folder, full_names(TOPICS)) as writer:
        for name, message, at in recorded():
            if name in names:
                message = copy.deepcopy(message)
                set_stamp(message, name, change(stamp_of(message, name), at - start))
            data = bytes(typestore().serialize_cdr(message, next(t.type for t in TOPICS if t.name == name)))
            writer.write(f'/{name}', data, receipt(at, at - start))
    return folder


def read(folder, **options):
    """Stamps by topic [s], and the lines that were printed."""
    lines, stamps = [], {}
    for name, message, _ in open_bag(folder, lines.append).messages(TOPICS, **options):
        stamps.setdefault(name, []).append(stamp_of(message, name) * 1e-9)
    return {name: np.array(values) for name, values in stamps.items()}, lines


@cache
def right():
    stamps = {}
    for name, message, _ in recorded():
        stamps.setdefault(name, []).append(stamp_of(message, name) * 1e-9)
    return {name: np.array(values) for name, values in stamps.items()}


def largest_error(stamps):
    """How far stamps are from those of the recording, where a common shift of all is none [s]."""
    assert {name: len(values) for name, values in stamps.items()} == {name: len(v) for name, v in right().items()}
    every = np.concatenate([stamps[name] - values for name, values in right().items()])
    return float(np.abs(every - np.median(every)).max())


LATENCY = 0.05
"""An offset is found by the times of receipt, so it holds the smallest latency of the topic [s]."""


def since_start():
    return SECOND - recorded()[0][2]


def since_boot():
    return 5000 * SECOND - recorded()[0][2]


def test_one_clock_for_all_changes_nothing(tmp_path):
    stamps, lines = read(write(tmp_path / 'bag', set(), None))
    assert lines == []
    assert all(np.array_equal(stamps[name], values) for name, values in right().items())


@pytest.mark.parametrize(
    ('names', 'offset', 'said'),
    [
        (EVERY, since_start, 's behind the recorder'),
        (POSE, since_boot, 's behind the recorder'),
        (POSE, 2 * HOUR, '7200.0 s ahead of the recorder'),
        (POSE, 30 * SECOND, '30.0 s ahead of the recorder'),
        (REPLY, -3 * HOUR, '10800.0 s behind the recorder'),
        (REPLY | {SENT.name}, -3 * HOUR, '10800.0 s behind the recorder'),
        ({SENT.name}, -3 * HOUR, '10800.0 s behind the recorder'),
    ],
    ids=['all simulated', 'poses since boot', 'poses 2 h', 'poses 30 s', 'replies 3 h', 'robot 3 h', 'sent 3 h'],
)
def test_stamps_of_another_clock_are_brought_to_the_recorders_and_named(tmp_path, names, offset, said):
    by = offset() if callable(offset) else offset
    bag = write(tmp_path / 'bag', names, lambda stamp, _: stamp + by)
    stamps, lines = read(bag)
    (line,) = lines
    assert said in line
    assert set(line.split(': ')[1].split(', ')) == names
    assert largest_error(stamps) < LATENCY
    as_recorded, lines = read(bag, own_stamps=True)
    assert all('left as they are' in line for line in lines)
    name = next(iter(names))
    np.testing.assert_allclose(as_recorded[name], right()[name] + by * 1e-9, atol=1e-6)


def test_parts_of_a_reply_keep_equal_stamps(tmp_path):
    stamps, _ = read(write(tmp_path / 'bag', REPLY, lambda stamp, _: stamp - 3 * HOUR))
    for name in REPLY:
        np.testing.assert_allclose(stamps[name], stamps[LEGS.name], rtol=0, atol=5e-7)


@pytest.mark.parametrize(('names', 'step'), [(EVERY, HOUR), (POSE, HOUR), (REPLY, -HOUR), (EVERY, 3 * SECOND)])
def test_a_publishers_clock_that_is_set_on_the_way_is_named_and_its_stamps_go_on(tmp_path, names, step):
    bag = write(tmp_path / 'bag', names, lambda stamp, after: stamp - step * (after >= SET_AT))
    stamps, lines = read(bag)
    (line,) = lines
    way = 'back' if step > 0 else 'forward'
    assert f'was set {way} by {abs(step) / SECOND:.1f} s, ' in line
    assert float(re.search(r'([\d.]+) s after the first', line)[1]) == pytest.approx(5.0, abs=0.2)
    assert largest_error(stamps) < LATENCY


@pytest.mark.parametrize('step', [3 * SECOND, HOUR])
def test_the_clock_of_recorder_and_publishers_may_be_set_back(tmp_path, step):
    bag = write(
        tmp_path / 'bag',
        EVERY,
        lambda stamp, after: stamp - step * (after >= SET_AT),
        lambda at, after: at - step * (after >= SET_AT),
    )
    stamps, lines = read(bag)
    assert ["recorder's clock was set back" in line for line in lines] == [True, False]
    assert 'the clock of the stamps was set back' in lines[1]
    assert largest_error(stamps) < LATENCY


def test_a_gap_of_an_hour_is_no_step(tmp_path):
    bag = write(
        tmp_path / 'bag',
        EVERY,
        lambda stamp, after: stamp + HOUR * (after >= SET_AT),
        lambda at, after: at + HOUR * (after >= SET_AT),
    )
    stamps, lines = read(bag)
    assert lines == []
    assert np.diff(stamps[LEGS.name]).max() == pytest.approx(3600.0, abs=0.5)


@pytest.mark.parametrize(
    'receipt', [lambda at, after: 0, lambda at, after: at // SECOND, lambda at, after: at - after + after // 4],
    ids=['all 0', 'seconds taken for nanoseconds', 'a quarter of the rate'],
)  # fmt: skip
def test_times_of_receipt_that_do_not_go_on_are_named_and_cost_no_message(tmp_path, receipt):
    stamps, lines = read(write(tmp_path / 'bag', set(), None, receipt), own_stamps=True)
    assert {name: len(values) for name, values in stamps.items()} == {
        name: sum(each[0] == name for each in recorded()) for name in EVERY
    }
    (line,) = [line for line in lines if 'went on by' in line]
    passed, by_receipt = map(float, re.search(r'by (\S+) s and .* by (\S+) s;', line).groups())
    assert passed == pytest.approx(8.0, abs=0.5)
    assert by_receipt < 0.3 * passed


def test_a_stall_of_the_network_is_no_step(tmp_path):
    """All messages of three seconds are received at their end."""

    def late(at, after):
        return at - after + 6 * SECOND + after // 1000 if 3 * SECOND <= after < 6 * SECOND else at

    stamps, lines = read(write(tmp_path / 'bag', set(), None, late))
    assert lines == []
    assert all(np.array_equal(np.sort(stamps[name]), np.sort(values)) for name, values in right().items())


def test_poses_without_stamps_take_the_time_of_receipt(tmp_path):
    stamps, lines = read(write(tmp_path / 'bag', POSE, lambda *_: 0))
    count = len(right()[MOCAP_POSE.name])
    (line,) = lines
    assert line.endswith(f'mocap/pose: {count} of {count} stamps are 0; the time of receipt is used instead')
    assert largest_error(stamps) < 0.1


def test_parts_of_a_reply_without_stamps_are_named(tmp_path):
    stamps, lines = read(write(tmp_path / 'bag', {IMU.name}, lambda *_: 0))
    assert ['imu/data_raw' in line and 'they are left so' in line for line in lines] == [True]
    assert not stamps[IMU.name].any()


def test_one_wrong_stamp_is_left_to_the_estimator(tmp_path):
    wrong = []

    def once(stamp, after):
        if after > SET_AT and not wrong:
            wrong.append(stamp)
            return stamp + 50 * SECOND
        return stamp

    stamps, lines = read(write(tmp_path / 'bag', POSE, once))
    assert lines == []
    assert (np.abs(stamps[MOCAP_POSE.name] - right()[MOCAP_POSE.name]) > 1).sum() == 1


def test_stamps_of_our_own_runs_stay_for_their_records_name_them(tmp_path):
    folder = tmp_path / 'bag'
    with BagWriter(folder) as writer:
        for raw in open_bag(GOOD).raw_messages():
            if raw.channel.topic == f'/{MOCAP_POSE.name}':
                message = typestore().deserialize_cdr(raw.data, raw.channel.type)
                set_stamp(message, MOCAP_POSE.name, stamp_of(message, MOCAP_POSE.name) + HOUR)
                raw = raw._replace(data=bytes(typestore().serialize_cdr(message, raw.channel.type)))
            if raw.channel.topic in ('/mocap/pose', f'/{TICK.name}'):
                writer.write(raw.channel.topic, raw.data, raw.received)
    stamps, lines = read(folder)
    (line,) = lines
    assert line.endswith("mocap/pose: stamps are 3600.0 s ahead of the recorder's clock; they are left as they are")
    (name,) = stamps
    whole = [stamp_of(m, name) * 1e-9 for _, m, _ in open_bag(GOOD).messages([MOCAP_POSE])]
    np.testing.assert_allclose(stamps[name], np.array(whole) + 3600.0, atol=1e-6)
