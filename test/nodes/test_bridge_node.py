"""The bridge's node over a pty at whose far end nobody answers: what it takes from others, and how it ends."""

import os
import subprocess
import sys
import time
import tty
from dataclasses import replace

import pytest
import serial

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue  # noqa: E402
from rclpy.lifecycle import TransitionCallbackReturn  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from firmware_bridge.packet_codec import decode_command  # noqa: E402
from firmware_bridge.packets import SetVelocity, StopMotors  # noqa: E402
from firmware_bridge.xbee import StreamParser  # noqa: E402
from millirobot_adapt.contract.states import BridgeState, LinkState  # noqa: E402
from millirobot_adapt.contract.topics import CONTROLLER_STATE  # noqa: E402
from millirobot_adapt.core.robot.description import load_robot  # noqa: E402
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender  # noqa: E402
from millirobot_adapt.core.safety.causes import StopCause  # noqa: E402
from millirobot_adapt.nodes.bridge import BridgeNode  # noqa: E402
from millirobot_adapt.ros.conversions import joint_state, qos, status  # noqa: E402
from millirobot_adapt.ros.inputs.gate_listener import GateListener  # noqa: E402
from millirobot_adapt.ros.managed import NotYetError  # noqa: E402
from millirobot_adapt.ros.outputs.exchange_publisher import battery_status  # noqa: E402


@pytest.fixture(scope='module')
def pty():
    far, near = os.openpty()
    tty.setraw(near)
    os.set_blocking(far, False)
    yield far, os.ttyname(near)
    os.close(far)
    os.close(near)


@pytest.fixture
def node(pty):
    rclpy.init(args=['--ros-args', '-p', f'port:={pty[1]}', '-p', 'link.stop_tries:=1'])
    node = BridgeNode()
    node.trigger_configure()
    yield node
    node.close()
    node.destroy_node()
    rclpy.try_shutdown()


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')


WALK = JointState(name=['left', 'right'], velocity=[30.0, 30.0])


def signed(sender, stamp=None):
    message = joint_state(time.time() if stamp is None else stamp, [30.0, 30.0])
    message.header.frame_id = sender
    return message


@pytest.mark.filterwarnings('ignore:invalid value')
def test_what_foreign_publishers_get_wrong_does_not_end_the_bridge_and_moves_nothing(node):
    listener = GateListener(node, node.loop, ('left', 'right'))
    for message in (
        JointState(),
        WALK,
        signed(''),
        signed('world'),
        signed('keyboard/1'),
        JointState(name=['left', 'right'], velocity=[1.0]),
        JointState(name=['port', 'starboard'], velocity=[1.0, 2.0]),
    ):
        listener.on_setpoint(message)
        assert node.loop.status().owner is None
    assert 'ignored' in node.loop.status().details['refused']
    listener.on_setpoint(signed('teleop/pad'))
    assert node.loop.status().owner == Sender(ActionSource.TELEOP, 'pad')


def test_a_state_of_a_controller_that_makes_no_sense_is_said_and_ignored(node):
    other = rclpy.create_node('other')
    publisher = other.create_publisher(DiagnosticStatus, CONTROLLER_STATE.name, qos(CONTROLLER_STATE))
    publisher.publish(DiagnosticStatus(values=[KeyValue(key='phase', value='dancing')]))
    publisher.publish(status('controller', 'unconfigured', {'lifecycle': 'unconfigured'}))
    for _ in range(20):
        rclpy.spin_once(node, timeout_sec=0.02)
    assert not node.loop.status().armed
    other.destroy_node()


def test_arming_says_why_it_is_refused_and_which_limits_are_in_force(node):
    answer = node.arm(Trigger.Request(), Trigger.Response())
    assert (answer.success, answer.message) == (False, 'not armed: the bridge is inactive, not active')
    node.lifecycle = 'active'
    answer = node.arm(Trigger.Request(), Trigger.Response())
    assert (answer.success, answer.message) == (False, 'not armed: the link is not up')
    node.loop.arm = lambda: None
    answer = node.arm(Trigger.Request(), Trigger.Response())
    assert answer.success
    assert answer.message.startswith('armed; limits: ')
    assert '\n' not in answer.message
    assert 'fence [-1.4 -1.2 2.5 1.8] less 0.1 m' in answer.message
    assert 'dongle' not in answer.message, 'behind a pseudo-terminal there is none'


def test_an_error_on_the_links_thread_ends_the_process(node, monkeypatch):
    def fail():
        raise ZeroDivisionError('unforeseen')

    monkeypatch.setattr(node.loop, 'cycle', fail)
    deadline = time.monotonic() + 30.0
    while node.failure is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert isinstance(node.failure, ZeroDivisionError), 'which `run` raises'
    assert node.loop.status().reason == 'the thread of the link failed: ZeroDivisionError: unforeseen'


def test_a_stop_of_the_manager_is_not_reported_as_the_operators(node):
    for service, cause in (('bridge/stop', StopCause.OPERATOR), ('bridge/manager_stop', StopCause.MANAGER)):
        node.gate.armed = True
        client = node.create_client(Trigger, service)
        future = client.call_async(Trigger.Request())
        rclpy.spin_until_future_complete(node, future, timeout_sec=30.0)
        assert future.result().success
        assert node.loop.status().cause is cause


def test_the_state_tells_of_link_and_counters(node):
    status = node.examine()
    values = {pair.key: pair.value for pair in status.values}
    assert status.level == DiagnosticStatus.ERROR
    assert values['link'] == 'opening'
    assert BridgeState.of(status).link is LinkState.OPENING
    assert {'armed', 'last stop', 'sent', 'replies', 'lost', 'stale', 'warning', 'dry run'} <= set(values)


def test_the_battery_is_a_part_of_its_own(node):
    (battery,) = node.parts()
    assert (battery.name, battery.level) == ('battery', DiagnosticStatus.STALE)
    robot = load_robot('velociroach')
    assert battery_status(robot.battery.low, robot).level == DiagnosticStatus.OK
    battery = battery_status(robot.battery.low - 0.01, robot)
    assert (battery.level, battery.message[-2:]) == (DiagnosticStatus.ERROR, ' V')


def up(node, monkeypatch):
    """Let the link seem to be up, as it is with a robot at the far end."""
    state = node.loop.status()
    monkeypatch.setattr(node.loop, 'status', lambda: replace(state, link=LinkState.UP))


def test_it_becomes_active_when_the_link_is_up(node, monkeypatch):
    assert node.trigger_activate() == TransitionCallbackReturn.FAILURE
    with pytest.raises(NotYetError, match='is the robot on'):
        node.activate()
    up(node, monkeypatch)
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS


def test_deactivated_while_armed_it_stops_the_robot_as_the_operator_does(node, monkeypatch):
    up(node, monkeypatch)
    node.trigger_activate()
    node.gate.armed = True
    node.trigger_deactivate()
    assert not node.gate.armed
    assert node.gate.last_stop == 'the bridge was deactivated'
    node.loop.arm = lambda: None
    assert not node.arm(Trigger.Request(), Trigger.Response()).success, 'the driver is not even asked'


def test_cleaned_up_it_lets_go_of_the_port_and_can_be_configured_again(node, pty):
    for _ in range(2):
        with pytest.raises(serial.SerialException):
            serial.Serial(pty[1], exclusive=True)
        assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
        serial.Serial(pty[1], exclusive=True).close()
        assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS


ENDS_WITHOUT_CLOSE = """
import sys, time
import rclpy
from millirobot_adapt.nodes.bridge import BridgeNode
rclpy.init(args=['--ros-args', '-p', 'port:=' + sys.argv[1], '-p', 'link.stop_tries:=1'])
node = BridgeNode()
node.trigger_configure()
while node.loop.status().details['sent'] == 0:
    time.sleep(0.01)
"""


def test_an_interpreter_that_ends_without_a_word_still_stops_the_robot(pty):
    program = subprocess.run(
        [sys.executable, '-c', ENDS_WITHOUT_CLOSE, pty[1]], capture_output=True, text=True, timeout=60, check=False
    )
    assert program.returncode == 0, program.stderr
    assert 'serial guardian' not in program.stderr, 'the bridge itself does it'
    heard = [decode_command(frame.payload) for frame in StreamParser().feed(os.read(pty[0], 65536))]
    assert heard[-2:] == [SetVelocity((0, 0)), StopMotors()]


def test_a_limit_of_the_gate_is_tightened_while_the_node_runs_and_not_loosened(node):
    def put(name, value):
        result = node.set_parameters_atomically([Parameter(name, value=value)])
        return result.successful, result.reason

    assert put('gate.tilt', 0.5) == (True, '')
    assert node.gate.config.tilt == 0.5
    done, reason = put('gate.tilt', 0.6)
    assert (done, node.gate.config.tilt) == (False, 0.5)
    assert reason.startswith('/bridge: gate.tilt = 0.6 is looser than 0.5')
    assert put('gate.fence_margin', 0.3)[0]
    assert not put('gate.fence_margin', 0.2)[0]
    assert 'read-only' in put('gate.fence', [0.0, 0.0, 1.0, 1.0])[1]
    assert 'read-only' in put('port', '/dev/null')[1]
