"""What the bridge publishes of an exchange follows from what the robot reports."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.ros.outputs.exchange_publisher import ExchangePublisher

PARTS = {'legs', 'imu/data_raw', 'battery', 'back_emf'}


class Node:
    """Keeps what is published, by topic."""

    def __init__(self):
        self.published = {}

    def create_publisher(self, kind, name, qos):
        self.published[name] = []
        return type('Publisher', (), {'publish': lambda _, message: self.published[name].append(message)})()


@pytest.mark.parametrize(
    ('name', 'parts'),
    [('velociroach', PARTS), ('xl330_hexapod', {'legs', 'battery', 'back_emf'}), ('rover', set())],
)
def test_messages_go_out_for_what_the_robot_reports_alone(name, parts):
    robot, node = load_robot(name), Node()
    joints = np.ones(len(robot.joints))
    publisher = ExchangePublisher(node, robot)
    publisher.publish(
        1.0, robot.layout.neutral, Telemetry(1.1, joints, joints, np.zeros(3), np.zeros(3), joints, 4.0), None
    )
    assert {topic for topic, messages in node.published.items() if messages} == {'sent', 'reply'} | parts
    assert set(node.published) & PARTS == parts, 'no topic on which nothing ever comes'


def test_the_effort_is_labelled_with_its_unit():
    robot, node = load_robot('xl330_hexapod'), Node()
    publisher = ExchangePublisher(node, robot)
    publisher.publish(1.0, np.ones(2), Telemetry(1.1, *(np.ones(n) for n in (2, 2, 3, 3, 2)), 5.0), None)
    (message,) = node.published['back_emf']
    assert message.layout.dim[0].label == 'stamp [s], left [A], right [A]'
