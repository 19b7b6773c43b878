"""Hear what the gate looks at: setpoints, the estimate, and how fresh motion capture is."""

from __future__ import annotations

from typing import Protocol

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import JointState

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.messages import quaternion, seconds, sides, vector
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.inputs.polled import PolledStamps


class GateInput(Protocol):
    """What takes the news; stamps are in seconds since the epoch."""

    def on_setpoint(self, setpoint: FloatArray, stamp: float) -> None:
        """Take wanted leg velocities [rad/s], shape (2,)."""

    def on_pose(self, stamp: float) -> None:
        """Note that a mocap pose has come."""

    def on_odometry(self, position: FloatArray, quaternion: FloatArray, stamp: float) -> None:
        """Take the estimate: position [m; world], shape (3,), and orientation xyzw, shape (4,)."""


class GateListener:
    """Subscribe to it; what foreign publishers get wrong is said and ignored."""

    def __init__(self, node: Node, to: GateInput) -> None:
        self._node = node
        self._to = to
        self._poses = PolledStamps(node, PoseStamped, topics.MOCAP_POSE)
        node.create_subscription(JointState, topics.SETPOINT.name, self.on_setpoint, qos(topics.SETPOINT, depth=1))
        node.create_subscription(Odometry, topics.ODOMETRY.name, self.on_odometry, qos(topics.ODOMETRY, depth=1))

    def look(self) -> None:
        """Take the newest pose, which nobody delivers by himself."""
        stamp = self._poses.take()
        if stamp is not None:
            self._to.on_pose(stamp)

    def on_setpoint(self, message: JointState) -> None:
        """Take wanted leg velocities."""
        try:
            setpoint = sides(message)
        except ValueError as error:
            self._node.get_logger().warning(f'setpoint ignored: {error}', throttle_duration_sec=1.0)
            return
        self._to.on_setpoint(setpoint, seconds(message.header.stamp))

    def on_odometry(self, message: Odometry) -> None:
        """Take the estimate."""
        pose = message.pose.pose
        self._to.on_odometry(vector(pose.position), quaternion(pose.orientation), seconds(message.header.stamp))
