import pytest


@pytest.fixture
def context(monkeypatch):
    """A ROS context that nothing else hears."""
    rclpy = pytest.importorskip('rclpy')
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    context = rclpy.Context()
    rclpy.init(context=context)
    yield context
    context.try_shutdown()


@pytest.fixture
def node(context):
    """A node that no other node meets."""
    from rclpy.node import Node

    node = Node('alone', context=context)
    yield node
    node.destroy_node()
