"""A sitting of learning with the mock: from nothing to a model that drives the robot, and a trainer that is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest
import yaml
from harness import MILLIROBOT, processes_with, run, wait_for

pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.bringup.environment import local_environment, reserve_domain
from millirobot_adapt.learning.online.progress_file import read_progress
from millirobot_adapt.ros.witness import Witness

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


@pytest.fixture
def witness(monkeypatch):
    """Somebody in the domain of what is launched, to arm the robot and to see whether it moves."""
    domain = reserve_domain()
    for name, value in local_environment(domain.number).items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
    watching = Witness()
    yield watching
    watching.close()
    domain.release()


def launch_words(folder, **chosen):
    """Arguments of learn.launch.py that suit a test."""
    own = {}
    for name, value in SETTINGS.items():
        node, _, parameter = name.partition('.')
        own.setdefault(node, {})[parameter] = value
    ours = ' '.join(f'{name}={value}' for name, value in SETTINGS.items() if name.split('.')[0] in ('learn', 'train'))
    del own['learn'], own['train']
    file = folder / 'lab.yaml'
    file.write_text(yaml.safe_dump({node: {'ros__parameters': values} for node, values in own.items()}))
    given = {'out': folder / 'runs', 'params': file, 'settings': ours, **chosen}
    return [f'{name}:={value}' for name, value in given.items()]


def test_what_is_launched_learns_from_when_it_is_armed_until_ctrl_c(tmp_path, witness):
    command = [sys.executable, '-m', 'millirobot_adapt.app.launched', 'learn', *launch_words(tmp_path)]
    output = tmp_path / 'output'
    with output.open('w') as stream:
        learning = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    try:
        turn = lambda: witness.spin(0.05)  # noqa: E731
        wait_for(lambda: 'ready to learn' in output.read_text(), 'it is ready', 120.0, turn)
        witness.spin(2.0)
        assert not witness.moving, 'nothing moves before it is armed'
        done, answer = witness.call('bridge/arm', 10.0)
        assert done, answer
        folder = tmp_path / 'runs' / 'latest'
        wait_for(lambda: rows_of(folder, 'shape'), 'a leg is over', 120.0, turn)
        learning.send_signal(signal.SIGINT)
        assert learning.wait(60) == 0, output.read_text()
    finally:
        learning.kill()
    said = output.read_text()
    assert 'learn.launch.py itself sets bridge.gate.fence' in said
    assert 'the robot stands, and every process has ended' in said
    assert 'what was learned: ' in said
    assert (folder / 'learning.html').is_file()
    assert not (folder / 'ended.txt').exists()
    assert list((folder / 'legs').glob('*.npz'))
    assert not processes_with(str(folder.resolve()))
