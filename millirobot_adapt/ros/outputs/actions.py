"""Publish setpoints, signed with the name of the process that they come from."""

from __future__ import annotations

import secrets
import time

from rclpy.node import Node
from sensor_msgs.msg import JointState

from millirobot_adapt.contract import topics
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender
from millirobot_adapt.ros.conversions import joint_state, qos


class ActionPublisher:
    """One source of actions; the bridge's arbiter knows it by `sender`, which each setpoint carries as its frame."""

    def __init__(self, node: Node, source: ActionSource, layout: StateLayout) -> None:
        self._names = layout.action_names
        self.sender = Sender(source, secrets.token_hex(4))
        self._publisher = node.create_publisher(JointState, topics.SETPOINT.name, qos(topics.SETPOINT))

    def publish(self, setpoint: FloatArray, stamp: float | None = None) -> None:
        """Publish a wanted action, shape (nu,), of a tick that began at `stamp` [s]; None: now."""
        message = joint_state(time.time() if stamp is None else stamp, setpoint, names=self._names)
        message.header.frame_id = self.sender.text
        self._publisher.publish(message)
