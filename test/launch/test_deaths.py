"""What dies, and within how long the robot stands and everything is gone: a row each. `-s` prints the table.

The mock is none of the launch's processes, so that it can tell when its motors were told to stand.
"""

import os
import signal
import time

import pytest
from launch_steps import DRIVEN, START, in_terminal

from millirobot_adapt.benchmarks.link.launch_deaths import GONE_BOUND, STOP_BOUND
from millirobot_adapt.benchmarks.link.launched_robot import CAUSES, everything_gone, processes_of

pytestmark = pytest.mark.system


def gone_within():
    """Allow a busy machine in proportion: eight processes that end need about two seconds of a processor."""
    return GONE_BOUND * max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


@pytest.fixture
def walking(mock, operated, tmp_path):
    """A robot that walks, launched from a terminal."""
    robot = operated()
    robot.until((tmp_path / 'radio').exists, 'the mock serves')
    with in_terminal('robot', tmp_path) as terminal:
        robot.come_up()
        robot.walk(START['robot'])
        terminal.read()
        yield robot, terminal


def follow(robot, terminal, folder, cause, what):
    """Wait until everything has ended; return when the motors were told to stand and when no node was left [s]."""

    def turn():
        robot.witness.spin(0.02)
        terminal.read()

    nodes_gone, _ = everything_gone(folder, turn)
    robot.stand()
    stood = robot.witness.changed_at - cause
    print(f'\n| {what} | {stood:.2f} s | {nodes_gone:.1f} s | load {os.getloadavg()[0]:.1f} |')
    return stood, nodes_gone


@pytest.mark.parametrize('what', CAUSES)
def test_a_launch_that_dies_stops_the_robot_and_leaves_no_process_and_a_whole_bag(walking, tmp_path, what):
    robot, terminal = walking
    cause = time.time()
    CAUSES[what](terminal, tmp_path)
    stood, gone = follow(robot, terminal, tmp_path, cause, what)
    assert stood < STOP_BOUND
    assert gone < gone_within()
    assert (tmp_path / 'runs' / 'latest' / 'bag' / 'metadata.yaml').is_file(), 'the bag is whole'


@pytest.mark.parametrize('victim', [node.name for node in DRIVEN['robot']])
def test_a_node_that_is_killed_stops_the_robot_and_the_launch(walking, tmp_path, victim):
    robot, terminal = walking
    cause = time.time()
    os.kill(processes_of(tmp_path)[victim], signal.SIGKILL)
    stood, _ = follow(robot, terminal, tmp_path, cause, f'SIGKILL of {victim}')
    assert stood < STOP_BOUND
    robot.until(terminal.ended, 'the launch ends')
    terminal.read()
    assert terminal.code == 1, terminal.text
    assert f'the run has ended: {victim} was killed by SIGKILL' in terminal.text
    assert (tmp_path / 'runs' / 'latest' / 'ended.txt').read_text().startswith(f'{victim} was killed by SIGKILL')


def test_a_guardian_that_is_killed_is_replaced(walking, tmp_path):
    robot, terminal = walking
    first = processes_of(tmp_path)['process_guardian']
    os.kill(first, signal.SIGKILL)
    robot.until(lambda: processes_of(tmp_path).get('process_guardian', first) != first, 'there is another')
    assert robot.witness.moving, 'the robot walks on'
    cause = time.time()
    os.kill(processes_of(tmp_path)['launched'], signal.SIGKILL)
    stood, gone = follow(robot, terminal, tmp_path, cause, 'SIGKILL of the guardian, then of the run')
    assert stood < STOP_BOUND
    assert gone < gone_within()
