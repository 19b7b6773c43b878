"""A viewer hears what is published, in another context, and takes no part."""

import time

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from std_msgs.msg import Float64MultiArray  # noqa: E402

from millirobot_adapt.contract.topics import LEGS, TICK  # noqa: E402
from millirobot_adapt.ros.conversions import joint_state, labelled_array, qos  # noqa: E402
from millirobot_adapt.ros.spectator import Spectator  # noqa: E402


@pytest.mark.usefixtures('domain')
def test_it_hears_the_topics_it_was_given_with_their_names():
    rclpy.init()
    node = rclpy.create_node('speaker', namespace='robot1')
    spectator = Spectator((TICK, LEGS), namespace='robot1')
    try:
        ticks = node.create_publisher(Float64MultiArray, TICK.name, qos(TICK))
        legs = node.create_publisher(type(joint_state(0.0, [1.0, 2.0])), LEGS.name, qos(LEGS))
        heard, deadline = [], time.monotonic() + 20.0
        while {topic for topic, *_ in heard} != {TICK.name, LEGS.name} and time.monotonic() < deadline:
            ticks.publish(labelled_array(np.arange(3.0), 'numbers'))
            legs.publish(joint_state(1.0, [1.0, 2.0]))
            heard += spectator.hear(0.05)
        found = {topic: message for topic, message, _ in heard}
        assert list(found[TICK.name].data) == [0.0, 1.0, 2.0]
        assert list(found[LEGS.name].velocity) == [1.0, 2.0]
        assert all(abs(received - time.time()) < 30.0 for *_, received in heard)
        assert not [name for name, namespace in node.get_node_names_and_namespaces() if namespace != '/robot1']
    finally:
        spectator.close()
        node.destroy_node()
        rclpy.try_shutdown()
