"""The estimator's node: when it publishes, and what it says when it cannot."""

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from millirobot_adapt.core.estimation.arrival_record import ArrivalRecord  # noqa: E402
from millirobot_adapt.core.samples import PoseSample, Telemetry  # noqa: E402
from millirobot_adapt.core.topics import BACK_EMF, BATTERY, IMU, LEGS  # noqa: E402
from millirobot_adapt.nodes.conversions import pose_stamped, telemetry_messages  # noqa: E402
from millirobot_adapt.nodes.estimator import EstimatorNode  # noqa: E402


class Published:
    """Stand in for a publisher."""

    def __init__(self):
        self.messages = []

    def publish(self, message):
        self.messages.append(message)


@pytest.fixture
def node(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    context = rclpy.Context()
    rclpy.init(context=context)
    monkeypatch.setattr('rclpy.node.get_default_context', lambda: context)
    node = EstimatorNode()
    node._odometry = Published()
    yield node
    node.destroy_node()
    context.try_shutdown()


def see(node, stamp, x):
    sample = PoseSample(stamp, np.array([x, 0.0, 0.05]), np.array([0.0, 0.0, 0.0, 1.0]))
    node._on_pose(pose_stamped(sample.stamp, sample.position, sample.quaternion))


def reply(node, stamp):
    none = np.zeros(2)
    messages = telemetry_messages(Telemetry(stamp, none, none, np.zeros(3), np.zeros(3), none, 4.0))
    for topic, message in zip((LEGS, IMU, BATTERY, BACK_EMF), messages, strict=True):
        node._on_part(topic.name, message)


def said(node):
    status = node._examine()
    return status.message, {pair.key: pair.value for pair in status.values}


def test_each_reply_gives_one_odometry_of_its_stamp(node):
    for i in range(50):
        see(node, 1000.0 + 0.01 * i, 0.003 * i)
        if i % 10 == 9:
            reply(node, 1000.005 + 0.01 * i)
    found = node._odometry.messages
    assert [message.header.stamp.nanosec for message in found] == [95_000_000 + 100_000_000 * k for k in range(5)]
    assert (found[-1].header.frame_id, found[-1].child_frame_id) == ('world', 'base_link')
    assert found[-1].pose.pose.position.x == pytest.approx(0.1485, abs=1e-3)
    assert found[-1].twist.twist.linear.x == pytest.approx(0.3, abs=0.02)
    assert found[-1].pose.covariance[0] > 0
    text, values = said(node)
    assert text == 'estimating'
    assert (values['poses accepted'], values['odometry [Hz]']) == ('49', '5')


def test_without_poses_there_is_no_odometry_and_diagnostics_say_why(node):
    reply(node, 1000.0)
    assert node._odometry.messages == []
    assert said(node)[0] == 'no odometry: no pose arrives on /mocap/pose'


def test_without_telemetry_diagnostics_say_so(node):
    see(node, 1000.0, 0.0)
    assert said(node)[0] == 'no odometry: no telemetry arrives on /legs'


def test_useless_poses_are_named(node):
    for _ in range(3):
        see(node, 1000.0, float('nan'))
    reply(node, 1000.0)
    text, values = said(node)
    assert text.startswith('no odometry: no pose is usable')
    assert values['poses invalid'] == '3'


def test_each_reply_leaves_a_record_of_what_came_before_it(node):
    node._record = Published()
    for i in range(20):
        see(node, 1000.0 + 0.01 * i, 0.003 * i)
        if i % 10 == 9:
            reply(node, 1000.005 + 0.01 * i)
    records = [ArrivalRecord.decode(np.array(message.data)) for message in node._record.messages]
    assert [record.number for record in records] == [0, 1]
    assert [pose.stamp for pose in records[1].poses] == pytest.approx([1000.0 + 0.01 * i for i in range(10, 20)])
    assert records[1].telemetry.stamp == pytest.approx(1000.195)
