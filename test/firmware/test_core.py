"""The C core's parser and codec against the fuzz corpus, and the fuzzer itself with sanitizers."""

import ctypes
import json
import subprocess
from pathlib import Path

import pytest
from build import made, needs_compiler
from core_library import load

pytestmark = needs_compiler
CORPUS = Path(__file__).parents[1] / 'data' / 'fuzz'
STREAMS = json.loads((CORPUS / 'streams.json').read_text())
PAYLOADS = json.loads((CORPUS / 'payloads.json').read_text())
OURS = {0x01: 5, 0x81: 5, 0x89: 3}


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    return load(tmp_path_factory.mktemp('firmware'))


def frames(library, pieces, escaped):
    parser = ctypes.c_void_p(library.library_parser(escaped))
    found = []
    for piece in [*pieces, b'']:
        out = ctypes.create_string_buffer(20_000)
        size = library.library_feed(parser, piece, ctypes.c_size_t(len(piece)), piece == b'', out)
        data = out.raw[:size]
        while data:
            found.append(data[1 : 1 + data[0]])
            data = data[1 + data[0] :]
    return [
        frame.hex()
        for frame in found
        if len(frame) == OURS.get(frame[0]) or (frame[0] != 0x89 and len(frame) > OURS.get(frame[0], 255))
    ]


@pytest.mark.parametrize('size', [1, 7, 10_000])
def test_damaged_streams_yield_their_good_frames(library, size):
    for name, expected in STREAMS.items():
        data = (CORPUS / 'streams' / name).read_bytes()
        pieces = [data[begin : begin + size] for begin in range(0, len(data), size)]
        assert frames(library, pieces, name.endswith('_escaped.bin')) == expected, name


def test_payloads_decode_to_their_type_or_are_refused(library):
    for row in PAYLOADS:
        payload = bytes.fromhex(row['payload'])
        expected = -1 if row['command'] is None else row['command']
        assert library.library_decodes(payload, ctypes.c_size_t(len(payload))) == expected, row


@pytest.mark.parametrize('count', [100_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_no_wrong_command_is_executed_and_the_sanitizers_are_silent(tmp_path, count):
    done = subprocess.run(
        [made('fuzz', tmp_path) / 'fuzz', '1', str(count)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith(f'{count} frames')
    assert done.stdout.rstrip().endswith(' 0 wrong')
    assert int(done.stdout.split(' frames, ')[1].split()[0]) >= 35 * count, 'bytes: 1e7 and more in the long run'
    assert int(done.stdout.split(' bytes: ')[1].split()[0]) > count // 1000, 'some damage leaves the command whole'
