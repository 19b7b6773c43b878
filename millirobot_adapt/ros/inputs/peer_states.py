"""Subscribe to the states of other nodes, as the types of `contract.states`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node

from millirobot_adapt.contract.states import BridgeState, ControllerState, ManagerState
from millirobot_adapt.contract.topics import BRIDGE_STATE, CONTROLLER_STATE, MANAGER_STATE, Topic
from millirobot_adapt.ros.conversions import qos

S = TypeVar('S')


def listen_for_bridge(node: Node, to: Callable[[BridgeState | None], None]) -> None:
    """Receive the bridge's state; None while it is not configured."""
    _listen(node, BRIDGE_STATE, BridgeState.of, to)


def listen_for_controller(node: Node, to: Callable[[ControllerState | None], None]) -> None:
    """Receive the state of controller and collector; None from one that is not configured."""
    _listen(node, CONTROLLER_STATE, ControllerState.of, to)


def listen_for_manager(node: Node, to: Callable[[ManagerState | None], None]) -> None:
    """Receive the manager's state."""
    _listen(node, MANAGER_STATE, ManagerState.of, to)


def _listen(node: Node, topic: Topic, read: Callable[[Any], S | None], to: Callable[[S | None], None]) -> None:
    """Subscribe; a message that is wrong is reported and ignored."""

    def callback(message: DiagnosticStatus) -> None:
        try:
            state = read(message)
        except ValueError as error:
            node.get_logger().warning(f'{topic.name} ignored: {error}', throttle_duration_sec=1.0)
            return
        to(state)

    node.create_subscription(DiagnosticStatus, topic.name, callback, qos(topic))
