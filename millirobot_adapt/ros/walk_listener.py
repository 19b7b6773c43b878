"""Keep what is walked, to learn from: states, and the actions that were really sent."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState

from millirobot_adapt.contract.messages import joint_values, seconds
from millirobot_adapt.contract.topics import SENT
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.inputs.state_input import listen_for_states


class WalkListener:
    """Gather states and sent actions on a node that somebody else spins."""

    def __init__(self, node: Node) -> None:
        self._states: list[tuple[float, FloatArray]] = []
        self._sent: list[tuple[float, FloatArray]] = []
        self.newest: FloatArray | None = None
        """The newest state; None before the first."""
        listen_for_states(node, self._on_state)
        node.create_subscription(JointState, SENT.name, self._on_sent, qos(SENT, depth=100))

    def take(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return what came since the last call: stamps (N,) [s], states (N, nx), stamps (M,) [s], actions (M, nu)."""
        states, sent = self._states, self._sent
        self._states, self._sent = [], []
        if not states or not sent:
            return np.empty(0), np.empty((0, 0)), np.empty(0), np.empty((0, 0))
        stamps, values = zip(*states, strict=True)
        sent_stamps, actions = zip(*sent, strict=True)
        return np.array(stamps), np.array(values), np.array(sent_stamps), np.array(actions)

    def _on_state(self, sample: StateSample) -> None:
        if np.isfinite(sample.state).all():
            self._states.append((sample.stamp, sample.state))
            self.newest = sample.state

    def _on_sent(self, message: JointState) -> None:
        self._sent.append((seconds(message.header.stamp), joint_values(message, list(message.name))))
