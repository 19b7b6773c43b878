"""The demo as a newcomer runs it, short; and Ctrl-C at every stage of it."""

import json
import os
import signal
import subprocess

import pytest
import yaml
from harness import MILLIROBOT, processes_with, run, wait_for

pytestmark = pytest.mark.system

ROOM = ['--set', 'controller.planner.samples=100']
"""Leaves time to a loaded machine."""


@pytest.fixture
def start(tmp_path):
    """Start the demo as a shell does, and end it whatever the test does."""
    started = []

    def start(*arguments):
        command = [*MILLIROBOT, 'demo', '--out', str(tmp_path), *ROOM, *arguments]
        with (tmp_path / 'output').open('w') as output:
            started.append(subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True))
        return started[-1]

    yield start
    for program in started:
        program.kill()
        program.wait()


def the_run(tmp_path):
    return tmp_path / 'latest'


def check_run_folder(folder):
    summary = json.loads((folder / 'summary.json').read_text())
    assert '<html' in (folder / 'report.html').read_text().lower()
    assert yaml.safe_load((folder / 'parameters.yaml').read_text())['model']['sha256']
    assert list((folder / 'bag').glob('*.mcap'))
    return summary


def test_a_short_demo_leaves_a_whole_run_folder_and_no_process(tmp_path):
    answer = run([*MILLIROBOT, 'demo', '--out', str(tmp_path), '--seconds', '4', *ROOM], seconds=120)
    assert answer.returncode == 0, answer.stderr
    assert 'off path' in answer.stderr, 'progress is shown'
    assert str(the_run(tmp_path).resolve() / 'report.html') in answer.stdout
    summary = check_run_folder(the_run(tmp_path))
    assert 38 <= summary['ticks'] <= 43
    assert summary['link']['replies'] >= 0.9 * summary['link']['sent'] > 30
    assert [fault['name'] for fault in summary['faults']] == ['missing_leg middle_left']
    assert summary['stops'] == []
    assert processes_with(str(tmp_path)) == []
    answer = run([*MILLIROBOT, 'replay', str(the_run(tmp_path)), '--check', '--json'])
    assert answer.returncode == 0, answer.stdout
    figures = json.loads(answer.stdout)
    assert figures['exact'], 'the same machine compares bit for bit'
    assert figures['compared']['ticks'] >= 0.8 * summary['ticks']
    assert figures['compared']['odometries'] >= figures['compared']['ticks']


@pytest.mark.parametrize(('robot', 'fault'), [('rover', 'wheel_gain'), ('xl330_hexapod', 'robot.servo middle_left')])
def test_another_robot_walks_loses_something_and_its_run_repeats_exactly(tmp_path, robot, fault):
    patient = ['--set', 'controller.misses_allowed=50', *ROOM]
    arguments = ['demo', '--robot', robot, '--out', str(tmp_path), '--seconds', '6', *patient]
    answer = run([*MILLIROBOT, *arguments], seconds=200)
    assert answer.returncode == 0, answer.stderr
    summary = check_run_folder(the_run(tmp_path))
    assert summary['ticks'] > 40
    assert [fault['name'] for fault in summary['faults']] == [fault]
    sent, replies = summary['link']['sent'], summary['link']['replies']
    assert sent > 40
    if robot == 'rover':
        assert replies is None, 'nobody answers a velocity command'
    else:
        assert replies >= 0.5 * sent, 'a busy machine answers late'
    assert summary['stops'] == []
    assert processes_with(str(tmp_path)) == []
    answer = run([*MILLIROBOT, 'replay', str(the_run(tmp_path)), '--check', '--json'], seconds=200)
    assert answer.returncode == 0, answer.stdout
    assert json.loads(answer.stdout)['exact']


def test_ctrl_c_while_walking_still_writes_the_report(tmp_path, start):
    program = start('--seconds', '60')
    wait_for(lambda: 'off path' in (tmp_path / 'output').read_text(), 'the robot walks', seconds=60)
    os.killpg(program.pid, signal.SIGINT)
    wait_for(lambda: 'interrupted' in (tmp_path / 'output').read_text(), 'processes end')
    os.killpg(program.pid, signal.SIGINT)  # an impatient second one
    assert program.wait(60) == 130
    summary = check_run_folder(the_run(tmp_path))
    assert summary['ticks'] > 0
    assert processes_with(str(tmp_path)) == []


def test_ctrl_c_during_the_start_ends_every_process(tmp_path, start):
    program = start()
    wait_for(lambda: list(tmp_path.glob('latest/logs/mock_robot.log')), 'the first processes start')
    os.killpg(program.pid, signal.SIGINT)
    assert program.wait(60) == 130
    assert processes_with(str(tmp_path)) == []
    assert 'Traceback' not in (tmp_path / 'output').read_text()


@pytest.mark.long
def test_a_process_that_dies_ends_the_run_with_its_name(tmp_path, start):
    program = start('--seconds', '60')
    wait_for(lambda: 'off path' in (tmp_path / 'output').read_text(), 'the robot walks', seconds=60)
    for pid in processes_with('run_node estimator --ros-args --params-file ' + str(tmp_path)):
        os.kill(pid, signal.SIGKILL)
    assert program.wait(60) == 1
    assert 'estimator was killed by SIGKILL' in (tmp_path / 'output').read_text()
    check_run_folder(the_run(tmp_path))
    assert processes_with(str(tmp_path)) == []


def test_no_process_outlives_a_demo_that_is_killed_outright(tmp_path, start):
    program = start('--seconds', '60')
    wait_for(lambda: 'off path' in (tmp_path / 'output').read_text(), 'the robot walks', seconds=60)
    program.kill()
    program.wait()
    wait_for(lambda: not processes_with(str(tmp_path)), 'every process ends')
