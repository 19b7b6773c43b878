"""A robot that runs already is not touched by whoever is started beside it."""

import os
import shutil
import subprocess

import pytest
from launch_steps import END, START

from millirobot_adapt.benchmarks.link.launched_robot import processes_of
from millirobot_adapt.contract.states import ManagerPhase

pytestmark = pytest.mark.system


def test_a_second_launch_in_the_same_namespace_is_refused_before_it_touches_the_first(launched, operated, tmp_path):
    robot = operated()
    launched('sim')
    robot.come_up()
    robot.walk(START['sim'])
    before = processes_of(tmp_path)
    folders = set((tmp_path / 'runs').iterdir())
    second = launched('sim')
    said, _ = second.communicate(timeout=END)
    assert second.returncode == 1
    assert f'a robot is being run in the namespace / already (process {before["launched"]})' in said
    assert 'Traceback' not in said
    robot.witness.spin(1.0)
    assert robot.witness.bridge.armed, f'nobody stopped the first: {robot.witness.bridge.last_stop}'
    assert robot.witness.manager.phase is ManagerPhase.ACTIVE
    assert processes_of(tmp_path) == before
    assert set((tmp_path / 'runs').iterdir()) == folders, 'no folder was made'


@pytest.mark.parametrize('node', ['bridge', 'estimator', 'controller'])
def test_a_second_node_of_the_same_name_is_refused(launched, operated, node):
    robot = operated()
    launched('sim')
    robot.come_up()
    answer = subprocess.run(
        [shutil.which('ros2'), 'run', 'millirobot_adapt', node], capture_output=True, text=True, timeout=END,
        check=False, env=dict(os.environ),
    )  # fmt: skip
    assert answer.returncode == 2, answer.stderr
    assert f'error: /{node} runs already on this machine (process ' in answer.stderr
    robot.witness.spin(1.0)
    assert robot.witness.manager.phase is ManagerPhase.ACTIVE, 'nobody noticed'
