"""The demo on the reference firmware as a process of this machine; `make test-firmware` walks on the emulated board."""

import json
import os
import shutil

import pytest
from harness import MILLIROBOT, processes_with, run

pytestmark = pytest.mark.system

ROOM = ['--set', 'controller.planner.samples=60', '--set', 'controller.misses_allowed=50']
"""Leaves time to a loaded machine."""


@pytest.mark.skipif(shutil.which('cc') is None, reason='no C compiler (cc): the demo does not walk on the firmware')
def test_the_demo_walks_on_the_firmware_and_names_it(tmp_path):
    environment = {**os.environ, 'TMPDIR': str(tmp_path)}  # the firmware is compiled there
    command = [*MILLIROBOT, 'demo', '--firmware', 'host', '--seconds', '4', '--out', str(tmp_path), *ROOM]
    answer = run(command, environment, seconds=180)
    assert answer.returncode == 0, answer.stderr
    assert 'firmware          the reference firmware (in C) as a process of this machine' in answer.stdout
    folder = tmp_path / 'latest'
    summary = json.loads((folder / 'summary.json').read_text())
    assert summary['firmware'] == 'host'
    assert summary['stops'] == []
    assert summary['link']['replies'] >= 0.9 * summary['link']['sent'] > 30
    assert summary['tracking']['progress'] > 0.5
    assert [fault['name'] for fault in summary['faults']] == ['missing_leg middle_left']
    assert 'ran the reference firmware (in C) as a process of this machine' in (folder / 'report.html').read_text()
    assert processes_with(str(tmp_path)) == []


def test_an_unknown_firmware_is_one_line(tmp_path):
    answer = run([*MILLIROBOT, 'demo', '--firmware', 'quemu', '--out', str(tmp_path)])
    assert answer.returncode == 2
    assert answer.stderr.splitlines() == ["millirobot: error: firmware 'quemu': no such firmware; did you mean 'qemu'?"]
    assert list(tmp_path.iterdir()) == []


def test_a_missing_emulator_is_one_line_with_the_fix(tmp_path):
    environment = {**os.environ, 'PATH': str(tmp_path)}
    answer = run([*MILLIROBOT, 'demo', '--firmware', 'qemu', '--out', str(tmp_path / 'runs')], environment)
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith('millirobot: error: firmware qemu needs make and arm-none-eabi-gcc and qemu-system-arm')
    assert line.endswith('run: apt install make gcc-arm-none-eabi qemu-system-arm')
    assert not (tmp_path / 'runs').exists()
