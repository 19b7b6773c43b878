"""A bag that is recorded for an hour does not fill the memory: each file's index goes with the file."""

import os
import subprocess
import sys

import pytest

from millirobot_adapt.nodes.recorder import RecorderConfig

pytestmark = pytest.mark.long

HOUR = """
import os, sys
from pathlib import Path
from millirobot_adapt.recording.names import full_names
from millirobot_adapt.recording.writer import BagWriter

def memory():
    text = Path('/proc/self/status').read_text()
    return int(next(line for line in text.splitlines() if line.startswith('VmRSS')).split()[1])

writer = BagWriter(Path(sys.argv[1]), split_size=round(float(sys.argv[2]) * 1e6))
names = list(full_names())[:16]
noise, stamp = os.urandom(2**20), 10**18
for second in range(3660):
    if second == 60:
        before = memory()
    for number in range(275):
        begin = (7919 * number + 104729 * second) % (2**20 - 200)
        stamp += 3_600_000
        writer.write(names[number % 16], noise[begin : begin + 130], stamp)
    writer.flush()
print(memory() - before)
writer.close()
"""


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='this is not Linux')
def test_an_hour_of_recording_takes_little_memory(tmp_path):
    command = [sys.executable, '-c', HOUR, str(tmp_path / 'bag'), str(RecorderConfig().split_size)]
    grown = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    sizes = [file.stat().st_size for file in (tmp_path / 'bag').glob('*.mcap')]
    print(f'{grown} kB more after an hour, {sum(sizes) / 1e6:.0f} MB in {len(sizes)} files')
    assert len(sizes) > 1
    assert grown < 3000
