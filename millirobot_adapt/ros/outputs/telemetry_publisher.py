"""Publish what one reply of the robot says, and its battery as a part of its own on /diagnostics."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import BatteryState, Imu, JointState
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.reply_codec import encode_reply
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import StateLayout
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.ros.conversions import labelled_array, qos, status, telemetry_messages

KINDS = (
    (topics.LEGS, JointState),
    (topics.IMU, Imu),
    (topics.BATTERY, BatteryState),
    (topics.BACK_EMF, Float64MultiArray),
)


class TelemetryPublisher:
    """Publish each reply as one array for the estimator, and as four messages of the same stamp for everybody else."""

    def __init__(self, node: Node, layout: StateLayout) -> None:
        self._names = [joint.name for joint in layout.joints]
        self._reply = node.create_publisher(Float64MultiArray, topics.REPLY.name, qos(topics.REPLY))
        self._publishers = [node.create_publisher(kind, topic.name, qos(topic)) for topic, kind in KINDS]

    def publish(self, telemetry: Telemetry) -> None:
        """Publish one reply."""
        self._reply.publish(labelled_array(encode_reply(telemetry), f'reply, see {encode_reply.__module__}'))
        for publisher, message in zip(self._publishers, telemetry_messages(telemetry, self._names), strict=True):
            publisher.publish(message)


def battery_status(volts: float | None, robot: RobotConfig) -> DiagnosticStatus:
    """Say how the battery is by its newest voltage [V]; None: there is none yet."""
    if robot.battery is None:
        return status('battery', 'the robot reports no voltage', {}, DiagnosticStatus.OK)
    if volts is None:
        return status('battery', 'no reading yet', {}, DiagnosticStatus.STALE)
    low = robot.battery.low
    level = DiagnosticStatus.ERROR if volts < low else DiagnosticStatus.OK
    return status('battery', f'{volts:.2f} V', {'voltage [V]': volts, 'low [V]': low}, level)
