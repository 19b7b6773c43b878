"""`millirobot learn` with the mock: from nothing to a model that drives the robot, and a trainer that is killed."""

import os
import signal
import subprocess
import time

import pytest
from harness import MILLIROBOT, processes_with, run

pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.learning.online.progress_file import read_progress

pytestmark = [pytest.mark.system, pytest.mark.train]

SETTINGS = {
    'learn.random_minutes': 0.5, 'learn.leg_seconds': 6, 'learn.serve_every': 0.1, 'learn.niceness': 0,
    'train.hidden': '16,16',
    'train.window': 8, 'train.horizon': 5, 'train.check_every': 10, 'train.batch': 16,
    'controller.planner.samples': 20, 'controller.planner.batch': 20, 'controller.planner.horizon': 20,
    'controller.engine.threads': 1, 'controller.trial_ticks': 20, 'controller.misses_allowed': 19,
    'controller.state_timeout': 8, 'collector.stale_after': 8, 'bridge.guardian_silence': 2.0,
    'bridge.link.lost_after': 80, 'bridge.gate.setpoint_timeout': 1.0, 'bridge.gate.telemetry_hold': 1.0,
    'bridge.gate.pose_hold': 5.0, 'bridge.gate.pose_stop': 10.0, 'bridge.gate.state_hold': 5.0,
    'bridge.gate.state_stop': 10.0,
}  # fmt: skip
"""A small network, and patience: nothing here is about watchdogs, and all of it shares the machine."""


def rows_of(folder, key):
    return [row for row in read_progress(folder) if key in row]


def test_it_walks_trains_and_swaps_and_outlives_its_trainer(tmp_path):
    settings = [part for name, value in SETTINGS.items() for part in ('--set', f'{name}={value}')]
    command = [*MILLIROBOT, 'learn', '--minutes', '4', '--out', str(tmp_path), *settings]
    folder = tmp_path / 'latest'
    learning = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 240
        killed = False
        while learning.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
            if rows_of(folder, 'swap') and not killed:
                (trainer,) = processes_with(f'trainer_process {folder.resolve()}')
                os.kill(trainer, signal.SIGKILL)
                killed = True
            if (
                killed
                and len(rows_of(folder, 'swap')) >= 2
                and any(row.get('cost') for row in rows_of(folder, 'shape'))
            ):
                learning.send_signal(signal.SIGINT)
                break
        output, _ = learning.communicate(timeout=60)
    finally:
        learning.kill()
    assert learning.returncode == 130, output
    assert 'the trainer has ended and was started again' in output
    swaps = rows_of(folder, 'swap')
    assert swaps[0]['swap'] == '0001'
    assert all('in force' in row['answer'] for row in swaps), swaps
    shapes = [row['shape'] for row in rows_of(folder, 'shape')]
    assert shapes[:4] == ['random'] * 4
    assert 'figure8_small' in shapes
    assert len(list((folder / 'legs').glob('*.npz'))) == len(shapes)
    assert (folder / 'learning.html').is_file()
    assert not processes_with(str(folder.resolve())), 'nothing is left running'
    checked = run([*MILLIROBOT, 'replay', str(folder), '--check'], seconds=240)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert 'bit for bit' in checked.stdout
