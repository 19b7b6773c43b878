"""Recording when things go wrong: a killed recorder and a full disk lose a second, not the run."""

import json
import os
import re
import resource
import signal
import subprocess
import time

import pytest
from harness import MILLIROBOT, processes_with, run, wait_for
from rosbags.rosbag2 import Reader

from millirobot_adapt.recording.reader import open_bag

pytestmark = pytest.mark.system

LOST = 1.0
"""What may be lost: the recorder's flush period [s]."""
SLACK = 1.5
"""What a loaded machine may add to it [s]."""


@pytest.fixture
def walking(tmp_path):
    """A demo that walks, and the process id of its recorder."""
    command = [*MILLIROBOT, 'demo', '--seconds', '60', '--out', str(tmp_path), '--set', 'controller.planner.samples=50']
    output = tmp_path / 'output'
    with output.open('w') as stream:
        demo = subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True)
    wait_for(lambda: re.search(r' [5-9]\.\d/60 s', output.read_text()), 'the robot walks for 5 s', seconds=90)
    (recorder,) = processes_with(f'run_node recorder --ros-args --params-file {tmp_path}')
    yield demo, recorder
    demo.kill()
    demo.wait()


def end_of(bag):
    return max(raw.received for raw in open_bag(bag, lambda line: None).raw_messages()) * 1e-9


def millirobot(*arguments):
    answer = run([*MILLIROBOT, *arguments], seconds=120)
    assert answer.returncode == 0, answer.stderr
    assert 'Traceback' not in answer.stderr
    return answer


def test_a_killed_recorder_loses_the_last_second_and_the_run_can_be_looked_at(tmp_path, walking):
    demo, recorder = walking
    killed = time.time()
    os.kill(recorder, signal.SIGKILL)
    assert demo.wait(60) == 1
    folder = (tmp_path / 'latest').resolve()
    assert 'recorder was killed by SIGKILL' in (tmp_path / 'output').read_text()
    assert killed - end_of(folder / 'bag') < LOST + SLACK

    summary = json.loads(millirobot('report', str(folder), '--json').stdout)
    assert summary['ticks'] > 30
    assert '<html' in (folder / 'report.html').read_text()
    figures = json.loads(millirobot('replay', str(folder), '--no-plan', '--json').stdout)
    assert sum(rollout['ticks'] for rollout in figures['rollouts']) > 30
    checked = json.loads(millirobot('replay', str(folder), '--check', '--json').stdout)
    assert checked['compared']['ticks'] > 30

    told = millirobot('repair', str(folder)).stdout
    assert 'whole now' in told
    with Reader(folder / 'bag') as reader:
        assert len(list(reader.messages())) == reader.message_count > 500
    assert json.loads(millirobot('report', str(folder), '--json').stdout)['ticks'] == summary['ticks']


@pytest.mark.long  # test_recorder.py fills a disk, too, without a walk
def test_a_full_disk_stops_the_run_in_one_line_and_leaves_what_was_recorded(tmp_path, walking):
    demo, recorder = walking
    folder = (tmp_path / 'latest').resolve()
    # No file of the recorder may grow any more: what a full disk does, to this process alone.
    size = max(path.stat().st_size for path in (folder / 'bag').glob('*.mcap'))
    resource.prlimit(recorder, resource.RLIMIT_FSIZE, (size + 1000, size + 1000))
    full = time.time()
    assert demo.wait(60) == 1
    output = (tmp_path / 'output').read_text()
    assert 'recorder exited with 1: error: ' in output
    assert 'cannot be written any more (File too large)' in output
    assert 'Traceback' not in output
    assert len((folder / 'logs' / 'recorder.log').read_text().splitlines()) == 1
    assert full - end_of(folder / 'bag') < LOST + SLACK
    assert json.loads((folder / 'summary.json').read_text())['ticks'] > 30
    assert processes_with(str(tmp_path)) == []
