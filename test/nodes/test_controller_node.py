"""The node `controller` without a robot: what becomes of it when one of its threads dies."""

import time

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from millirobot_adapt.contract.states import ControllerState  # noqa: E402
from millirobot_adapt.contract.topics import SETPOINT  # noqa: E402
from millirobot_adapt.core.control.controller import Controller  # noqa: E402
from millirobot_adapt.core.control.run_state import RunPhase  # noqa: E402
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender  # noqa: E402
from millirobot_adapt.core.safety.causes import StopCause  # noqa: E402
from millirobot_adapt.nodes.controller import ControllerNode  # noqa: E402
from millirobot_adapt.ros.conversions import qos  # noqa: E402


def fail(*_):
    raise ZeroDivisionError('unforeseen')


class World:
    """The node, and somebody who hears its setpoints and asks it to start."""

    def __init__(self):
        self.controller = ControllerNode()
        self.node = Node('world')
        self.setpoints = []
        self.node.create_subscription(JointState, SETPOINT.name, self.setpoints.append, qos(SETPOINT))
        self.start = self.node.create_client(Trigger, 'controller/start')
        self.executor = SingleThreadedExecutor()
        for node in (self.controller, self.node):
            self.executor.add_node(node)

    def spin_until(self, condition, seconds=30.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            self.executor.spin_once(timeout_sec=0.02)

    def close(self):
        self.controller.close()
        self.executor.shutdown()
        self.controller.destroy_node()
        self.node.destroy_node()


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    rclpy.init(args=['--ros-args', '-p', 'planner.samples:=20', '-p', 'planner.horizon:=5'])
    world = World()
    yield world
    world.close()
    rclpy.try_shutdown()


@pytest.mark.parametrize(('method', 'thread'), [('work', 'work'), ('begin_tick', 'tick')])
def test_a_thread_that_dies_ends_the_node_stops_the_robot_and_lets_no_run_start(world, monkeypatch, method, thread):
    monkeypatch.setattr(Controller, method, fail)
    world.controller.trigger_configure()
    world.spin_until(lambda: world.controller.failure is not None)
    assert isinstance(world.controller.failure, ZeroDivisionError), 'which `run` raises, and the process ends'

    state = ControllerState.of(world.controller.examine())
    assert (state.run.phase, state.run.cause) == (RunPhase.STOPPED, StopCause.FAULT)
    assert state.run.reason == f"the thread '{thread}' failed: ZeroDivisionError: unforeseen"

    world.controller.lifecycle = 'active'
    world.spin_until(world.start.service_is_ready)
    future = world.start.call_async(Trigger.Request())
    world.spin_until(future.done)
    assert not future.result().success
    assert 'unforeseen' in future.result().message


def test_setpoints_are_signed_and_the_last_one_is_zero(world):
    world.controller.trigger_configure()
    world.spin_until(lambda: world.node.count_publishers(SETPOINT.name) == 1)
    world.controller.trigger_cleanup()
    world.spin_until(lambda: world.setpoints)
    assert list(world.setpoints[-1].velocity) == [0.0, 0.0]
    assert Sender.parse(world.setpoints[-1].header.frame_id).source is ActionSource.CONTROLLER
