"""The six-servo robot with the real bridge on a pseudo-terminal: what happens to setpoints, servos and the bridge."""

import os
import signal
import time

import numpy as np
import pytest
from harness import wait_for
from rcl_interfaces.srv import SetParametersAtomically
from sensor_msgs.msg import JointState

from millirobot_adapt.bringup.processes import BRIDGE, ESTIMATOR
from millirobot_adapt.contract.messages import seconds
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.contract.topics import LEGS, MOTORS, SETPOINT
from millirobot_adapt.core.safety.causes import HoldCause, StopCause
from millirobot_adapt.ros.conversions import joint_state, qos
from millirobot_adapt.ros.inject import INJECT, make_request
from millirobot_adapt.ros.operator import Operator

pytestmark = pytest.mark.system

ROBOT = 'xl330_hexapod'
SOON = 1.0
"""Patience with a busy machine [s]: `millirobot bench link --robot xl330_hexapod` measures against 0.3 s."""
WALK = np.array([1.5, 1.5]) * 2 * np.pi


class ServoLab:
    """The mock, the bridge and the estimator; the test itself sends setpoints while `speaking`."""

    def __init__(self, group, listener):
        self.group, self.listener, self.operator = group, listener, Operator()
        self.speaking, self.motors, self.legs = True, [], None
        node = listener.node
        node.create_subscription(JointState, MOTORS.name, self.motors.append, qos(MOTORS))
        node.create_subscription(JointState, LEGS.name, self.on_legs, qos(LEGS))
        self.setpoint = node.create_publisher(JointState, SETPOINT.name, qos(SETPOINT))
        self.inject_client = node.create_client(SetParametersAtomically, INJECT)
        port = group.start_mock('bus', condition='flat', robot=ROBOT)
        group.start(BRIDGE, port=port, robot=ROBOT)
        group.start(ESTIMATOR, robot=ROBOT)
        group.bring_up(BRIDGE, ESTIMATOR)

    def on_legs(self, message):
        self.legs = np.array(message.velocity)

    def spin(self):
        if self.speaking:
            message = joint_state(time.time(), WALK)
            message.header.frame_id = 'teleop/test'
            self.setpoint.publish(message)
            self.spoken = time.time()
        self.operator.spin(0.01)
        self.listener.spin()

    def wait_for(self, condition, what, patience=30.0):
        return wait_for(condition, what, patience, between=self.spin)

    def walk(self):
        self.speaking = True
        if self.operator.bridge is None or not self.operator.bridge.armed:
            self.wait_for(lambda: self.operator.call('bridge/arm', 5.0)[0], 'the bridge agrees to arm')
        self.wait_for(lambda: self.motors and any(self.motors[-1].velocity), 'the motors are driven')
        self.wait_for(lambda: np.all(self.legs > 0.7 * WALK), 'the legs turn')

    def stopped_after(self, since):
        """Wait until the motors are commanded to stand; return how long after `since` that was [s]."""

        def stopped():
            return not any(self.motors[-1].velocity) and seconds(self.motors[-1].header.stamp) > since

        self.wait_for(stopped, 'the motors stop', patience=5.0)
        return seconds(self.motors[-1].header.stamp) - since


@pytest.fixture
def lab(group, listener):
    lab = ServoLab(group, listener)
    yield lab
    lab.operator.close()


def test_it_walks_and_stands_soon_after_whatever_fails(lab):
    lab.walk()

    lab.speaking = False
    silent = lab.stopped_after(lab.spoken)
    assert lab.operator.bridge is not None
    lab.wait_for(lambda: lab.operator.bridge.hold is HoldCause.SETPOINT, 'it is a hold')

    lab.walk()
    asked = time.time()
    lab.operator.call('bridge/stop', 5.0)
    by_operator = lab.stopped_after(asked)
    lab.wait_for(lambda: not lab.operator.bridge.armed, 'it is disarmed')

    lab.walk()
    hung = time.time()
    os.kill(lab.group.pids[BRIDGE.name], signal.SIGSTOP)
    try:
        by_guardian = lab.stopped_after(hung)
    finally:
        os.kill(lab.group.pids[BRIDGE.name], signal.SIGCONT)
    lab.wait_for(lambda: lab.operator.bridge.cause is StopCause.LINK, 'the bridge says why')
    lab.wait_for(lambda: lab.operator.bridge.link is LinkState.UP, 'the link is up again')

    lab.walk()
    died = time.time()  # before the kill, which waits for the process: the motors may stand by then
    lab.group.kill(BRIDGE)
    killed = lab.stopped_after(died)

    print(f'setpoints {silent:.3f}, stop {by_operator:.3f}, bridge hangs {by_guardian:.3f}, killed {killed:.3f} s')
    assert max(silent, by_operator, by_guardian, killed) <= SOON


def test_five_legs_walk_on_when_a_servo_dies_and_the_bridge_names_it(lab):
    lab.walk()
    lab.wait_for(lambda: lab.inject_client.service_is_ready(), 'the mock takes faults')
    lab.inject_client.call_async(make_request('robot.servo', 'rear_right', 0.0))
    lab.wait_for(lambda: 'servo 6 does not answer' in lab.operator.bridge.details['legs_out'], 'the bridge names it')
    lab.wait_for(lambda: np.all(lab.legs > 0.7 * WALK), 'the legs turn')
    assert lab.operator.bridge.armed
