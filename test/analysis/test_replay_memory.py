"""Memory of a replay: it hardly grows with the length of the bag."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest

from millirobot_adapt.contract.topics import BACK_EMF, BATTERY, IMU, LEGS, MOCAP_POSE, SENT
from millirobot_adapt.recording.names import full_names
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.stamp_clocks import set_stamp, stamp_of
from millirobot_adapt.recording.writer import BagWriter

BAGS = Path(__file__).resolve().parents[1] / 'data' / 'bags'
TOPICS = (MOCAP_POSE, LEGS, IMU, BATTERY, BACK_EMF, SENT)
TYPES = {topic.name: topic.type for topic in TOPICS}
PERIOD = 8
"""Seconds of the recorded walk that come again and again."""
LIMIT = 500 * 1024
"""[KiB]."""
MOST_GROWTH = 1.1
"""Four times the bag may take so much of the memory."""

REPLAY = """
import resource, sys
from millirobot_adapt.app.main import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(code)
"""


def write_walk(folder, minutes):
    """A walk of so many minutes, as another recorder would keep it."""
    recorded = [(name, message, at) for name, message, at in open_bag(BAGS / 'good').messages(TOPICS)]
    walks = next(at for name, _, at in recorded if name == LEGS.name)
    recorded = [each for each in recorded if walks <= each[2] < walks + PERIOD]
    with BagWriter(folder, full_names(TOPICS)) as writer:
        for number in range(round(minutes * 60 / PERIOD)):
            for name, message, at in recorded:
                moved = copy.copy(message)
                if hasattr(message, 'header'):
                    moved.header = copy.deepcopy(message.header)
                set_stamp(moved, name, stamp_of(message, name) + number * PERIOD * 1_000_000_000)
                data = bytes(typestore().serialize_cdr(moved, TYPES[name]))
                writer.write(f'/{name}', data, round(at * 1e9) + number * PERIOD * 1_000_000_000)
    return folder


def peak(bag):
    """Largest resident memory of `millirobot replay BAG --no-plan` [KiB]."""
    model = ['--model', str(BAGS / 'small_grbal'), '--method', 'mb']  # adapting takes time and no memory
    command = [sys.executable, '-c', REPLAY, 'replay', str(bag), '--no-plan', *model]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[-1])


@pytest.mark.long
def test_two_hours_take_little_more_memory_than_half_an_hour(tmp_path):
    half_an_hour = peak(write_walk(tmp_path / 'half', 30))
    two_hours = peak(write_walk(tmp_path / 'two', 120))
    print(f'30 min: {half_an_hour / 1024:.0f} MiB, 2 h: {two_hours / 1024:.0f} MiB')
    assert two_hours < LIMIT
    assert two_hours < MOST_GROWTH * half_an_hour
