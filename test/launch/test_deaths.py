"""What dies, and within how long the robot stands and everything is gone: a row each. `-s` prints the table.

The mock is none of the launch's processes, so that it can tell when its motors were told to stand.
"""

import os
import signal
import time

import pytest
from launch_steps import DRIVEN, NOT_NODES, START, Terminal, processes_of

pytestmark = pytest.mark.system

STANDS = 1.0
"""The motors are told to stand within this time of the cause [s]."""
GONE = 5.0
"""Every node has ended within this time of the cause [s], on a machine that has nothing else to do."""


def gone_within():
    """Allow a busy machine in proportion: eight processes that end need about two seconds of a processor."""
    return GONE * max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


@pytest.fixture
def walking(mock, operated, tmp_path):
    """A robot that walks, launched from a terminal."""
    robot = operated()
    robot.until((tmp_path / 'radio').exists, 'the mock serves')
    with Terminal('robot', tmp_path) as terminal:
        robot.come_up()
        robot.walk(START['robot'])
        terminal.read()
        yield robot, terminal


def left(folder):
    return set(processes_of(folder)) - {'mock_robot'}


def follow(robot, terminal, folder, cause, what):
    """Wait until everything has ended; return when the motors were told to stand and when no node was left [s].

    The program that conducts the run may stay a little longer, to write the report.
    """
    began = time.monotonic()
    gone = None
    while left(folder):
        assert time.monotonic() < began + 90.0, left(folder)
        if gone is None and not left(folder) - NOT_NODES:
            gone = time.monotonic() - began
        robot.witness.spin(0.02)
        terminal.read()
    gone = time.monotonic() - began if gone is None else gone
    robot.stand()
    stood = robot.witness.changed_at - cause
    print(f'\n| {what} | {stood:.2f} s | {gone:.1f} s | load {os.getloadavg()[0]:.1f} |')
    return stood, gone


def closed(terminal, folder):
    terminal.shut()


def send(number):
    def kill(terminal, folder):
        os.kill(terminal.pid, number)

    return kill


def kill_run(*programs):
    def kill(terminal, folder):
        found = processes_of(folder)
        if 'launch' in programs:
            os.kill(terminal.pid, signal.SIGKILL)
        for program in programs:
            if program != 'launch':
                os.kill(found[program], signal.SIGKILL)

    return kill


CAUSES = {
    'SIGTERM of ros2 launch': send(signal.SIGTERM),
    'SIGKILL of ros2 launch': send(signal.SIGKILL),
    'SIGHUP of ros2 launch': send(signal.SIGHUP),
    'SIGINT of ros2 launch alone': send(signal.SIGINT),
    'its terminal is closed': closed,
    'SIGKILL of the run': kill_run('launched'),
    'SIGKILL of ros2 launch and of the run at once': kill_run('launch', 'launched'),
}


@pytest.mark.parametrize('what', CAUSES)
def test_a_launch_that_dies_stops_the_robot_and_leaves_no_process_and_a_whole_bag(walking, tmp_path, what):
    robot, terminal = walking
    cause = time.time()
    CAUSES[what](terminal, tmp_path)
    stood, gone = follow(robot, terminal, tmp_path, cause, what)
    assert stood < STANDS
    assert gone < gone_within()
    assert (tmp_path / 'runs' / 'latest' / 'bag' / 'metadata.yaml').is_file(), 'the bag is whole'


@pytest.mark.parametrize('victim', [node.name for node in DRIVEN['robot']])
def test_a_node_that_is_killed_stops_the_robot_and_the_launch(walking, tmp_path, victim):
    robot, terminal = walking
    cause = time.time()
    os.kill(processes_of(tmp_path)[victim], signal.SIGKILL)
    stood, _ = follow(robot, terminal, tmp_path, cause, f'SIGKILL of {victim}')
    assert stood < STANDS
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
    assert stood < STANDS
    assert gone < gone_within()
