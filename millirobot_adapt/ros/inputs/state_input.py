"""Listen to telemetry and odometry, and join them to states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import BatteryState, Imu, JointState
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.messages import StateGatherer
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.ros.conversions import qos

STATE_PARTS = (
    (topics.LEGS, JointState),
    (topics.IMU, Imu),
    (topics.BATTERY, BatteryState),
    (topics.BACK_EMF, Float64MultiArray),
    (topics.ODOMETRY, Odometry),
)


def listen_for_states(node: Node, on_state: Callable[[float, FloatArray], None]) -> None:
    """Subscribe to all that a state is made of; `on_state` gets the stamp [s] and the state, shape (nx,)."""
    gatherer = StateGatherer()

    def callback(topic: str) -> Callable[[Any], None]:
        def on_part(message: Any) -> None:
            complete = gatherer.add(topic, message)
            if complete is not None:
                on_state(*complete)

        return on_part

    for topic, kind in STATE_PARTS:
        node.create_subscription(kind, topic.name, callback(topic.name), qos(topic))
