"""Hear velocity commands, as a robot with driver twist does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_msgs.msg import Twist, TwistStamped
from rclpy.node import Node

from millirobot_adapt.core.robot.drivers import TwistConfig
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout


class TwistInput:
    """Subscribe to the topic that the robot's file names, and hand each command on as an action, shape (nu,)."""

    def __init__(
        self, node: Node, driver: TwistConfig, layout: StateLayout, on_action: Callable[[FloatArray], None]
    ) -> None:
        self._names, self._on_action = layout.action_names, on_action
        self._stamped = driver.stamped
        node.create_subscription(TwistStamped if driver.stamped else Twist, driver.topic, self.hear, 1)

    def hear(self, message: Any) -> None:
        """Take one command; one that is not finite is none."""
        twist = message.twist if self._stamped else message
        values = {'forward': twist.linear.x, 'lateral': twist.linear.y, 'turn': twist.angular.z}
        action = np.array([values[name] for name in self._names], dtype=float)
        if np.isfinite(action).all():
            self._on_action(action)
