"""`millirobot arm`, `start`, `status`, `set`, `pause`, `resume`, `finish` and `stop` reach the nodes of a run."""

import json

import pytest
from harness import MILLIROBOT, run

from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ESTIMATOR

pytestmark = pytest.mark.system

PATIENT = {
    'guardian_silence': 2.0, 'gate.setpoint_timeout': 1.0, 'gate.telemetry_hold': 1.0, 'gate.pose_hold': 2.0,
    'gate.pose_stop': 5.0, 'gate.state_hold': 2.0, 'gate.state_stop': 5.0,
}  # fmt: skip
"""Nothing here is about watchdogs, and the mock shares the machine."""
SMALL = {'planner.samples': 20, 'planner.batch': 20, 'misses_allowed': 100, 'state_timeout': 10.0, 'path': 'figure8'}


def test_a_run_is_operated_without_the_ros2_tool(group):
    def millirobot(*arguments):
        return run([*MILLIROBOT, *arguments, '--domain', group.environment['ROS_DOMAIN_ID']])

    port = group.start_mock(condition='flat')
    group.start(BRIDGE, port=port, **PATIENT)
    group.start(ESTIMATOR)
    group.start(CONTROLLER, **SMALL)
    group.bring_up(BRIDGE, ESTIMATOR, CONTROLLER)

    early = millirobot('pause')
    assert early.returncode == 1
    assert early.stderr.startswith('millirobot: pause refused: ')
    assert millirobot('arm').returncode == 0
    assert millirobot('start').returncode == 0
    told = json.loads(millirobot('status', '--json').stdout)
    assert told['bridge']['state'] == 'armed'
    assert told['controller']['state'] == 'running'
    assert millirobot('pause').returncode == 0

    done = millirobot('set', 'controller.objective.speed=0.2')
    assert (done.returncode, done.stdout) == (0, 'controller.objective.speed = 0.2\n')
    refused = millirobot('set', 'controller.objective.speed=0.1', 'controller.path=left')
    assert refused.returncode == 1
    assert 'path' in refused.stderr
    assert millirobot('set', 'controller.objective.spead=0.1').returncode == 2

    assert millirobot('resume').returncode == 0
    assert millirobot('finish').returncode == 0
    assert 'finished' in millirobot('status').stdout
    assert millirobot('stop').returncode == 0
    table = millirobot('status').stdout
    assert 'bridge      disarmed  link up' in table
    assert 'operator' in table


def test_where_nobody_runs_one_line_says_so(group):
    for command in (['status'], ['set', 'bridge.gate.pose_stop=1.0']):
        done = run([*MILLIROBOT, *command, '--domain', group.environment['ROS_DOMAIN_ID']])
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith('millirobot: ')
