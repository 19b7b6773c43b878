"""Repairing: whatever is readable of a damaged bag is in the new one, other tools read it, and nothing is deleted."""

import shutil
import sqlite3

import pytest
from mcap.reader import make_reader
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from millirobot_adapt.app.main import main
from millirobot_adapt.contract.topics import LEGS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.metadata import METADATA
from millirobot_adapt.recording.reader import IncompleteBagError, open_bag
from millirobot_adapt.recording.records import Channel, Raw, typestore
from millirobot_adapt.recording.repair import repair
from millirobot_adapt.recording.writer import BagWriter

START = 1_700_000_000.0


def write_killed(folder, count=50, flush_every=10):
    """A recorder that was killed: nothing finished, the last messages never flushed."""
    bag = BagWriter(folder)
    for i in range(count):
        bag.write_message('/legs', stored_messages.joint_state(START + i, [i, -i]), START + i)
        if i % flush_every == flush_every - 1:
            bag.flush()
    left = {file: file.read_bytes() for file in folder.iterdir()}
    bag.close()
    for file, content in left.items():
        file.write_bytes(content)
    return folder


def write_whole(folder, count=50):
    with BagWriter(folder) as bag:
        for i in range(count):
            bag.write_message('/legs', stored_messages.joint_state(START + i, [i, -i]), START + i)
    return folder


def legs_of(path):
    return [message.velocity[0] for _, message, _ in open_bag(path, lambda _: None).messages([LEGS])]


def others_read(folder):
    with Reader(folder) as reader:
        read = list(reader.messages())
        assert len(read) == reader.message_count
        return [typestore().deserialize_cdr(data, c.msgtype).velocity[0] for c, _, data in read]


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_killed_recorders_bag_takes_its_place_whole_and_the_damaged_one_is_kept(tmp_path):
    bag = write_killed(tmp_path / 'bag', count=47)
    before = content(bag)
    with pytest.raises(Exception, match='magic'):
        others_read(bag)
    repaired = repair(bag)
    assert repaired.bag == bag
    assert others_read(bag) == legs_of(bag) == [float(i) for i in range(40)]
    assert (repaired.messages, repaired.seconds) == (40, 39.0)
    assert repaired.kept == tmp_path / 'bag.damaged'
    assert content(repaired.kept) == before
    assert len(repaired.damage) == 1
    assert repair(bag) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ['bag', 'bag.damaged']


def test_qos_and_types_survive(tmp_path):
    bag = write_killed(tmp_path / 'bag')
    repair(bag)
    with BagWriter(tmp_path / 'fresh') as fresh:
        fresh.write_message('/legs', stored_messages.joint_state(START, [1, 1]), START)
    with Reader(bag) as repaired, Reader(tmp_path / 'fresh') as fresh:
        (ours,) = repaired.connections
        theirs = next(c for c in fresh.connections if c.topic == '/legs')
        assert (ours.msgdef, ours.digest, ours.ext) == (theirs.msgdef, theirs.digest, theirs.ext)
        assert ours.digest


def test_a_whole_bag_is_left_alone(tmp_path):
    bag = write_whole(tmp_path / 'bag')
    before = content(bag)
    assert repair(bag) is None
    assert repair(bag / 'bag_0.mcap') is None
    assert content(bag) == before


def test_a_bag_without_metadata_gets_it(tmp_path):
    bag = write_whole(tmp_path / 'bag')
    (bag / METADATA).unlink()
    assert repair(bag).messages == 50
    assert others_read(bag) == [float(i) for i in range(50)]


def test_the_run_folders_bag_is_found_before_and_after(tmp_path):
    write_killed(tmp_path / 'run' / 'bag')
    assert repair(tmp_path / 'run').bag == tmp_path / 'run' / 'bag'
    assert repair(tmp_path / 'run') is None


def test_another_place_leaves_the_damaged_bag_where_it_is(tmp_path):
    bag = write_killed(tmp_path / 'bag')
    before = content(bag)
    repaired = repair(bag, tmp_path / 'deep' / 'new')
    assert (repaired.bag, repaired.kept) == (tmp_path / 'deep' / 'new', bag)
    assert others_read(repaired.bag) == [float(i) for i in range(50)]
    assert content(bag) == before
    with pytest.raises(UserError, match='exists already'):
        repair(bag, tmp_path / 'deep')


def test_a_single_file_becomes_a_bag_folder_beside_it(tmp_path):
    file = tmp_path / 'walk.mcap'
    shutil.copy(write_killed(tmp_path / 'bag') / 'bag_0.mcap', file)
    repaired = repair(file)
    assert (repaired.bag, repaired.kept) == (tmp_path / 'walk', file)
    assert others_read(repaired.bag) == [float(i) for i in range(50)]


def test_a_damaged_sqlite_bag_becomes_a_whole_one_with_types_that_nobody_knows(tmp_path):
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        legs = writer.add_connection('/legs', LEGS.type, typestore=typestore())
        strange = writer.add_connection('/camera', 'lab_msgs/msg/Frame', msgdef='uint8 x', rihs01='RIHS01_0')
        for i in range(500):
            data = typestore().serialize_cdr(stored_messages.joint_state(START, [i, 0]), LEGS.type)
            writer.write(legs, int(START * 1e9) + i, data)
        writer.write(strange, int(START * 1e9) + 500, b'\0\1\0\0\7')
    (file,) = (tmp_path / 'bag').glob('*.db3')
    database = sqlite3.connect(file)
    database.execute('DELETE FROM messages WHERE id = 300')
    database.commit()
    database.close()
    repaired = repair(tmp_path / 'bag')  # its metadata promises one more
    assert repaired.messages == 500
    with Reader(tmp_path / 'bag') as reader:
        read = [(c.topic, c.msgtype, bytes(data)) for c, _, data in reader.messages()]
    assert len(read) == 500
    assert read[-1] == ('/camera', 'lab_msgs/msg/Frame', b'\0\1\0\0\7')


def test_an_earlier_repair_is_not_overwritten(tmp_path):
    (tmp_path / 'bag.damaged').mkdir()
    (tmp_path / 'bag.damaged' / 'precious').write_text('1')
    assert repair(write_killed(tmp_path / 'bag')).kept == tmp_path / 'bag.damaged_2'
    assert (tmp_path / 'bag.damaged' / 'precious').read_text() == '1'


def test_a_bag_that_is_being_recorded_is_not_repaired(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        bag.write_message('/legs', stored_messages.joint_state(START, [1, 1]), START)
        bag.flush()
        with pytest.raises(UserError, match='being recorded'):
            repair(tmp_path / 'bag')


def test_nothing_readable_is_one_clear_error_and_changes_nothing(tmp_path):
    (tmp_path / 'bag').mkdir()
    (tmp_path / 'bag' / 'bag_0.mcap').write_bytes(b'noise')
    with pytest.raises(UserError, match='nothing in this bag is readable'):
        repair(tmp_path / 'bag')
    assert [path.name for path in tmp_path.iterdir()] == ['bag']


def write_with_extras(file):
    """A bag with an attachment, a metadata record, and a topic of a type and an encoding that nobody here knows."""
    with file.open('wb') as stream:
        writer = McapWriter(stream, chunk_size=1000)
        writer.start(profile='ros2')
        legs = writer.register_channel('/legs', 'cdr', writer.register_schema(LEGS.type, 'ros2msg', b''))
        camera = writer.register_channel(
            '/camera', 'protobuf', writer.register_schema('lab.Frame', 'protobuf', b'\1\2')
        )
        for i in range(50):
            stamp = int(START * 1e9) + i
            data = typestore().serialize_cdr(stored_messages.joint_state(START, [i, 0]), LEGS.type)
            writer.add_message(legs, stamp, bytes(data), stamp, i + 1)
            writer.add_message(camera, stamp, bytes([i]), stamp)
            if i == 20:
                writer.add_attachment(stamp, stamp, 'notes.txt', 'text/plain', b'a good walk')
                writer.add_metadata('robot', {'name': 'seven'})
        writer.finish()


def everything(file):
    """Messages with topic, type, encoding and number; attachments; metadata records."""
    with file.open('rb') as stream:
        reader = make_reader(stream)
        messages = [
            (c.topic, s.name, s.data, c.message_encoding, m.log_time, m.publish_time, m.sequence, m.data)
            for s, c, m in reader.iter_messages()
        ]
        attachments = [(a.name, a.media_type, a.log_time, a.create_time, a.data) for a in reader.iter_attachments()]
        return messages, attachments, [(m.name, m.metadata) for m in reader.iter_metadata()]


def test_attachments_metadata_records_and_unknown_topics_survive_and_a_second_repair_does_nothing(tmp_path):
    file = tmp_path / 'walk.mcap'
    write_with_extras(file)
    whole = everything(file)
    assert [len(kind) for kind in whole] == [100, 1, 1]
    data = file.read_bytes()
    file.write_bytes(data[:-40])  # the end is lost, and with it the index
    repaired = repair(file)
    assert repaired.damage
    (new,) = repaired.bag.glob('*.mcap')
    assert everything(new) == whole
    before = content(repaired.bag)
    assert repair(repaired.bag) is None
    assert content(repaired.bag) == before


def test_a_whole_bag_with_extras_is_left_alone(tmp_path):
    file = tmp_path / 'walk.mcap'
    write_with_extras(file)
    before = file.read_bytes()
    assert repair(file) is None
    assert file.read_bytes() == before


def test_strict_makes_what_was_not_read_exit_code_1_in_one_line(tmp_path, capsys):
    bag = write_whole(tmp_path / 'bag')
    command = ['export-bag', str(bag), '--strict', '--out']
    assert main([*command, str(tmp_path / 'whole.npz')]) == 0
    file = bag / 'bag_0.mcap'
    file.write_bytes(file.read_bytes()[:-200])
    capsys.readouterr()
    assert main(['export-bag', str(bag), '--out', str(tmp_path / 'lenient.npz')]) == 0
    assert 'warning: ' in capsys.readouterr().err
    assert main([*command, str(tmp_path / 'strict.npz')]) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith('warning: ')]
    assert len(errors) == 1
    assert 'not everything was read (--strict)' in errors[0]
    assert not (tmp_path / 'strict.npz').exists()


@pytest.mark.parametrize(
    'what', ['file aside', 'file of another ending', 'file missing', 'unknown type', 'damaged message']
)
def test_strict_refuses_whatever_is_left_out(tmp_path, what):
    folder = tmp_path / 'bag'
    strange = Channel('/camera', 'lab_msgs/msg/Frame')
    with BagWriter(folder) as bag:
        bag.write_message('/legs', stored_messages.joint_state(START, [1, 2]), START)
        if what == 'unknown type':
            bag.write_raw(Raw(strange, b'\0\1\0\0\7', int(START * 1e9), int(START * 1e9)))
        if what == 'damaged message':
            bag.write('/legs', b'\0\1\0\0', int(START * 1e9))
    if what == 'file aside':
        shutil.copy(folder / 'bag_0.mcap', folder / 'copy.mcap')
    if what == 'file of another ending':
        shutil.copy(folder / 'bag_0.mcap', folder / 'bag_1.mcap.active')
    if what == 'file missing':
        metadata = folder / METADATA
        metadata.write_text(metadata.read_text().replace('- bag_0.mcap\n', '- bag_0.mcap\n  - bag_1.mcap\n'))
    assert [name for name, _, _ in open_bag(folder, lambda _: None).messages([LEGS])] == ['legs']
    with pytest.raises(IncompleteBagError, match='--strict'):
        list(open_bag(folder, lambda _: None, strict=True).messages([LEGS]))
