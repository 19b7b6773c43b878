"""The node `teleop` against a joystick and a bridge that the test plays."""

import time

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402
from sensor_msgs.msg import JointState, Joy  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from millirobot_adapt.contract.topics import JOY, SETPOINT  # noqa: E402
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender  # noqa: E402
from millirobot_adapt.nodes.teleop import TeleopNode  # noqa: E402
from millirobot_adapt.ros.conversions import qos  # noqa: E402


class World:
    """What is around the node: it presses the buttons, and notes what comes of it."""

    def __init__(self):
        self.teleop = TeleopNode()
        self.node = Node('world')
        self.joy = self.node.create_publisher(Joy, JOY.name, 10)
        self.node.create_subscription(JointState, SETPOINT.name, self._on_setpoint, qos(SETPOINT))
        self.setpoints, self.frames = [], []
        self.stops = 0
        self.bridge_answers = True
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.teleop)
        self.executor.add_node(self.node)

    def _on_setpoint(self, message):
        self.setpoints.append(list(message.velocity))
        self.frames.append(message.header.frame_id)

    def offer_stop(self):
        self.node.create_service(Trigger, 'bridge/stop', self._on_stop)

    def _on_stop(self, _, response):
        self.stops += 1
        response.success = self.bridge_answers
        return response

    def hold(self, until, held=False, stop=False, silent=False, seconds=30.0):
        """Keep the buttons so, as a joystick that repeats itself does, until a condition holds."""
        buttons = [0, int(stop), 0, 0, int(held)]
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline
            if not silent:
                self.joy.publish(Joy(axes=[0.0, 1.0], buttons=buttons))
            self.executor.spin_once(timeout_sec=0.02)

    def close(self):
        self.teleop.close()
        self.executor.shutdown()
        self.teleop.destroy_node()
        self.node.destroy_node()

    @property
    def status(self):
        return self.teleop.examine().message


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    rclpy.init(args=['--ros-args', '-p', 'stale_after:=1.0'])  # patience with a busy machine
    world = World()
    yield world
    world.close()
    rclpy.try_shutdown()


@pytest.fixture
def driving(world):
    world.hold(lambda: world.status == 'released')
    assert world.setpoints == []
    world.hold(lambda: len(world.setpoints) >= 3, held=True)
    assert all(left == right > 0 for left, right in world.setpoints)
    return world


def test_letting_go_and_falling_silent_end_with_one_zero(driving):
    driving.hold(lambda: driving.setpoints[-1] == [0.0, 0.0])
    driving.hold(lambda: driving.status == 'released')
    said = len(driving.setpoints)
    driving.hold(lambda: len(driving.setpoints) > said, held=True)
    driving.hold(lambda: driving.setpoints[-1] == [0.0, 0.0], silent=True)
    assert driving.status == 'waiting: the joystick is silent'
    assert driving.setpoints.count([0.0, 0.0]) == 2


def test_the_emergency_stop_is_called_until_the_bridge_has_confirmed_it(driving):
    driving.bridge_answers = False
    driving.hold(lambda: 'not confirmed' in driving.status, held=True, stop=True)
    driving.offer_stop()
    driving.hold(lambda: driving.stops >= 2, held=True)
    driving.bridge_answers = True
    driving.hold(lambda: 'not confirmed' not in driving.status, held=True)
    assert driving.setpoints[-1] == [0.0, 0.0], 'holding on does not drive after a stop'


def test_setpoints_are_signed_by_teleop(driving):
    assert {Sender.parse(frame).source for frame in driving.frames} == {ActionSource.TELEOP}
    assert len(set(driving.frames)) == 1


def test_a_press_of_stop_counts_though_the_node_was_held_up_until_after_its_release(driving):
    driving.offer_stop()
    driving.hold(lambda: driving.joy.get_subscription_count() == 1)
    for _ in range(3):  # nothing spins meanwhile: the press is one of many messages that wait
        for stop in (0, 1, 0, 0, 0, 0):
            driving.joy.publish(Joy(axes=[0.0, 1.0], buttons=[0, stop, 0, 0, 1]))
        before = driving.stops
        driving.hold(lambda before=before: driving.stops > before)
        driving.hold(lambda: 'not confirmed' not in driving.status)
