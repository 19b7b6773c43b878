"""Bags that others made, and bags that something happened to: what is readable is used, the rest is one clear line."""

import random
import sqlite3

import pytest
import yaml
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from millirobot_adapt.contract.topics import LEGS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.metadata import METADATA
from millirobot_adapt.recording.names import full_names
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.writer import BagWriter

START = 1_700_000_000.0
COUNT = 400
ALL = [float(i) for i in range(COUNT)]


def legs_data(i):
    return bytes(typestore().serialize_cdr(stored_messages.joint_state(START + i, [i, -i]), LEGS.type))


def write_with_rosbags(folder, plugin, mode=None, count=COUNT):
    writer = Writer(folder, version=9, storage_plugin=plugin)
    if mode is not None:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection('/legs', LEGS.type, typestore=typestore())
        for i in range(count):
            writer.write(connection, int((START + i) * 1e9), legs_data(i))
    return folder


def read(path, namespace=None):
    warnings = []
    bag = open_bag(path, warnings.append, namespace)
    return [message.velocity[0] for _, message, _ in bag.messages([LEGS])], warnings


def read_or_refuse(path):
    """Whatever happens is values and warnings, or one line."""
    try:
        return read(path)
    except UserError as error:
        return [], [str(error)]


@pytest.fixture(scope='module')
def database(tmp_path_factory):
    (file,) = write_with_rosbags(tmp_path_factory.mktemp('made') / 'bag', StoragePlugin.SQLITE3).glob('*.db3')
    return file.read_bytes()


@pytest.mark.parametrize('seed', range(30))
def test_a_sqlite_bag_cut_anywhere_gives_what_is_left_of_it(tmp_path, database, seed):
    cut = random.Random(seed).randrange(len(database))
    file = tmp_path / 'bag.db3'
    file.write_bytes(database[:cut])
    values, warnings = read_or_refuse(file)
    assert set(values) <= set(ALL)
    assert warnings
    left = sum(legs_data(i) in database[: cut // 4096 * 4096] for i in range(COUNT))
    assert len(values) == left
    assert file.read_bytes() == database[:cut], 'reading changes nothing'


@pytest.mark.parametrize('seed', range(20))
def test_a_sqlite_bag_with_a_damaged_page_is_read_without_a_traceback(tmp_path, database, seed):
    generator = random.Random(seed)
    page = generator.randrange(1, len(database) // 4096) * 4096
    file = tmp_path / 'bag.db3'
    file.write_bytes(database[:page] + generator.randbytes(4096) + database[page + 4096 :])
    values, _ = read_or_refuse(file)
    assert set(values) <= set(ALL)
    assert len(values) > COUNT / 2 or page < 10 * 4096


def test_what_a_killed_recorder_left_in_the_log_of_sqlite_is_read(tmp_path):
    folder = write_with_rosbags(tmp_path / 'made', StoragePlugin.SQLITE3, count=5)
    (file,) = folder.glob('*.db3')
    writer = sqlite3.connect(file)
    writer.execute('PRAGMA journal_mode = WAL')
    writer.execute('PRAGMA wal_autocheckpoint = 0')
    writer.execute('INSERT INTO messages (topic_id, timestamp, data) VALUES (1, ?, ?)', (int(2e18), legs_data(5)))
    writer.commit()
    (tmp_path / 'killed').mkdir()
    for part in folder.glob('*.db3*'):
        (tmp_path / 'killed' / part.name).write_bytes(part.read_bytes())
    writer.close()
    assert read(tmp_path / 'killed') == ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [])


@pytest.mark.parametrize('kind', [CompressionType.NONE, CompressionType.LZ4, CompressionType.ZSTD])
def test_chunks_are_read_however_they_are_compressed(tmp_path, kind):
    file = tmp_path / 'bag.mcap'
    with file.open('wb') as stream:
        writer = McapWriter(stream, compression=kind, chunk_size=2000)
        writer.start(profile='ros2')
        schema = writer.register_schema(LEGS.type, 'ros2msg', b'')
        channel = writer.register_channel('/legs', 'cdr', schema)
        for i in range(COUNT):
            writer.add_message(channel, int((START + i) * 1e9), legs_data(i), int((START + i) * 1e9))
        writer.finish()
    assert read(file) == (ALL, [])


@pytest.mark.parametrize('plugin', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_messages_compressed_one_by_one_are_read(tmp_path, plugin):
    assert read(write_with_rosbags(tmp_path / 'bag', plugin, CompressionMode.MESSAGE)) == (ALL, [])


@pytest.mark.parametrize('plugin', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_files_compressed_as_a_whole_are_read(tmp_path, plugin):
    assert read(write_with_rosbags(tmp_path / 'bag', plugin, CompressionMode.FILE)) == (ALL, [])


def write_chunks(folder, count=100):
    with BagWriter(folder) as bag:
        for i in range(count):
            bag.write_message('/legs', stored_messages.joint_state(START + i, [i, -i]), START + i)
            if i % 10 == 9:
                bag.flush()
    return folder / f'{folder.name}_0.mcap'


def chunk_offsets(content):
    """Offsets at which the chunks of an MCAP file begin (opcode 6), by walking over its records."""
    offset, found = 8, []
    while offset < len(content) - 8:
        if content[offset] == 6:
            found.append(offset)
        offset += 9 + int.from_bytes(content[offset + 1 : offset + 9], 'little')
    return found


@pytest.mark.parametrize('chunk', [0, 3, 9])
def test_a_damaged_chunk_is_passed_over(tmp_path, chunk):
    file = write_chunks(tmp_path / 'bag')
    content = bytearray(file.read_bytes())
    content[chunk_offsets(content)[chunk] + 60] ^= 0xFF
    file.write_bytes(content)
    values, warnings = read(file)
    assert values == [float(i) for i in range(100) if i // 10 != chunk]
    assert ['damaged chunk of 9.0 s' in line for line in warnings] == [True]


def name_in_metadata(folder, path):
    content = yaml.safe_load((folder / METADATA).read_text())
    content['rosbag2_bagfile_information']['relative_file_paths'] = [path]
    (folder / METADATA).write_text(yaml.safe_dump(content))


@pytest.mark.parametrize('place', ['/home/lab/', '../', 'a/../../', 'C:\\bags\\', '..\\'])
def test_of_a_path_out_of_the_bag_only_the_name_counts(tmp_path, place):
    name = write_chunks(tmp_path / 'bag').name
    name_in_metadata(tmp_path / 'bag', place + name)
    values, told = read(tmp_path / 'bag')
    assert values == [float(i) for i in range(100)]
    assert [line for line in told if f'names files in other folders ({place + name})' in line]


@pytest.mark.parametrize('place', ['/', '../', '..\\'])
def test_nothing_outside_the_bag_is_read(tmp_path, place):
    write_chunks(tmp_path / 'bag')
    outside = write_chunks(tmp_path / 'other').rename(tmp_path / 'outside.mcap')
    name_in_metadata(tmp_path / 'bag', f'{tmp_path}/outside.mcap' if place == '/' else place + outside.name)
    values, told = read(tmp_path / 'bag')
    assert values == [float(i) for i in range(100)]
    assert [line for line in told if 'outside.mcap: is named in metadata.yaml, but is missing' in line]


@pytest.mark.parametrize('topic', ['/legs', 'legs', 'robot1/legs'])
@pytest.mark.parametrize('kind', ['sensor_msgs/msg/JointState', 'sensor_msgs/JointState'])
def test_topics_and_types_as_other_recorders_spell_them(tmp_path, topic, kind):
    file = tmp_path / 'bag.mcap'
    with file.open('wb') as stream:
        writer = McapWriter(stream)
        writer.start(profile='ros2')
        channel = writer.register_channel(topic, 'cdr', writer.register_schema(kind, 'ros2msg', b''))
        for i in range(COUNT):
            writer.add_message(channel, int((START + i) * 1e9), legs_data(i), int((START + i) * 1e9))
        writer.finish()
    assert read(file) == (ALL, [])


@pytest.mark.parametrize(
    'text', ['', '[', 'a: 1', 'rosbag2_bagfile_information: {version: 9}', '\0', '!!python/name:os.system']
)
def test_metadata_that_makes_no_sense_is_done_without(tmp_path, text):
    write_chunks(tmp_path / 'bag')
    (tmp_path / 'bag' / METADATA).write_text(text)
    assert read(tmp_path / 'bag') == ([float(i) for i in range(100)], [])


def test_two_files_without_metadata_are_read_as_one_and_told_of(tmp_path):
    (tmp_path / 'both').mkdir()
    for number, name in enumerate(('one', 'two')):
        with BagWriter(tmp_path / name) as bag:
            stamp = START + 100 * number
            bag.write_message('/legs', stored_messages.joint_state(stamp, [number, 0]), stamp)
        (tmp_path / name / f'{name}_0.mcap').rename(tmp_path / 'both' / f'{name}.mcap')
    values, warnings = read(tmp_path / 'both')
    assert values == [0.0, 1.0]
    assert ['one.mcap, two.mcap' in line for line in warnings] == [True]


def write_two_robots(folder):
    with BagWriter(folder, full_names([LEGS], 'a') | full_names([LEGS], 'b')) as bag:
        for number, name in enumerate(('/a/legs', '/b/legs')):
            bag.write_message(name, stored_messages.joint_state(START, [number, 0]), START)
    return folder


def test_one_of_two_robots_is_chosen_by_its_namespace(tmp_path):
    bag = write_two_robots(tmp_path / 'bag')
    assert read(bag, 'a')[0] == [0.0]
    assert read(bag, '/b/')[0] == [1.0]
    with pytest.raises(UserError, match="holds no robot ''; it holds a, b"):
        read(bag, '')
    with pytest.raises(UserError, match='--namespace'):
        read(bag)


def test_messages_that_never_came_are_counted_by_their_numbers(tmp_path):
    with BagWriter(tmp_path / 'bag') as writer:
        for topic, numbers in (('/legs', [3, 4, 7, 8, 1, 2]), ('/sent', [0, 0, 0]), ('/diagnostics', [1, 9, 5, 7])):
            for sequence in numbers:
                writer.write(topic, b'', int(START * 1e9), sequence=sequence)
    bag = open_bag(tmp_path / 'bag')
    assert len(list(bag.raw_messages())) == 13
    assert bag.losses.lost == {'/legs': 2, '/diagnostics': 5}
