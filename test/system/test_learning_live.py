"""A sitting of learning with the mock: from nothing to a model that drives, and whoever is killed on the way."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml
from harness import MILLIROBOT, processes_with, run, wait_for

pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.benchmarks.link.launched_robot import kill, processes_of
from millirobot_adapt.learning.online.progress_file import read_progress
from millirobot_adapt.learning.rollout_file import load_rollouts
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
    'bridge.gate.state_stop': 10.0, 'bridge.gate.leg_hold': 10.0, 'manager.patience': 120.0, 'manager.silence': 20.0,
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
    assert all('in use' in row['answer'] for row in swaps), swaps
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
def witness(domain):
    """Somebody in the domain of what is launched, to arm the robot and to see whether it moves."""
    watching = Witness()
    yield watching
    watching.close()


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


class LaunchedSitting:
    """What learn.launch.py starts, and somebody who arms the robot."""

    def __init__(self, folder, witness, **chosen):
        self.folder, self.witness = folder, witness
        self.output = folder / f'output_{len(list(folder.glob("output_*")))}'
        command = [sys.executable, '-m', 'millirobot_adapt.app.launched', 'learn', *launch_words(folder, **chosen)]
        with self.output.open('w') as stream:
            self.process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)

    @property
    def run(self):
        return (self.folder / 'runs' / 'latest').resolve()

    @property
    def said(self):
        return self.output.read_text()

    def until(self, condition, what, seconds=180.0):
        def turn():
            self.witness.spin(0.05)
            assert self.process.poll() is None, self.said

        wait_for(condition, what, seconds, turn)

    def begin(self):
        self.until(lambda: 'ready to learn' in self.said, 'it is ready')
        done, answer = self.witness.call('bridge/arm', 10.0)
        assert done, answer

    def end(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 0, self.said

    def close(self):
        for pid in (*processes_of(self.folder).values(), self.process.pid):
            kill(pid)
        self.process.wait()


@pytest.fixture
def sit(tmp_path, witness):
    started = []

    def start(**chosen):
        started.append(LaunchedSitting(tmp_path, witness, **chosen))
        return started[-1]

    yield start
    for sitting in started:
        sitting.close()


def test_what_is_launched_learns_from_when_it_is_armed_until_ctrl_c(sit):
    sitting = sit()
    sitting.until(lambda: 'ready to learn' in sitting.said, 'it is ready')
    sitting.witness.spin(2.0)
    assert not sitting.witness.moving, 'nothing moves before it is armed'
    sitting.begin()
    sitting.until(lambda: rows_of(sitting.run, 'shape'), 'a leg is over')
    sitting.end()
    assert 'learn.launch.py itself sets bridge.gate.fence' in sitting.said
    assert 'the robot stands, and every process has ended' in sitting.said
    assert 'what was learned: ' in sitting.said
    assert (sitting.run / 'learning.html').is_file()
    assert not (sitting.run / 'ended.txt').exists()
    assert list((sitting.run / 'legs').glob('*.npz'))
    assert not processes_with(str(sitting.run))


def test_a_rover_learns_from_nothing_to_a_path_with_its_own_model(sit):
    sitting = sit(robot='rover')
    sitting.begin()
    sitting.until(
        lambda: any(row['shape'] != 'random' for row in rows_of(sitting.run, 'shape')), 'it has driven a path', 300.0
    )
    sitting.end()
    assert rows_of(sitting.run, 'swap')[0]['swap'] == '0001'
    manifest = yaml.safe_load((sitting.run / 'models' / '0001' / 'model.yaml').read_text())
    assert (manifest['robot'], manifest['data']['origin']) == ('rover', 'mock')
    path = next(row for row in rows_of(sitting.run, 'shape') if row['shape'] != 'random')
    assert path['cost'] is not None


def last_stamp(legs):
    """When the last state of the last leg was sampled [s, host clock]."""
    return max(float(np.nanmax(load_rollouts(path).stamps)) for path in legs.glob('*.npz'))


def busy(seconds):
    """Allow a busy machine in proportion."""
    return seconds * max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


VICTIMS = ('recorder', 'controller', 'launched')


@pytest.mark.parametrize('victim', VICTIMS)
def test_what_is_killed_loses_a_second_at_most_and_the_sitting_goes_on(sit, victim):
    # `launched` conducts the sitting and holds the leg that is being walked. The rover's mock needs least of a machine.
    # It is killed at a drawn time within two legs and what lies between them: while it walks, stands or swaps a model.
    delay = float(np.random.default_rng(VICTIMS.index(victim)).uniform(0.0, 2.5 * SETTINGS['learn.leg_seconds']))
    sitting = sit(robot='rover')
    sitting.begin()
    sitting.until(lambda: rows_of(sitting.run, 'shape'), 'a leg is over')
    if victim == 'controller':
        sitting.until(lambda: 'controller' in processes_of(sitting.folder), 'there is a model', 300.0)
    legs = len(rows_of(sitting.run, 'shape'))
    sitting.until(lambda: len(rows_of(sitting.run, 'shape')) > legs, 'another leg is over')
    sitting.until(lambda: sitting.witness.moving, 'it walks')
    sitting.witness.spin(delay)
    cut, killed = sitting.run, time.time()
    walking, since = sitting.witness.moving, sitting.witness.changed_at
    os.kill(processes_of(sitting.folder)[victim], signal.SIGKILL)
    wait_for(lambda: not sitting.witness.moving, 'it stands', 20.0, lambda: sitting.witness.spin(0.02))
    stood = sitting.witness.changed_at - killed
    wait_for(lambda: not processes_of(sitting.folder), 'all has ended', 90.0, lambda: sitting.witness.spin(0.05))
    assert sitting.process.wait(10) == (1 if victim != 'launched' else -signal.SIGKILL), sitting.said
    if victim != 'launched':
        assert f'the run has ended: {victim} was killed by SIGKILL' in sitting.said

    resumed = sit(robot='rover', resume=cut)
    resumed.begin()
    # While it stands between two legs there is nothing to lose; a leg of less than a second is not kept.
    last = last_stamp(resumed.run / 'legs')
    lost = killed - max(last, since) if walking else since - last
    when = f'{delay:.1f} s | stood after {stood:.2f} s | lost {lost:.2f} s | load {os.getloadavg()[0]:.1f}'
    print(f'\n| SIGKILL of {victim} after {when} |')
    assert stood < busy(1.0)
    assert lost < busy(1.0)
    inherited = len(list((resumed.run / 'legs').glob('*.npz')))
    if victim == 'launched':
        in_bag_alone = inherited - len(list((cut / 'legs').glob('*.npz')))
        assert in_bag_alone in ((1,) if walking and killed - since > 1.5 else (0, 1)), 'the leg was in the bag'
    resumed.until(lambda: rows_of(resumed.run, 'step'), 'it trains on what was kept', 300.0)
    if victim == 'controller':
        resumed.until(lambda: rows_of(resumed.run, 'swap'), 'the model drives again')
        assert rows_of(resumed.run, 'swap')[0]['answer'] == 'in use from the start'
    resumed.until(lambda: rows_of(resumed.run, 'shape'), 'it walks on')
    resumed.end()
    assert len(list((resumed.run / 'legs').glob('*.npz'))) > inherited
