"""Subscribe to what the gate needs: signed setpoints, states, and the states of controllers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rclpy.node import Node
from sensor_msgs.msg import JointState

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.messages import joint_values, seconds
from millirobot_adapt.contract.states import ControllerState
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.core.safety.arbiter import Sender
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.inputs.peer_states import listen_for_controller
from millirobot_adapt.ros.inputs.state_input import listen_for_states


class GateInput(Protocol):
    """Receiver of the messages; stamps are in seconds since the epoch."""

    def on_setpoint(self, sender: Sender, setpoint: FloatArray, stamp: float) -> None:
        """Take a wanted action, shape (nu,)."""

    def on_unknown_setpoint(self, why: str) -> None:
        """Note a setpoint that moves nothing."""

    def on_state(self, sample: StateSample) -> None:
        """Take a state of the estimator."""

    def on_controller(self, state: ControllerState) -> None:
        """Take what a source of actions says of itself."""


class GateListener:
    """Subscribe and decode; a message that is wrong is reported and ignored."""

    def __init__(self, node: Node, to: GateInput, action_names: Sequence[str]) -> None:
        self._node = node
        self._names = action_names
        self._to = to
        # A queue for several sources: in one of a single message the newest of one would drop another's.
        node.create_subscription(JointState, topics.SETPOINT.name, self.on_setpoint, qos(topics.SETPOINT))
        listen_for_states(node, to.on_state)
        listen_for_controller(node, self._on_controller)

    def on_setpoint(self, message: JointState) -> None:
        """Take a wanted action; one whose sender is not named, or not known, moves nothing."""
        try:
            sender, setpoint = Sender.parse(message.header.frame_id), joint_values(message, self._names)
        except ValueError as error:
            why = f'setpoint ignored: {error}'
            self._node.get_logger().warning(why, throttle_duration_sec=1.0)
            self._to.on_unknown_setpoint(why)
            return
        self._to.on_setpoint(sender, setpoint, seconds(message.header.stamp))

    def _on_controller(self, state: ControllerState | None) -> None:
        if state is not None:
            self._to.on_controller(state)
