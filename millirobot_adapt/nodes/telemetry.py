"""Publish what one reply of the robot says."""

from __future__ import annotations

from rclpy.node import Node
from sensor_msgs.msg import BatteryState, Imu, JointState
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.core import topics
from millirobot_adapt.core.samples import Telemetry
from millirobot_adapt.nodes.conversions import qos, telemetry_messages

KINDS = (
    (topics.LEGS, JointState),
    (topics.IMU, Imu),
    (topics.BATTERY, BatteryState),
    (topics.BACK_EMF, Float64MultiArray),
)


class TelemetryPublisher:
    """Publish telemetry as the four messages of the contract, all with its stamp."""

    def __init__(self, node: Node) -> None:
        self._publishers = [node.create_publisher(kind, topic.name, qos(topic)) for topic, kind in KINDS]

    def publish(self, telemetry: Telemetry) -> None:
        """Publish one reply."""
        for publisher, message in zip(self._publishers, telemetry_messages(telemetry), strict=True):
            publisher.publish(message)
