"""A bridge that is killed outright, or hangs, while the robot walks: its guardian stops the motors."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from harness import processes_with, wait_for
from sensor_msgs.msg import JointState

from millirobot_adapt.bringup.processes import BRIDGE, ESTIMATOR
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.contract.topics import SETPOINT, TRUE_LEGS
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.ros.conversions import joint_state, qos
from millirobot_adapt.ros.operator import Operator

pytestmark = pytest.mark.system

WALK = np.array([4.0, 4.0]) * 2 * np.pi


class Lab:
    """The mock, the bridge and the estimator; the test itself sends the setpoints whenever it waits."""

    def __init__(self, group, listener):
        self.group, self.listener, self.operator = group, listener, Operator()
        self.duty = [0.0, 0.0]
        node = listener.node
        node.create_subscription(JointState, TRUE_LEGS.name, self.on_legs, qos(TRUE_LEGS))
        self.setpoint = node.create_publisher(JointState, SETPOINT.name, qos(SETPOINT))
        port = group.start_mock(condition='flat')
        group.start(BRIDGE, port=port)
        group.start(ESTIMATOR)
        group.bring_up(BRIDGE, ESTIMATOR)

    def on_legs(self, message):
        self.duty = list(message.effort)

    def spin(self):
        message = joint_state(time.time(), WALK)
        message.header.frame_id = 'teleop/test'
        self.setpoint.publish(message)
        self.operator.spin(0.01)
        self.listener.spin()
        ended = self.group.supervisor.ended()
        assert ended is None or ended.name == BRIDGE.name, ended

    def wait_for(self, condition, what, seconds=30.0):
        return wait_for(condition, what, seconds, between=self.spin)

    def arm(self):
        self.wait_for(lambda: self.operator.call('bridge/arm', 5.0)[0], 'the bridge agrees to arm')

    def walk(self):
        self.arm()
        self.wait_for(lambda: all(self.duty), 'both motors are driven')

    def waits(self):
        state = self.operator.bridge
        return state is not None and state.link is LinkState.UP and not state.armed

    def motors_off(self):
        return not any(self.duty)


def parent(pid):
    return int(Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[1])


@pytest.fixture
def hangup():
    """Let processes end by SIGHUP also where these tests run under nohup, which has children ignore it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def lab(hangup, group, listener):
    lab = Lab(group, listener)
    yield lab
    lab.operator.close()


@pytest.mark.parametrize('number', [signal.SIGKILL, pytest.param(signal.SIGHUP, marks=pytest.mark.long)])
def test_the_guardian_of_a_bridge_killed_outright_switches_the_motors_off_and_leaves(lab, number):
    lab.walk()
    (guardian,) = (pid for pid in processes_with('guardian_process.py') if parent(pid) == lab.group.pids[BRIDGE.name])
    os.kill(lab.group.pids[BRIDGE.name], number)
    lab.wait_for(lab.motors_off, 'the motors are off', seconds=5.0)
    wait_for(lambda: 'serial guardian: the link has ended' in lab.group.log(BRIDGE), 'the guardian says why')
    wait_for(lambda: guardian not in processes_with('guardian_process.py'), 'the guardian leaves')


def test_a_bridge_that_is_started_again_at_once_gets_the_port(lab):
    lab.walk()
    lab.group.kill(BRIDGE)
    lab.group.supervisor.stop_one(BRIDGE.name)
    lab.group.start(BRIDGE, port=lab.group.folder / 'radio', guardian_silence=2.0)  # patience with a busy machine
    lab.group.bring_up(BRIDGE)
    lab.wait_for(lambda: 'link up' in lab.group.log(BRIDGE), 'the new bridge connects')
    lab.wait_for(lambda: lab.waits(), 'the new bridge waits')
    # The start-up holds the legs still with the motors on; only then are they switched off.
    lab.wait_for(lab.motors_off, 'the motors are off')
    assert lab.waits(), 'it does not arm itself'


@pytest.mark.parametrize('number', [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM])
def test_a_bridge_that_is_asked_to_end_has_the_robot_confirm_that_its_motors_are_off(lab, number):
    lab.walk()
    os.kill(lab.group.pids[BRIDGE.name], number)
    lab.wait_for(lab.motors_off, 'the motors are off', seconds=5.0)
    wait_for(lambda: 'motors off' in lab.group.log(BRIDGE), 'the bridge says so')
    assert 'serial guardian' not in lab.group.log(BRIDGE), 'the bridge itself does it'


def test_the_guardian_of_a_bridge_that_hangs_switches_the_motors_off_and_the_bridge_says_why(lab):
    lab.walk()
    bridge = lab.group.pids[BRIDGE.name]
    os.kill(bridge, signal.SIGSTOP)
    try:
        lab.wait_for(lab.motors_off, 'the motors are off', seconds=5.0)
    finally:
        os.kill(bridge, signal.SIGCONT)
    lab.wait_for(
        lambda: lab.operator.bridge.cause is StopCause.LINK and 'serial guardian' in lab.operator.bridge.last_stop,
        'the bridge says why',
    )
    lab.wait_for(lab.motors_off, 'the motors are off, and it does not arm itself again')
    lab.walk()
