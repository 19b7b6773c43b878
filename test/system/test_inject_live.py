"""`millirobot inject` and the service `mock/inject` reach a mock that runs as a process of its own."""

import time

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from harness import MILLIROBOT, run, wait_for

from millirobot_adapt.bringup.processes import ESTIMATOR, MOCK_ROBOT
from millirobot_adapt.bringup.running_nodes import running_nodes
from millirobot_adapt.contract.topics import FAULT, MOCAP_POSE
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.inject import inject_once

pytestmark = pytest.mark.system


def inject(group, *arguments):
    domain = group.environment['ROS_DOMAIN_ID']
    return run([*MILLIROBOT, 'inject', *arguments, '--domain', domain])


def test_faults_begin_end_and_are_refused_from_another_program(group, listener, tmp_path):
    poses, faults = [], []
    listener.node.create_subscription(PoseStamped, MOCAP_POSE.name, poses.append, qos(MOCAP_POSE, depth=100))
    listener.node.create_subscription(DiagnosticStatus, FAULT.name, faults.append, qos(FAULT))
    group.start(MOCK_ROBOT, port=tmp_path / 'radio', condition='flat')
    listener.wait_for(lambda: poses, 'motion capture')
    (mock,) = [mock for mock in running_nodes('mock_robot') if mock.process == group.pids['mock_robot']]
    assert str(mock.domain) == group.environment['ROS_DOMAIN_ID']

    answer = inject(group, 'mocap.zeros', '--for', '3600')
    assert (answer.returncode, answer.stdout) == (0, 'mocap.zeros begins for 3600 s\n')
    listener.wait_for(lambda: faults, 'the fault on mock/fault')
    assert (faults[-1].name, faults[-1].message) == ('mocap.zeros', 'mocap.zeros begins for 3600 s')
    poses.clear()
    listener.wait_for(lambda: poses and poses[-1].pose.position.z == 0.0, 'poses of zeros')

    assert inject(group, 'clear').returncode == 0
    listener.wait_for(lambda: poses[-1].pose.position.z > 0.0, 'true poses again')

    answer = inject(group, 'mocap.frame_id')
    listener.wait_for(lambda: poses[-1].header.frame_id == 'map', 'the other frame')

    assert inject_once('', 'clock.host', '-100.0', 0.0) == (True, 'clock.host -100.0 begins')
    listener.wait_for(lambda: poses[-1].header.stamp.sec < time.time() - 90, 'stamps of the stepped clock')

    assert inject_once('', 'process.kill', 'estimator', 0.0) == (
        False, 'process.kill = estimator: this run has no process estimator',
    )  # fmt: skip
    group.start(ESTIMATOR)
    answer = inject(group, 'process.kill', 'estimator')
    assert answer.returncode == 0
    wait_for(lambda: not group.supervisor.running('estimator'), 'the estimator is gone')
    answer = inject(group, 'process.kill', 'estimator')
    assert answer.returncode == 1
    assert answer.stderr == 'millirobot: process.kill = estimator: this run has no process estimator\n'
    assert group.supervisor.running('mock_robot')


def test_a_request_that_names_no_fault_or_two_is_refused(group, listener, tmp_path):
    from rcl_interfaces.msg import Parameter, ParameterValue
    from rcl_interfaces.srv import SetParametersAtomically

    group.start(MOCK_ROBOT, port=tmp_path / 'radio', condition='flat')
    client = listener.node.create_client(SetParametersAtomically, 'mock/inject')
    listener.wait_for(client.service_is_ready, 'the service')

    def ask(**values):
        given = [Parameter(name=name.replace('__', '.'), value=value) for name, value in values.items()]
        future = client.call_async(SetParametersAtomically.Request(parameters=given))
        listener.wait_for(future.done, 'an answer')
        return future.result().result

    number = ParameterValue(type=3, double_value=0.1)
    assert ask(radio__loss=number).successful
    for refused, reason in (
        ({}, 'names one fault'),
        ({'radio__loss': number, 'radio__delay': number}, 'names one fault'),
        ({'radio__los': number}, "did you mean 'radio.loss'"),
        ({'radio__loss': ParameterValue(type=4, string_value='[')}, 'is not a YAML value'),
        ({'radio__loss': number, 'duration': ParameterValue(type=4, string_value='long')}, 'duration'),
        ({'radio__loss': ParameterValue(type=8, double_array_value=[0.1])}, 'must be a number'),
    ):
        answer = ask(**refused)
        assert not answer.successful
        assert reason in answer.reason


def test_without_a_mock_and_with_a_wrong_name_it_says_so():
    answer = run([*MILLIROBOT, 'inject', 'mocap.stop', '--domain', '231'])
    assert answer.returncode == 2
    # The second where another run on this machine has one.
    assert 'no mock runs' in answer.stderr or 'mock_robot does not run in ROS domain 231' in answer.stderr
    answer = run([*MILLIROBOT, 'inject', 'mocap.stoop'])
    assert answer.returncode == 2
    assert "did you mean 'mocap.stop'" in answer.stderr
