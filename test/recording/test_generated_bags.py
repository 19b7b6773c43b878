"""Bags as other recorders leave them, generated: whatever the storage, split, compression, order, metadata and files
beside it, the same messages come in the same order; only lost bytes cost messages, and a line says so."""

import random
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

import lz4.frame
import pytest
import yaml
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from millirobot_adapt.contract.tick_codec import decode_tick
from millirobot_adapt.contract.topics import TICK
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.metadata import METADATA
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.repair import repair

GOOD = Path(__file__).resolve().parents[1] / 'data' / 'bags' / 'good'
SECOND = 1_000_000_000


@cache
def plain(before=1.0, after=2.5):
    """The messages of the plain bag from so many seconds before its first decision to so many behind it."""
    found = list(open_bag(GOOD).raw_messages())
    walks = next(raw.received for raw in found if raw.channel.topic == '/tick')
    return [raw for raw in found if walks - before * SECOND <= raw.received < walks + after * SECOND]


def ticks(raws):
    tick = [typestore().deserialize_cdr(raw.data, raw.channel.type) for raw in raws if raw.channel.topic == '/tick']
    return [decode_tick(message.data).tick for message in tick]


def key(raw):
    return raw.received, raw.channel.topic, bytes(raw.data)


def read(path):
    lines = []
    bag = open_bag(path, lines.append)
    found = list(bag.raw_messages())
    return found, [*bag.warnings, *bag.notes]


def write_mcap(file, raws, compression, chunk, sequence):
    with file.open('wb') as stream:
        writer = McapWriter(stream, compression=compression, chunk_size=chunk, use_chunking=chunk > 0)
        writer.start(profile='ros2')
        channels = {}
        for raw in raws:
            if raw.channel.topic not in channels:
                schema = writer.register_schema(raw.channel.type, 'ros2msg', raw.channel.definition.encode())
                channels[raw.channel.topic] = writer.register_channel(raw.channel.topic, 'cdr', schema)
            number = raw.sequence if sequence else 0
            writer.add_message(channels[raw.channel.topic], raw.received, raw.data, raw.published, number)
        writer.finish()


def write_sqlite(file, raws):
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / 'made'
        with Writer(made, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
            connections = {}
            for raw in raws:
                if raw.channel.topic not in connections:
                    connections[raw.channel.topic] = writer.add_connection(
                        raw.channel.topic, raw.channel.type, typestore=typestore()
                    )
                writer.write(connections[raw.channel.topic], raw.received, raw.data)
        shutil.move(made / 'made.db3', file)


def in_order(raws, order, rng):
    """Lay the messages in another order; each is still received when it was."""
    match order:
        case 'by topic':
            return sorted(raws, key=lambda raw: (raw.channel.topic, raw.received))
        case 'one topic late':
            late = rng.choice(sorted({raw.channel.topic for raw in raws}))
            return sorted(raws, key=lambda raw: raw.received + (3 * SECOND if raw.channel.topic == late else 0))
        case 'jitter':
            return sorted(raws, key=lambda raw: raw.received + rng.uniform(-1.5, 1.5) * SECOND)
        case 'shuffled':
            return rng.sample(raws, len(raws))
        case 'reversed':
            return raws[::-1]
        case 'stretches swapped':
            third = len(raws) // 3
            return raws[2 * third :] + raws[:third] + raws[third : 2 * third]
        case 'one late message':
            place = rng.randrange(len(raws) // 2)
            return raws[:place] + raws[place + 1 :] + [raws[place]]
    return raws


def packed_whole(file, kind):
    """Compress a file as a whole; returns its new name."""
    made = file.with_name(f'{file.name}.{"lz4" if kind == "lz4" else "zstd"}')
    data = file.read_bytes()
    made.write_bytes(lz4.frame.compress(data) if kind == 'lz4' else zstandard.compress(data))
    file.unlink()
    return made


def write_metadata(folder, files, count, storage, kind, compression):
    if kind == 'missing':
        return
    names = [file.name for file in files]
    if kind == 'wrong order':
        names = names[::-1]
    elif kind == 'other names':
        names = [f'other_{name}' for name in names]
    elif kind == 'with folder':
        names = [f'{folder.name}/{name}' for name in names]
    elif kind == 'wrong compression':
        compression = 'FILE' if compression != 'FILE' else ''
    information = {
        'version': 5, 'storage_identifier': 'mcap' if storage == '.mcap' else 'sqlite3',
        'starting_time': {'nanoseconds_since_epoch': 0}, 'duration': {'nanoseconds': 0},
        'message_count': count // 2 if kind == 'wrong count' else count, 'topics_with_message_count': [],
        'compression_format': 'zstd' if compression else '', 'compression_mode': compression,
        'relative_file_paths': names,
    }  # fmt: skip
    text = '[' if kind == 'garbage' else yaml.safe_dump({'rosbag2_bagfile_information': information})
    (folder / METADATA).write_text(text)


HOW = {
    'deadline': None,
    'derandomize': True,
    'suppress_health_check': list(HealthCheck),
}
ORDERS = ('as recorded', 'by topic', 'one topic late', 'jitter', 'shuffled', 'reversed', 'stretches swapped',
          'one late message')  # fmt: skip
METADATA_KINDS = ('right', 'missing', 'garbage', 'wrong order', 'other names', 'with folder', 'wrong count',
                  'wrong compression')  # fmt: skip
ASIDE = ('nothing', 'a copy', 'half a copy', 'a text file', 'the packed one of a part')
BAGS = st.fixed_dictionaries(
    {
        'storage': st.sampled_from(['.mcap', '.db3']),
        'parts': st.integers(1, 4),
        'chunk': st.sampled_from([0, 3_000, 100_000]),
        'compression': st.sampled_from([CompressionType.NONE, CompressionType.LZ4, CompressionType.ZSTD]),
        'messages': st.sampled_from(['plain', 'zstd', 'lz4']),
        'files': st.sampled_from(['plain', 'plain', 'zstd', 'lz4', 'first zstd']),
        'order': st.sampled_from(ORDERS),
        'metadata': st.sampled_from(METADATA_KINDS),
        'aside': st.sampled_from(ASIDE),
        'sequence': st.booleans(),
        'name': st.sampled_from(
            ['bag', 'two words', 'with-hyphen', '2026', 'run.1', 'walk.mcap', 'walk.db3', 'ümläut']
        ),
        'seed': st.integers(0, 2**32 - 1),
    }
)


def make(place, spec):
    """Write a bag and return its folder and its data files."""
    rng = random.Random(spec['seed'])
    folder = place / spec['name']
    folder.mkdir()
    raws = plain()
    if spec['messages'] != 'plain':
        pack = zstandard.compress if spec['messages'] == 'zstd' else lz4.frame.compress
        raws = [raw._replace(data=pack(raw.data)) for raw in raws]
    raws = in_order(raws, spec['order'], rng)
    size = -(-len(raws) // spec['parts'])
    files = []
    for number in range(spec['parts']):
        file = folder / f'part_{number}{spec["storage"]}'
        some = raws[number * size : (number + 1) * size]
        if spec['storage'] == '.mcap':
            write_mcap(file, some, spec['compression'], spec['chunk'], spec['sequence'])
        else:
            write_sqlite(file, some)
        packs = spec['files'] in ('zstd', 'lz4') or (spec['files'] == 'first zstd' and number == 0)
        files.append(packed_whole(file, spec['files']) if packs else file)
    mode = 'FILE' if spec['files'] != 'plain' else 'MESSAGE' if spec['messages'] != 'plain' else ''
    write_metadata(folder, files, len(raws), spec['storage'], spec['metadata'], mode)
    _lay_aside(folder, files[0], spec['aside'])
    return folder, files


def _lay_aside(folder, file, kind):
    if kind == 'a copy':
        shutil.copy(file, folder / f'recovered_{file.name}')
    elif kind == 'half a copy' and file.suffix in ('.mcap', '.db3'):
        (folder / f'half_{file.name}').write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif kind == 'a text file':
        (folder / 'notes.txt').write_text('a good walk')
    elif kind == 'the packed one of a part' and file.suffix in ('.mcap', '.db3'):
        (folder / f'{file.name}.zstd').write_bytes(zstandard.compress(file.read_bytes()))


DAMAGE = st.fixed_dictionaries(
    {'how': st.sampled_from(['flip', 'hole', 'cut']), 'place': st.floats(0, 1, exclude_max=True)}
)
CHECKED = st.fixed_dictionaries({'chunk': st.sampled_from([3_000, 100_000]), 'storage': st.just('.mcap')})
"""Storage in which a checksum guards every message; elsewhere a flipped bit is another message that looks whole."""


def damage_file(file, damage):
    """Damage a file at any place of it."""
    data = bytearray(file.read_bytes())
    place = int(damage['place'] * len(data))
    if damage['how'] == 'flip':
        data[place] ^= 1 << place % 8
    elif damage['how'] == 'hole':
        end = min(place + 500, len(data))
        data[place:end] = bytes(end - place)
    else:
        del data[place:]
    file.write_bytes(data)


def counted(lines):
    """Messages that the lines say are lost; None where they do not say."""
    total = [int(n) for line in lines for n in re.findall(r'(\d+) of \d+ messages lost', line)]
    if total:
        return total[0]
    single = [int(n) for line in lines for n in re.findall(r'(\d+) messages', line)]
    return sum(single) if single else None


def check_damaged(spec, damage):
    """Lost bytes cost messages and nothing else does; the lines count them, where anything still knows the number."""
    with tempfile.TemporaryDirectory() as place:
        folder, files = make(Path(place), spec)
        whole = [set(map(key, read_alone(file))) for file in files]
        damage_file(files[0], damage)
        try:
            found, lines = read(folder)
        except UserError:
            assert spec['parts'] == 1, 'the other parts are readable'
            return
        left = {key(raw) for raw in found}
        every = set(map(key, plain()))
        assert left <= every
        assert left >= set().union(*whole[1:])
        lost = len(plain()) - len(found)
        if lost:
            assert lines
        if damage['how'] == 'flip' and spec['files'] == 'plain':
            assert lost <= per_chunk(spec), 'a bit is in one chunk'
        knows = spec['metadata'] in ('right', 'wrong order', 'with folder', 'wrong compression')
        if knows or (damage['how'] != 'cut' and spec['files'] == 'plain' and damage['place'] < 0.9):
            assert (counted(lines) or 0) == lost
        assert [raw.received for raw in found] == sorted(raw.received for raw in found)


def read_alone(file):
    return list(open_bag(file, lambda line: None).raw_messages())


def per_chunk(spec):
    """The most messages that a chunk may hold: all have some bytes."""
    return len(plain()) if spec['chunk'] == 100_000 else 100


def check_same(spec):
    with tempfile.TemporaryDirectory() as place:
        folder, _ = make(Path(place), spec)
        found, lines = read(folder)
        assert sorted(map(key, found)) == sorted(map(key, plain()))
        assert [raw.received for raw in found] == [raw.received for raw in plain()]
        assert ticks(found) == ticks(plain())
        assert not [line for line in lines if 'clock' in line]
        if spec['aside'] in ('a copy',):
            assert any(f'recovered_part_0{spec["storage"]}' in line or 'read once' in line for line in lines)


@settings(max_examples=20, **HOW)
@given(BAGS)
def test_generated_bags_give_the_messages_of_the_plain_bag(spec):
    check_same(spec)


@pytest.mark.long
@settings(max_examples=200, **HOW)
@given(BAGS)
def test_two_hundred_generated_bags_give_the_messages_of_the_plain_bag(spec):
    check_same(spec)


@settings(max_examples=15, **HOW)
@given(BAGS, CHECKED, DAMAGE)
def test_only_lost_bytes_cost_messages_and_lines_count_them(spec, checked, damage):
    check_damaged(spec | checked | {'aside': 'nothing'}, damage)


@pytest.mark.long
@settings(max_examples=200, **HOW)
@given(BAGS, CHECKED, DAMAGE)
def test_two_hundred_damaged_bags_lose_what_was_in_the_lost_bytes_alone(spec, checked, damage):
    check_damaged(spec | checked | {'aside': 'nothing'}, damage)


@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize('storage', ['.mcap', '.db3'])
def test_every_order_gives_the_order_of_time(tmp_path, order, storage):
    spec = {
        'storage': storage, 'parts': 2, 'chunk': 3000, 'compression': CompressionType.ZSTD, 'messages': 'plain',
        'files': 'plain', 'order': order, 'metadata': 'right', 'aside': 'nothing', 'sequence': False, 'name': 'bag',
        'seed': 1,
    }  # fmt: skip
    folder, _ = make(tmp_path, spec)
    found, lines = read(folder)
    assert [key(raw) for raw in sorted(found, key=key)] == sorted(map(key, plain()))
    assert [raw.received for raw in found] == [raw.received for raw in plain()]
    assert lines == []


@pytest.mark.parametrize('order', ['by topic', 'one topic late', 'as recorded'])
def test_parts_that_the_metadata_names_in_the_wrong_order_are_no_step_of_a_clock(tmp_path, order):
    spec = {
        'storage': '.mcap', 'parts': 2, 'chunk': 0, 'compression': CompressionType.NONE, 'messages': 'plain',
        'files': 'plain', 'order': order, 'metadata': 'wrong order', 'aside': 'nothing', 'sequence': False,
        'name': 'bag', 'seed': 0,
    }  # fmt: skip
    folder, _ = make(tmp_path, spec)
    found, lines = read(folder)
    assert [raw.received for raw in found] == [raw.received for raw in plain()]
    assert lines == []


@pytest.mark.parametrize('storage', ['.mcap', '.db3'])
@pytest.mark.parametrize('back', [3600.0, 3.0])
@pytest.mark.parametrize('parts', [1, 2])
@pytest.mark.parametrize('when', ['while it starts', 'while it walks'])
def test_a_clock_that_was_set_back_is_named_and_nothing_is_lost(tmp_path, storage, back, parts, when):
    raws = plain(before=7.0, after=3.0)
    place = raws[len(raws) // (2 if parts == 2 else 3)].received
    if when == 'while it walks':
        place = next(raw.received for raw in raws if raw.channel.topic == '/tick') + SECOND
    stepped = [r if r.received < place else r._replace(received=r.received - round(back * SECOND)) for r in raws]
    folder = tmp_path / 'bag'
    folder.mkdir()
    size = -(-len(raws) // parts)
    files = []
    for number in range(parts):
        files.append(folder / f'bag_{number}{storage}')
        some = stepped[number * size : (number + 1) * size]
        if storage == '.mcap':
            write_mcap(files[-1], some, CompressionType.ZSTD, 20_000, sequence=False)
        else:
            write_sqlite(files[-1], some)
    write_metadata(folder, files, len(raws), storage, 'right', '')
    found, lines = read(folder)
    assert [bytes(raw.data) for raw in found] == [bytes(raw.data) for raw in raws]
    assert [raw.received for raw in found] == sorted(raw.received for raw in found)
    (line,) = lines
    assert "recorder's clock was set back by" in line
    assert abs(float(re.search(r'back by ([\d.]+) s', line)[1]) - back) < 0.2


@settings(max_examples=6, **HOW)
@given(BAGS)
def test_repair_gives_the_same_messages_and_is_idempotent(spec):
    with tempfile.TemporaryDirectory() as place:
        folder, _ = make(Path(place), spec)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        repaired = repair(folder)
        if repaired is None:
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
            return
        assert repaired.damage
        assert {path.name: path.read_bytes() for path in repaired.kept.iterdir()} == before
        found, lines = read(repaired.bag)
        assert sorted(map(key, found)) == sorted(map(key, plain()))
        assert lines == []
        assert repair(repaired.bag) is None


def test_messages_that_rosbags_compressed_are_read(tmp_path):
    for plugin in (StoragePlugin.MCAP, StoragePlugin.SQLITE3):
        writer = Writer(tmp_path / plugin.name, version=9, storage_plugin=plugin)
        writer.set_compression(CompressionMode.FILE, CompressionFormat.ZSTD)
        with writer:
            connection = writer.add_connection('/tick', TICK.type, typestore=typestore())
            for raw in plain():
                if raw.channel.topic == '/tick':
                    writer.write(connection, raw.received, raw.data)
        assert ticks(read(tmp_path / plugin.name)[0]) == ticks(plain())


def test_a_folder_of_several_bags_is_refused_and_names_them(tmp_path):
    for name in ('one', 'two'):
        shutil.copytree(GOOD, tmp_path / 'walks' / name)
    with pytest.raises(UserError, match='holds 2 bags; name one of one, two'):
        open_bag(tmp_path / 'walks')
    with pytest.raises(UserError, match='it holds runs: name one'):
        open_bag(tmp_path)


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        (b'version https://git-lfs.github.com/spec/v1\n', 'git-lfs pointer'),
        (b'#ROSBAG V2.0\n' + bytes(99), 'ROS 1 bag'),
    ],
)
def test_what_only_looks_like_a_bag_is_named(tmp_path, content, said):
    file = tmp_path / 'walk.mcap'
    file.write_bytes(content)
    with pytest.raises(UserError, match=said):
        list(open_bag(file).raw_messages())
    with pytest.raises(UserError, match=said):
        repair(file)
