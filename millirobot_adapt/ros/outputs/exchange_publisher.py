"""Publish what was sent to the robot and what its reply says, and its battery as a part of its own on /diagnostics."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import BatteryState, Imu, JointState
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.messages import reported_parts
from millirobot_adapt.contract.reply_codec import encode_reply
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.ros.conversions import joint_state, labelled_array, qos, status, telemetry_messages

KINDS = (JointState, Imu, BatteryState, Float64MultiArray)
"""Messages of `topics.REPLY_PARTS`."""


class ExchangePublisher:
    """Publish what was sent, and the reply: as one array for the estimator, as messages of its stamp for all others.

    Messages go out for what the robot reports alone: zeros of a gyro that is not there would be a false reading.
    """

    def __init__(self, node: Node, robot: RobotConfig) -> None:
        layout = robot.layout
        self._actions = layout.action_names
        self._names = [joint.name for joint in layout.joints]
        self._unit = layout.effort.unit if layout.effort else ''
        self._sent = node.create_publisher(JointState, topics.SENT.name, qos(topics.SENT))
        self._decision = node.create_publisher(JointState, topics.DECISION.name, qos(topics.DECISION))
        self._reply = node.create_publisher(Float64MultiArray, topics.REPLY.name, qos(topics.REPLY))
        reported = reported_parts(robot)
        self._publishers = [
            node.create_publisher(kind, topic.name, qos(topic)) if topic in reported else None
            for topic, kind in zip(topics.REPLY_PARTS, KINDS, strict=True)
        ]

    def publish(self, stamp: float, sent: FloatArray, telemetry: Telemetry | None, decided: FloatArray | None) -> None:
        """Publish an exchange.

        Args:
            stamp: Time of sending [s, host clock].
            sent: What the robot was commanded, shape (nu,).
            telemetry: Its reply; None: none came.
            decided: What was decided, shape (nu,), where that was not sent; None: it was.
        """
        self._sent.publish(joint_state(stamp, sent, names=self._actions))
        if decided is not None:
            self._decision.publish(joint_state(stamp, decided, names=self._actions))
        if telemetry is not None:
            self._publish_reply(telemetry)

    def _publish_reply(self, telemetry: Telemetry) -> None:
        self._reply.publish(labelled_array(encode_reply(telemetry), f'reply, see {encode_reply.__module__}'))
        messages = telemetry_messages(telemetry, self._names, self._unit)
        for publisher, message in zip(self._publishers, messages, strict=True):
            if publisher is not None:
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
