"""Bags as files: what is written is what any reader gets, and damage never ends in a traceback."""

import random
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from millirobot_adapt.contract.topics import LEGS, REFERENCE, SENT, TICK, TOPICS, TRUE_LEGS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording import metadata, stored_messages
from millirobot_adapt.recording.names import contract_name, full_names
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import Channel, Raw, typestore
from millirobot_adapt.recording.writer import BagWriter

START = 1_700_000_000.0


def write_legs(folder: Path, count: int = 60, flush_every: int = 10) -> Path:
    """Write `count` JointStates on `legs` and a string nobody asked for, a chunk every `flush_every` messages."""
    with BagWriter(folder) as bag:
        for i in range(count):
            bag.write_message('/legs', stored_messages.joint_state(START + i, [i, -i]), START + i)
            if i % flush_every == flush_every - 1:
                bag.flush()
    return folder


def read_legs(path: Path) -> tuple[list[float], list[str]]:
    warnings: list[str] = []
    return [m.velocity[0] for _, m, _ in open_bag(path, warnings.append).messages()], warnings


def test_a_plain_rosbags_reader_gets_the_bytes_times_and_types_written(tmp_path):
    generator = np.random.default_rng(1)
    written = []
    with BagWriter(tmp_path / 'bag') as bag:
        for i in range(200):
            name = ('/sent', '/tick')[i % 2]
            if name == '/sent':
                message = stored_messages.joint_state(START + i, generator.normal(size=2))
            else:
                message = stored_messages.labelled_array(generator.normal(size=50), 'numbers')
            kind = SENT.type if name == '/sent' else TICK.type
            data = bytes(typestore().serialize_cdr(message, kind))
            written.append((name, kind, int(START * 1e9) + i * 10_000_001, data))
            bag.write(name, data, written[-1][2])
            if i % 37 == 0:
                bag.flush()
    with Reader(tmp_path / 'bag') as reader:
        read = [(c.topic, c.msgtype, time, bytes(data)) for c, time, data in reader.messages()]
        latched = next(c for c in reader.connections if c.topic == '/reference')
        assert latched.ext.offered_qos_profiles[0].durability.name == 'TRANSIENT_LOCAL'
        assert {c.topic for c in reader.connections} == set(full_names())
        assert reader.duration == 199 * 10_000_001 + 1
    assert read == written


def test_the_high_level_reader_decodes_what_was_written(tmp_path):
    write_legs(tmp_path / 'bag')
    with AnyReader([tmp_path / 'bag']) as reader:
        values = [reader.deserialize(data, c.msgtype).velocity[1] for c, _, data in reader.messages()]
    assert values == [-float(i) for i in range(60)]


def test_metadata_counts_messages_and_carries_type_hashes(tmp_path):
    write_legs(tmp_path / 'bag', count=7)
    information = yaml.safe_load((tmp_path / 'bag' / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    topics = {t['topic_metadata']['name']: t for t in information['topics_with_message_count']}
    assert information['message_count'] == topics['/legs']['message_count'] == 7
    assert information['duration']['nanoseconds'] == 6_000_000_000
    assert topics['/legs']['topic_metadata']['type_description_hash'] == typestore().hash_rihs01(LEGS.type)
    assert (tmp_path / 'bag' / information['relative_file_paths'][0]).is_file()


def test_metadata_is_the_same_where_pyyaml_has_no_libyaml(tmp_path, monkeypatch):
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data):
            return True

    write_legs(tmp_path / 'first' / 'bag')
    monkeypatch.setattr(metadata, 'PlainDumper', Plain)
    write_legs(tmp_path / 'second' / 'bag')
    files = [(tmp_path / name / 'bag' / 'metadata.yaml').read_bytes() for name in ('first', 'second')]
    assert files[0] == files[1]


def test_what_was_flushed_survives_a_process_that_never_closed(tmp_path):
    bag = BagWriter(tmp_path / 'bag')
    for i in range(15):
        bag.write_message('/legs', stored_messages.joint_state(START + i, [i, 0]), START + i)
        if i == 9:
            bag.flush()
    assert yaml.safe_load((tmp_path / 'bag' / 'metadata.yaml').read_text())
    values, warnings = read_legs(tmp_path / 'bag')
    assert values == [float(i) for i in range(10)]
    assert [('truncated' in line) for line in warnings] == [True]


def test_our_reader_reads_a_folder_a_file_a_run_folder_and_a_bag_without_metadata(tmp_path):
    run = tmp_path / 'run'
    run.mkdir()
    bag = write_legs(run / 'bag')
    expected = [float(i) for i in range(60)]
    for path in (bag, bag / 'bag_0.mcap', run):
        assert read_legs(path) == (expected, [])
    (bag / 'metadata.yaml').unlink()
    assert read_legs(bag) == (expected, [])


def test_sqlite_bags_of_rosbags_are_read(tmp_path):
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connection = writer.add_connection('/robot/legs', LEGS.type, typestore=typestore())
        for i in range(5):
            data = typestore().serialize_cdr(stored_messages.joint_state(START, [i, 0]), LEGS.type)
            writer.write(connection, int(START * 1e9) + i, data)
    assert read_legs(tmp_path / 'bag') == ([0.0, 1.0, 2.0, 3.0, 4.0], [])


def test_messages_come_in_the_order_of_receipt(tmp_path):
    shuffled = random.Random(3).sample(range(15), 15)
    with BagWriter(tmp_path / 'bag') as bag:
        for i in shuffled:
            bag.write_message('/legs', stored_messages.joint_state(START, [i, 0]), START + 0.1 * i)
    assert read_legs(tmp_path / 'bag')[0] == [float(i) for i in range(15)]


def test_only_the_wanted_topics_are_yielded(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        bag.write_message('/legs', stored_messages.joint_state(START, [1, 1]), START)
        bag.write_message('/sent', stored_messages.joint_state(START, [2, 2]), START)
    assert [name for name, _, _ in open_bag(tmp_path / 'bag').messages([SENT])] == ['sent']


def test_unknown_and_damaged_messages_are_left_out_and_counted(tmp_path):
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        strange = writer.add_connection('/camera', 'lab_msgs/msg/Frame', msgdef='uint8 x', rihs01='RIHS01_0')
        wrong = writer.add_connection('/tick', LEGS.type, typestore=typestore())
        legs = writer.add_connection('/legs', LEGS.type, typestore=typestore())
        good = typestore().serialize_cdr(stored_messages.joint_state(START, [4, 0]), LEGS.type)
        for connection, data in ((strange, b'\0\1\0\0\1'), (wrong, good), (legs, bytes(good)[:20]), (legs, good)):
            writer.write(connection, int(START * 1e9), data)
    warnings: list[str] = []
    bag = open_bag(tmp_path / 'bag', warnings.append)
    assert [m.velocity[0] for _, m, _ in bag.messages()] == [4.0]
    assert bag.unknown == {'lab_msgs/msg/Frame': 1, LEGS.type: 1}
    assert bag.broken == {'/legs': 1}
    assert any('lab_msgs/msg/Frame' in line for line in warnings)


def test_messages_of_another_encoding_are_named_with_it(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        bag.write_message('/legs', stored_messages.joint_state(START, [4, 0]), START)
        bag.write_raw(Raw(Channel('/setpoint', LEGS.type, encoding='json'), b'{}', int(START * 1e9), int(START * 1e9)))
    warnings: list[str] = []
    assert len(list(open_bag(tmp_path / 'bag', warnings.append).messages([LEGS]))) == 1
    assert any(f'1 messages of unknown type left out ({LEGS.type} encoding json)' in line for line in warnings)


@pytest.fixture(scope='module')
def whole(tmp_path_factory) -> bytes:
    return (write_legs(tmp_path_factory.mktemp('whole') / 'bag') / 'bag_0.mcap').read_bytes()


def read_bytes(folder: Path, content: bytes) -> tuple[list[float], list[str]]:
    file = folder / 'bag.mcap'
    file.write_bytes(content)
    try:
        return read_legs(file)
    except UserError as error:
        return [], [str(error)]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_truncated_bag_gives_its_beginning_or_one_clear_error(tmp_path, whole, data):
    values, warnings = read_bytes(tmp_path, whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert values == [float(i) for i in range(len(values))]
    assert len(values) == 60 or warnings


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_bytes_never_give_wrong_values_or_a_traceback(tmp_path, whole, data):
    content = bytearray(whole)
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    values, _ = read_bytes(tmp_path, bytes(content))
    assert set(values) <= {float(i) for i in range(60)}


def test_missing_needed_topics_are_named(tmp_path):
    bag = open_bag(write_legs(tmp_path / 'bag'))
    with pytest.raises(UserError, match='sent, reference'):
        bag.need({'legs'}, (LEGS, SENT, REFERENCE))


def test_topics_are_matched_in_any_namespace_by_their_longest_name():
    for topic in TOPICS:
        for namespace in ('', 'robot1', 'lab/robot1'):
            (full_name,) = full_names([topic], namespace)
            assert contract_name(full_name) == topic.name
    assert contract_name('/robot1/mock/legs') == TRUE_LEGS.name
    assert contract_name('/eggs') is None
    assert contract_name('/nutlegs') is None


def test_a_bag_of_two_robots_is_refused(tmp_path):
    with BagWriter(tmp_path / 'bag', full_names([LEGS], 'a') | full_names([LEGS], 'b')) as bag:
        for name in ('/a/legs', '/b/legs'):
            bag.write_message(name, stored_messages.joint_state(START, [1, 1]), START)
    with pytest.raises(UserError, match='holds 2 robots: a, b; choose one with --namespace'):
        read_legs(tmp_path / 'bag')


def test_an_existing_folder_is_never_overwritten(tmp_path):
    write_legs(tmp_path / 'bag')
    with pytest.raises(UserError, match='exists already'):
        BagWriter(tmp_path / 'bag')
