"""Every command on bags that are none, are damaged, or hold other things: one line, never a traceback."""

import random

import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from synthetic_run import write_run

from millirobot_adapt.analysis.run_data import read_run_data
from millirobot_adapt.app.main import main
from millirobot_adapt.contract.topics import LEGS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import typestore

START = 1_700_000_000.0
COMMANDS = {
    'replay': ['replay'],
    'check': ['replay', '--check'],
    'report': ['report'],
    'export-bag': ['export-bag', '--to', 'csv', '--out', 'tables'],
    'repair': ['repair'],
    'compare': ['compare'],
}


def write_foreign(folder, plugin, kind):
    """A bag of somebody else's: a camera of unknown type, or a known type on a topic that is none of ours."""
    with Writer(folder, version=9, storage_plugin=plugin) as writer:
        if kind == 'unknown type':
            connection = writer.add_connection('/camera', 'lab_msgs/msg/Frame', msgdef='uint8 x', rihs01='RIHS01_0')
            writer.write(connection, int(START * 1e9), b'\0\1\0\0\1')
        else:
            connection = writer.add_connection('/eggs', LEGS.type, typestore=typestore())
            data = typestore().serialize_cdr(stored_messages.joint_state(START, [1, 2]), LEGS.type)
            writer.write(connection, int(START * 1e9), data)
    return folder


def make(folder, what):
    thing = folder / 'thing'
    if what == 'text':
        thing.write_text('hello')
    elif what == 'empty folder':
        thing.mkdir()
    elif what.startswith(('empty file', 'noise')):
        thing = thing.with_suffix(what[-5:].strip())
        thing.write_bytes(b'' if what.startswith('empty') else random.Random(1).randbytes(3000))
    elif what.startswith(('other topics', 'unknown type')):
        plugin = StoragePlugin.MCAP if what.endswith('mcap') else StoragePlugin.SQLITE3
        write_foreign(thing, plugin, what.rpartition(' ')[0])
    return thing


BAD = (
    'nothing', 'text', 'empty folder', 'empty file .mcap', 'empty file .db3', 'noise .mcap', 'noise .db3',
    'other topics mcap', 'other topics sqlite3', 'unknown type mcap', 'unknown type sqlite3',
)  # fmt: skip


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize('what', BAD)
def test_a_bad_bag_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, command, what):
    monkeypatch.chdir(tmp_path)
    thing = make(tmp_path, what)
    arguments = [*COMMANDS[command], str(thing)]
    if command == 'compare':
        arguments.append(str(thing))
    code = main(arguments)
    said = capsys.readouterr().err.splitlines()
    if command == 'repair' and what.startswith(('other topics', 'unknown type')):
        assert (code, said) == (0, []), 'it is whole'
        return
    assert code == 2
    errors = [line for line in said if line.startswith('millirobot: error: ')]
    assert len(errors) == 1
    assert 'thing' in errors[0]
    assert all(line.startswith('warning: ') for line in said if line not in errors)
    assert {path.name for path in tmp_path.iterdir()} <= {thing.name}


@pytest.fixture(scope='module')
def content(tmp_path_factory):
    folder = write_run(tmp_path_factory.mktemp('made') / 'run', ticks=40)
    (file,) = folder.rglob('*.mcap')
    return file.read_bytes()


def test_a_run_cut_anywhere_is_used_as_far_as_it_is_readable(tmp_path, content):
    file = tmp_path / 'bag.mcap'
    file.write_bytes(content)
    whole = read_run_data(open_bag(file))
    for seed in range(40):
        file.write_bytes(content[: random.Random(seed).randrange(len(content))])
        warnings = []
        try:
            found = read_run_data(open_bag(file, warnings.append))
        except UserError:
            continue  # nothing is left
        assert [tick.stamp for tick in found.ticks] == [tick.stamp for tick in whole.ticks[: len(found.ticks)]]
        assert warnings


@pytest.mark.parametrize(
    ('part', 'commands'), [(0.6, ('replay', 'report', 'export-bag', 'repair')), (0.99, ('export-bag', 'repair'))]
)
def test_commands_use_what_is_left_of_a_run(tmp_path, monkeypatch, capsys, content, part, commands):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'run' / 'bag').mkdir(parents=True)
    (tmp_path / 'run' / 'bag' / 'bag_0.mcap').write_bytes(content[: int(part * len(content))])
    for command in commands:
        code = main([*COMMANDS[command], 'run'])
        said = capsys.readouterr().err
        assert code == 0, (command, said)
        assert 'truncated' in said, command
    assert main(['export-bag', 'run', '--out', 'repaired.npz']) == 0
    assert 'truncated' not in capsys.readouterr().err, 'it is repaired'
