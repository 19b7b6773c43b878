"""The real processes over DDS and a pty: setpoints reach the motors, and stop with the controller."""

from functools import partial

import numpy as np
import pytest
from harness import wait_for
from sensor_msgs.msg import JointState

from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ESTIMATOR
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.contract.topics import SENT, TRUE_LEGS
from millirobot_adapt.core.control.run_state import RunPhase
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.operator import Operator

pytestmark = pytest.mark.system


@pytest.fixture
def operator(group):
    operator = Operator()
    yield operator
    operator.close()


def insist(operator, service):
    """What a service waits for may be on its way."""
    wait_for(lambda: operator.call(service, 5.0)[0], f'/{service} agrees', between=lambda: operator.spin(0.05))


def test_setpoints_reach_the_motors_and_cease_when_the_controller_is_killed(group, listener, operator):
    legs, sent = [], []
    listener.node.create_subscription(JointState, TRUE_LEGS.name, legs.append, qos(TRUE_LEGS))
    listener.node.create_subscription(JointState, SENT.name, sent.append, qos(SENT))

    everyone_listens = partial(group.listen, operator, listener)
    port = group.start_mock(condition='flat')
    group.start(BRIDGE, port=port)
    group.start(ESTIMATOR)
    group.start(CONTROLLER, path='straight')
    group.bring_up(BRIDGE, ESTIMATOR, CONTROLLER)
    wait_for(
        lambda: operator.bridge and operator.bridge.link is LinkState.UP,
        'the link comes up',
        between=everyone_listens,
    )
    wait_for(
        lambda: operator.controller and operator.controller.run.phase is RunPhase.IDLE,
        'the controller has what it needs',
        between=everyone_listens,
    )
    assert all(np.abs(message.velocity).max() < 1.0 for message in legs[-5:]), 'the robot stands before it is armed'

    insist(operator, 'bridge/arm')
    insist(operator, 'controller/start')
    wait_for(
        lambda: legs and min(legs[-1].velocity) > 2 * np.pi and min(sent[-1].velocity) > 2 * np.pi,
        'both motors turn at more than one revolution a second',
        between=everyone_listens,
    )

    group.kill(CONTROLLER)
    wait_for(lambda: not any(sent[-1].velocity), 'zero is sent', seconds=2.0, between=listener.spin)
    wait_for(
        lambda: np.abs(legs[-1].velocity).max() < 0.5, 'the motors stand still', seconds=5.0, between=listener.spin
    )
    assert group.supervisor.running(BRIDGE.name)
