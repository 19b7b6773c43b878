"""The program that a launch file starts, without ROS's launch: what it walks by, and what its launcher's death does."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml
from harness import MILLIROBOT, processes_with, run, wait_for

from millirobot_adapt.contract.states import ManagerPhase
from millirobot_adapt.contract.topics import ODOMETRY
from millirobot_adapt.ros.conversions import message_class, qos
from millirobot_adapt.ros.witness import Witness

pytestmark = pytest.mark.system

PATIENT = {
    'bridge': {
        'guardian_silence': 2.0,
        'gate': {
            'setpoint_timeout': 1.0, 'telemetry_hold': 1.0, 'pose_hold': 5.0, 'pose_stop': 10.0, 'state_hold': 5.0,
            'state_stop': 10.0, 'leg_hold': 10.0,
        },
    },
    'controller': {'misses_allowed': 1000, 'planner': {'samples': 50}, 'engine': {'threads': 1}},
    'manager': {'patience': 120.0, 'silence': 20.0},
}  # fmt: skip
"""Nothing here is about watchdogs, and the mock shares the machine."""
LAUNCHER = """
import subprocess, sys, os, time
program = [sys.executable, '-m', 'millirobot_adapt.app.launched', sys.argv[1], f'--launcher={os.getpid()}']
subprocess.Popen([*program, *sys.argv[2:]])
time.sleep(3600)
"""


class Launch:
    """A launcher as `ros2 launch` is one: it starts the program, and may be killed."""

    def __init__(self, folder, words=(), **parameters):
        self.folder = folder
        own = {node: {**values, **parameters.get(node, {})} for node, values in PATIENT.items()}
        for name, values in parameters.items():
            if name == 'bridge':
                own['bridge'] = {**PATIENT['bridge'], 'gate': {**PATIENT['bridge']['gate'], **values['gate']}}
        file = folder / 'lab.yaml'
        file.write_text(yaml.safe_dump({node: {'ros__parameters': values} for node, values in own.items()}))
        words = ['sim', f'out:={folder / "runs"}', 'condition:=flat', 'trajectory:=straight', f'params:={file}', *words]
        self.output = folder / 'output'
        with self.output.open('w') as output:
            self.process = subprocess.Popen(
                [sys.executable, '-c', LAUNCHER, *words], stdout=output, stderr=output, start_new_session=True
            )
        self.witness = Witness()

    def look(self):
        self.witness.spin(0.05)

    def active(self):
        return self.witness.manager is not None and self.witness.manager.phase is ManagerPhase.ACTIVE

    def walk(self):
        wait_for(self.active, 'every node is active', 120.0, self.look)
        wait_for(lambda: self.witness.moving, 'it walks', 120.0, self.urge)

    def urge(self):
        """Arm and start, again where a machine that is too busy has stopped the robot."""
        if not self.witness.moving:
            for service in ('bridge/arm', 'controller/start'):
                self.witness.call(service, 5.0)
        self.witness.spin(0.5)

    @property
    def run(self):
        return self.folder / 'runs' / 'latest'

    def program(self):
        (pid,) = processes_with(f'millirobot_adapt.app.launched sim --launcher={self.process.pid}')
        return pid

    def gone(self):
        return not [pid for pid in processes_with(str(self.folder)) if pid != self.process.pid]

    def close(self):
        for pid in {self.process.pid, *processes_with(str(self.folder))}:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.witness.close()


@pytest.fixture
def launch(tmp_path, domain):
    made = []

    def start(*words, **parameters):
        made.append(Launch(tmp_path, words, **parameters))
        return made[-1]

    yield start
    for each in made:
        each.close()


def test_the_fence_of_the_own_file_stops_the_robot_and_the_run_leaves_its_report(launch):
    fence = [-1.0, -1.0, 0.6, 1.0]
    started = launch(bridge={'gate': {'fence': fence}}, controller={'objective': {'fence_corners': fence}})
    started.walk()
    wait_for(lambda: not started.witness.bridge.armed, 'the fence stops it', 90.0, started.look)
    assert started.witness.bridge.reason == 'outside the fence'
    os.kill(started.program(), signal.SIGINT)
    wait_for(started.gone, 'everything has ended', 90.0, started.look)
    said = started.output.read_text()
    assert 'Traceback' not in said
    assert f'then {started.folder / "lab.yaml"}, then the command line' in said
    for told in ('[bridge] armed', '[controller] running', '[bridge] stopped: outside the fence', 'report: '):
        assert told in said
    assert re.search(r'^the robot stands, and every process has ended$', said, re.MULTILINE)
    summary = json.loads((started.run / 'summary.json').read_text())
    assert 'outside the fence' in [stop['reason'] for stop in summary['stops']]
    assert '<html' in (started.run / 'report.html').read_text()
    parameters = yaml.safe_load((started.run / 'parameters.yaml').read_text())
    assert parameters['parameter_files'][-1] == str(started.folder / 'lab.yaml')
    assert parameters['bridge']['gate']['fence'] == fence


@pytest.mark.parametrize('robot', ['rover', 'xl330_hexapod'])
def test_another_robot_is_launched_by_its_name_and_its_run_repeats_exactly(launch, robot):
    started = launch(f'robot:={robot}')
    started.walk()
    started.witness.spin(3.0)
    os.kill(started.program(), signal.SIGINT)
    wait_for(lambda: not started.witness.moving, 'the motors are told to stand', 20.0, started.look)
    wait_for(started.gone, 'everything has ended', 90.0, started.look)
    assert 'Traceback' not in started.output.read_text()
    parameters = yaml.safe_load((started.run / 'parameters.yaml').read_text())
    assert parameters['robot']['name'] == parameters['estimator']['robot'] == robot
    assert parameters['controller']['model'] == f'{robot}_grbal'
    summary = json.loads((started.run / 'summary.json').read_text())
    assert summary['ticks'] > 10
    answer = run([*MILLIROBOT, 'replay', str(started.run), '--check', '--json'], seconds=200.0)
    assert answer.returncode == 0, answer.stdout
    assert json.loads(answer.stdout)['exact']
    is_played_as_it_was(started)


def is_played_as_it_was(recorded):
    """Let replay.launch.py play the run; nobody says what robot it was."""
    heard = []
    recorded.witness.node.create_subscription(
        message_class(ODOMETRY), ODOMETRY.name, heard.append, qos(ODOMETRY, 100)
    )  # fmt: skip
    command = [sys.executable, '-m', 'millirobot_adapt.app.launched', 'replay', f'bag:={recorded.run}']
    output = recorded.folder / 'replayed'
    with output.open('w') as stream:
        playing = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: playing.poll() is not None, 'the bag is over', 120.0, recorded.look)
    finally:
        playing.kill()
    assert playing.returncode == 0, output.read_text()
    assert 'the bag is over' in output.read_text()
    assert len(heard) > 10, 'its states are estimated again'


@pytest.mark.parametrize('victim', [pytest.param('launcher', marks=pytest.mark.long), 'launcher and program'])
def test_the_death_of_the_launcher_stops_the_robot_and_leaves_no_process_and_a_whole_bag(launch, victim):
    started = launch()
    started.walk()
    program = started.program()
    cause = time.time()
    started.process.kill()
    if victim != 'launcher':
        os.kill(program, signal.SIGKILL)
    wait_for(lambda: not started.witness.moving, 'the motors are told to stand', 20.0, started.look)
    assert started.witness.changed_at - cause < 1.0
    wait_for(started.gone, 'everything has ended', 60.0, started.look)
    assert (started.run / 'bag' / 'metadata.yaml').is_file()
    if victim == 'launcher':
        assert (started.run / 'ended.txt').read_text() == 'ros2 launch has died\n'
    assert 'Traceback' not in started.output.read_text()
