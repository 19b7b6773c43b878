"""Listen to the states that the estimator publishes."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.contract.state_codec import decode_state
from millirobot_adapt.contract.topics import STATE
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.ros.conversions import qos

WARNING_PERIOD = 10.0
"""Least time between two warnings about messages that are no states [s]."""


def listen_for_states(node: Node, on_state: Callable[[StateSample], None]) -> None:
    """Subscribe to the topic `state`; a message that is no state is reported and left out."""

    def hear(message: Float64MultiArray) -> None:
        try:
            sample = decode_state(message.data)
        except ValueError as error:
            node.get_logger().warning(f'{STATE.name} left out: {error}', throttle_duration_sec=WARNING_PERIOD)
            return
        on_state(sample)

    node.create_subscription(Float64MultiArray, STATE.name, hear, qos(STATE))
