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
