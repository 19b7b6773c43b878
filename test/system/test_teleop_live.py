"""The real processes with a joystick: the dead-man button, and the emergency stop, which only arming undoes."""

import itertools

import numpy as np
import pytest
from harness import wait_for
from sensor_msgs.msg import JointState, Joy

from millirobot_adapt.bringup.processes import BRIDGE, ESTIMATOR, MOCK_ROBOT, TELEOP
from millirobot_adapt.contract.topics import JOY, MOTORS
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.operator import Operator

pytestmark = pytest.mark.system


@pytest.fixture
def operator(group):
    operator = Operator()
    yield operator
    operator.close()


def test_the_robot_walks_while_the_button_is_held_and_the_stop_disarms_until_somebody_arms(group, listener, operator):
    port = group.folder / 'radio'
    motors = []
    listener.node.create_subscription(JointState, MOTORS.name, lambda m: motors.append(max(m.velocity)), qos(MOTORS))
    joystick = listener.node.create_publisher(Joy, JOY.name, 1)
    group.start(MOCK_ROBOT, port=port, condition='flat')
    wait_for(port.exists, 'the mock makes its port')
    group.start(BRIDGE, port=port)
    group.start(ESTIMATOR)
    group.bring_up(BRIDGE, ESTIMATOR)
    group.start(TELEOP, stale_after=1.0)  # patience with a busy machine

    count = itertools.count()

    def press(held=False, stop=False):
        """Return what to do while waiting: repeat the buttons, hear what comes of it.

        One message in forty lets the dead-man button go: after a pause of a busy machine a new press is asked for.
        """

        def repeat():
            pressed = held and next(count) % 40 > 0
            joystick.publish(Joy(axes=[0.0, 0.5], buttons=[0, int(stop), 0, 0, int(pressed)]))
            listener.spin()
            operator.spin(0.01)
            assert group.supervisor.ended() is None

        return repeat

    def armed():
        return operator.bridge is not None and operator.bridge.armed

    def walking():
        return bool(motors) and motors[-1] > 2 * np.pi

    def standing():
        return not walking()

    wait_for(lambda: operator.call('bridge/arm', 5.0)[0], 'the bridge arms', between=press())
    assert standing()
    wait_for(walking, 'the motors turn while the button is held', between=press(held=True))
    wait_for(standing, 'they stand when it is let go', seconds=15.0, between=press())
    wait_for(walking, 'they turn again', between=press(held=True))
    wait_for(lambda: standing() and not armed(), 'the stop disarms', seconds=15.0, between=press(held=True, stop=True))
    for buttons in 10 * [press()] + 20 * [press(held=True)]:
        buttons()
    assert standing(), 'after a stop nothing drives'
    wait_for(lambda: operator.call('bridge/arm', 5.0)[0], 'somebody arms', between=press())
    wait_for(walking, 'the motors turn again', between=press(held=True))
