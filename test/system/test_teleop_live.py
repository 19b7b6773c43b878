"""The real processes with a joystick: the dead-man button, and the emergency stop, which only arming undoes."""

import itertools

import numpy as np
import pytest
from harness import wait_for
from sensor_msgs.msg import Joy

from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ESTIMATOR, TELEOP
from millirobot_adapt.contract.topics import JOY, MOTORS, SENT
from millirobot_adapt.core.control.run_state import RunPhase
from millirobot_adapt.core.safety.arbiter import ActionSource
from millirobot_adapt.ros.operator import Operator

pytestmark = pytest.mark.system

PATIENT = {
    'guardian_silence': 2.0, 'gate.setpoint_timeout': 1.0, 'gate.telemetry_hold': 1.0, 'gate.pose_hold': 2.0,
    'gate.pose_stop': 5.0, 'gate.state_hold': 2.0, 'gate.state_stop': 5.0,
}  # fmt: skip
"""Nothing here is about watchdogs, and the mock shares the machine."""


@pytest.fixture
def operator(group):
    operator = Operator()
    yield operator
    operator.close()


def test_the_robot_walks_while_the_button_is_held_and_the_stop_disarms_until_somebody_arms(group, listener, operator):
    motors = listener.largest_velocities(MOTORS)
    joystick = listener.node.create_publisher(Joy, JOY.name, 1)
    port = group.start_mock(condition='flat')
    group.start(BRIDGE, port=port, **PATIENT)
    group.start(ESTIMATOR)
    group.bring_up(BRIDGE, ESTIMATOR)
    group.start(TELEOP, stale_after=1.0)  # patience with a busy machine

    count = itertools.count()

    def press(held=False, stop=False):
        """Return what to do while waiting: repeat the buttons, hear what comes of it.

        One message in forty lets the dead-man button go: after a pause of a busy machine a new press is needed.
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


def test_the_hand_takes_over_from_a_run_which_waits_until_it_is_resumed(group, listener, operator):
    sent = listener.largest_velocities(SENT)
    joystick = listener.node.create_publisher(Joy, JOY.name, 1)
    port = group.start_mock(condition='flat')
    group.start(BRIDGE, port=port, **PATIENT)
    group.start(ESTIMATOR)
    light = {'planner.samples': 20, 'planner.horizon': 12, 'misses_allowed': 100, 'engine.threads': 1}
    group.start(CONTROLLER, path='figure8', **light)
    group.bring_up(BRIDGE, ESTIMATOR, CONTROLLER)
    group.start(TELEOP, stale_after=1.0)  # patience with a busy machine

    count = itertools.count()

    def press(held):
        def repeat():
            pressed = held and next(count) % 40 > 0  # after a pause of a busy machine a new press is needed
            joystick.publish(Joy(axes=[0.0, 0.5], buttons=[0, 0, 0, 0, int(pressed)]))
            listener.spin()
            operator.spin(0.01)
            assert group.supervisor.ended() is None

        return repeat

    def phase():
        return operator.controller.run.phase

    def owner():
        return operator.bridge.owner and operator.bridge.owner.source

    released, held = press(False), press(True)
    wait_for(lambda: operator.call('bridge/arm', 5.0)[0], 'the bridge arms', between=released)
    wait_for(lambda: operator.call('controller/start', 5.0)[0], 'a run starts', between=released)
    wait_for(lambda: owner() is ActionSource.CONTROLLER and sent[-1] > 0, 'the controller drives', between=released)
    wait_for(lambda: owner() is ActionSource.TELEOP, 'the hand takes over', between=held)
    wait_for(lambda: phase() is RunPhase.PAUSED, 'the run is paused', between=held)
    seen = len(sent)
    wait_for(lambda: len(sent) > seen + 20, 'the bridge sends on', between=held)
    assert phase() is RunPhase.PAUSED
    assert np.count_nonzero(sent[seen:]) > 0.7 * len(sent[seen:]), 'nobody fights the hand'
    wait_for(lambda: owner() is ActionSource.CONTROLLER and sent[-1] == 0, 'the paused run stands', between=released)
    for _ in range(30):
        released()
    assert sent[-1] == 0.0, 'it does not walk on by itself'
    wait_for(lambda: operator.call('controller/resume', 5.0)[0], 'the run is resumed', between=released)
    wait_for(lambda: owner() is ActionSource.CONTROLLER and sent[-1] > 0, 'the controller drives', between=released)
