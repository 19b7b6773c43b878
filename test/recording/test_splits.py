"""Bags in several files, and files on disks that fail."""

import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
import zstandard
from rosbags.rosbag2 import Reader

from millirobot_adapt.contract.topics import LEGS, REFERENCE, RUN
from millirobot_adapt.core.errors import DeviceError
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.metadata import METADATA
from millirobot_adapt.recording.provenance import read_provenance
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.writer import BagWriter

START = 1_700_000_000.0
POINTS = [[0.0, 0.0], [1.0, 0.0]]


def write_legs(bag, numbers):
    for i in numbers:
        bag.write_message('/legs', stored_messages.joint_state(START + i, [i, -i]), START + i)
        bag.flush()


def write_split(folder, count=60):
    """A bag of several files, whose latched messages all came at its beginning."""
    with BagWriter(folder, split_size=6_000) as bag:
        bag.write_message('/run', typestore().types[RUN.type]('seed: 5'), START)
        bag.write_message('/reference', stored_messages.path(START, POINTS), START)
        write_legs(bag, range(count))
    return folder


def legs_of(path, warn=lambda line: None):
    return [message.velocity[0] for _, message, _ in open_bag(path, warn).messages([LEGS])]


def test_a_bag_goes_on_in_numbered_files_that_are_read_as_one(tmp_path):
    bag = write_split(tmp_path / 'walk')
    files = sorted(path.name for path in bag.glob('*.mcap'))
    assert files == [f'walk_{i}.mcap' for i in range(len(files))]
    assert len(files) > 2
    warnings = []
    assert legs_of(bag, warnings.append) == [float(i) for i in range(60)]
    assert warnings == []
    with Reader(bag) as reader:
        assert len(list(reader.messages([c for c in reader.connections if c.topic == '/legs']))) == 60


def test_metadata_lists_the_files_with_their_times_and_counts(tmp_path):
    bag = write_split(tmp_path / 'walk')
    information = yaml.safe_load((bag / METADATA).read_text())['rosbag2_bagfile_information']
    assert information['relative_file_paths'] == [entry['path'] for entry in information['files']]
    assert sum(entry['message_count'] for entry in information['files']) == information['message_count']
    starts = [entry['starting_time']['nanoseconds_since_epoch'] for entry in information['files']]
    assert starts == sorted(starts)
    assert information['duration']['nanoseconds'] == 59_000_000_000
    for entry in information['files']:
        with Reader(bag / entry['path']) as reader:
            assert reader.message_count == entry['message_count']
            assert reader.start_time == entry['starting_time']['nanoseconds_since_epoch']


def test_every_file_stands_alone_and_repeats_are_read_once(tmp_path):
    bag = write_split(tmp_path / 'walk')
    for file in bag.glob('*.mcap'):
        found = [name for name, _, _ in open_bag(file).messages([RUN, REFERENCE])]
        assert sorted(found) == ['reference', 'run']
        assert read_provenance(open_bag(file)).seed == 5
    assert [name for name, _, _ in open_bag(bag).messages([RUN, REFERENCE])] == ['run', 'reference']


def test_files_that_a_killed_recorders_metadata_does_not_name_are_read(tmp_path):
    bag = write_split(tmp_path / 'walk')
    content = yaml.safe_load((bag / METADATA).read_text())
    content['rosbag2_bagfile_information']['relative_file_paths'][2:] = []
    (bag / METADATA).write_text(yaml.safe_dump(content))
    assert legs_of(bag) == [float(i) for i in range(60)]


def test_a_missing_file_is_told_and_the_others_are_read(tmp_path):
    bag = write_split(tmp_path / 'walk')
    (bag / 'walk_1.mcap').unlink()
    warnings = []
    assert 0 < len(legs_of(bag, warnings.append)) < 60
    assert any('walk_1.mcap: is named in metadata.yaml, but is missing' in line for line in warnings)


@pytest.mark.parametrize('metadata', [True, False])
@pytest.mark.parametrize('ending', ['.active', '.gz', '.part', '.bak'])
def test_a_part_whose_name_has_another_ending_is_named(tmp_path, ending, metadata):
    bag = write_split(tmp_path / 'walk')
    if not metadata:
        (bag / METADATA).unlink()
    (bag / 'walk_1.mcap').rename(bag / f'walk_1.mcap{ending}')
    (bag / 'walk_0.mcap.sha256').write_text('0123')
    warnings = []
    assert 0 < len(legs_of(bag, warnings.append)) < 60
    (line,) = (line for line in warnings if 'not read' in line)
    assert f'not read: walk_1.mcap{ending};' in line


def test_case_does_not_count_in_the_endings_of_files(tmp_path):
    bag = write_split(tmp_path / 'walk')
    (bag / METADATA).unlink()
    (bag / 'walk_0.mcap').rename(bag / 'WALK_0.MCAP')
    (bag / 'WALK_1.MCAP.ZST').write_bytes(zstandard.compress((bag / 'walk_1.mcap').read_bytes()))
    (bag / 'walk_1.mcap').unlink()
    assert legs_of(bag) == [float(i) for i in range(60)]


class FullDisk:
    """A disk that takes `room` bytes more and no others; `None`: any number."""

    def __init__(self, monkeypatch, number, room=None):
        self.number, self.room = number, room
        opened = Path.open

        def open_file(path, mode='r', *given, **settings):
            file = opened(path, mode, *given, **settings)
            return FileOnFullDisk(self, file) if mode == 'xb' else file

        monkeypatch.setattr(Path, 'open', open_file)

    def take(self, data):
        """Return what there is room for.

        Raises:
            OSError: there is none.
        """
        if self.room is None:
            return data
        if not self.room:
            raise OSError(self.number, 'No space left on device')
        taken = data[: self.room]
        self.room -= len(taken)
        return taken


class FileOnFullDisk:
    def __init__(self, disk, file):
        self.disk, self.file = disk, file

    def write(self, data):
        return self.file.write(self.disk.take(data))

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.mark.parametrize('room', [0, 5, 100, 2_000, 9_000, 18_000, 20_000, 22_222, 25_001, 29_999, 31_500])
@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_at_any_byte_leaves_whole_messages(tmp_path, monkeypatch, room, number):
    FullDisk(monkeypatch, number, room)
    written = 0
    complaint = ''
    try:
        with BagWriter(tmp_path / 'bag') as bag:
            while written < 100:
                write_legs(bag, [written])
                written += 1
    except DeviceError as error:
        complaint = str(error)
    assert 'No space left on device' in complaint
    assert '\n' not in complaint
    if written:
        warnings = []
        read = legs_of(tmp_path / 'bag', warnings.append)
        assert read == [float(i) for i in range(len(read))]
        assert len(read) in (written, written + 1), 'a chunk may be whole although its index is not'
        assert len(warnings) == 1
    else:
        assert room < 9_000


def test_after_a_failure_nothing_more_is_written_and_closing_is_silent(tmp_path, monkeypatch):
    disk = FullDisk(monkeypatch, errno.ENOSPC)
    bag = BagWriter(tmp_path / 'bag')
    write_legs(bag, range(3))
    disk.room = 10
    with pytest.raises(DeviceError, match='millirobot repair'):
        write_legs(bag, [3])
    with pytest.raises(DeviceError, match='closed'):
        write_legs(bag, [4])
    bag.close()
    assert legs_of(tmp_path / 'bag') == [0.0, 1.0, 2.0]


WRITER = """
import sys
from pathlib import Path
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.writer import BagWriter
from millirobot_adapt.core.errors import DeviceError
try:
    with BagWriter(Path(sys.argv[1])) as bag:
        for i in range(10_000):
            bag.write_message('/legs', stored_messages.joint_state(1.7e9 + i, [i, -i]), 1.7e9 + i)
            bag.flush()
except DeviceError as error:
    sys.exit(f'after {i}: {error}')
"""


def test_a_limit_of_the_operating_system_is_met_in_one_line(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    folder = tmp_path / 'bag'
    done = subprocess.run(
        [sys.executable, '-c', WRITER, str(folder)], preexec_fn=limit, capture_output=True, text=True, timeout=60
    )
    (line,) = done.stderr.splitlines()
    assert 'File too large' in line
    count = int(line.removeprefix('after ').partition(':')[0])
    assert count > 20
    read = legs_of(folder)
    assert read == [float(i) for i in range(len(read))]
    assert len(read) in (count, count + 1), 'what reached the disk of a chunk that was cut off is read, too'
    assert sum(path.stat().st_size for path in Path(folder).glob('*.mcap')) <= 60_000
