"""Each process of a run in turn is killed outright while the robot walks, and the run ends as it should."""

import json
import os
import re
import signal
import subprocess

import pytest
from harness import MILLIROBOT, processes_with, wait_for

from millirobot_adapt.analysis.run_data import read_run_data
from millirobot_adapt.bringup.environment import local_environment
from millirobot_adapt.bringup.processes import BRIDGE, MANAGER, MOCK_ROBOT, SIMULATION
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.stored_states import bridge_state
from millirobot_adapt.ros.witness import Witness

pytestmark = pytest.mark.system


class Walk:
    """A demo that walks, and a witness of what the mock's motors are told."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.output = folder / 'output'
        command = [
            *MILLIROBOT,
            'demo',
            '--out',
            str(folder),
            '--seconds',
            '60',
            '--set',
            'controller.planner.samples=100',
        ]
        with self.output.open('w') as output:
            self.program = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        domain = wait_for(lambda: re.search(r'ROS domain (\d+)', self.said()), 'the demo says its domain')
        for name, value in local_environment(int(domain[1])).items():
            if os.environ.get(name) != value:
                monkeypatch.setenv(name, value)
        self.witness = Witness()
        wait_for(lambda: 'off path' in self.said(), 'the robot walks', 90.0, self.look)
        wait_for(lambda: self.witness.moving, 'the witness sees it', between=self.look)

    def said(self):
        return self.output.read_text()

    def look(self):
        self.witness.spin(0.05)

    def kill(self, node):
        (pid,) = processes_with(f'run_node {node.name} --ros-args --params-file {self.folder}')
        os.kill(pid, signal.SIGKILL)

    def close(self):
        self.program.kill()
        self.program.wait()
        self.witness.close()


@pytest.fixture
def walk(tmp_path, monkeypatch):
    walk = Walk(tmp_path, monkeypatch)
    yield walk
    walk.close()


FAST = (BRIDGE, MANAGER)
"""These two of the six; test_demo kills the estimator, test_recording the recorder."""


@pytest.mark.parametrize(
    'node',
    [pytest.param(node, marks=[] if node in FAST else pytest.mark.long) for node in SIMULATION],
    ids=lambda node: node.name,
)
def test_the_motors_are_told_to_stand_everything_ends_and_the_report_says_why(walk, node):
    walk.kill(node)
    wait_for(lambda: walk.program.poll() is not None, 'the run ends', 60.0, walk.look)
    walk.look()
    why = f'{node.name} was killed by SIGKILL'
    assert walk.program.returncode == 1
    assert f'millirobot: {why}' in walk.said(), 'the reason is told'
    assert 'Traceback' not in walk.said()
    assert processes_with(str(walk.folder)) == [], 'everything has ended'
    folder = walk.folder / 'latest'
    assert json.loads((folder / 'summary.json').read_text())['ended'].startswith(why)
    assert why in (folder / 'report.html').read_text()
    told = [bridge_state(state.text, state.values) for state in read_run_data(open_bag(folder)).bridge]
    causes = {state.cause for state in told if state is not None}
    assert StopCause.OPERATOR not in causes, 'nobody asked for a stop'
    if node is MOCK_ROBOT:  # it takes its motors with it; the bridge at least does not believe in them any more
        last = read_run_data(open_bag(folder)).bridge[-1]
        assert not bridge_state(last.text, last.values).armed
    else:
        assert not walk.witness.moving, 'the motors are told to stand'
