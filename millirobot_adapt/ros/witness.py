"""Operate a robot and watch the mock: what its motors are commanded and when, what the bridge sends and hears."""

from __future__ import annotations

import time
from collections import deque

from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.contract.messages import seconds
from millirobot_adapt.contract.reply_codec import decode_reply
from millirobot_adapt.contract.state_codec import decode_state
from millirobot_adapt.contract.states import BridgeState, LinkState
from millirobot_adapt.contract.topics import MOTORS, REPLY, SENT, STATE
from millirobot_adapt.ros.inject import InjectionClient
from millirobot_adapt.ros.operator import Operator


class Witness(Operator):
    """Watch a run with the mock robot; see `Operator`."""

    def __init__(self, namespace: str = '') -> None:
        super().__init__(namespace)
        self.link: LinkState | None = None
        """State of the link as the bridge last reported it; None before."""
        self.link_since = 0.0
        """When that was news [s, host clock]."""
        self.moving = False
        """The motors are commanded to turn."""
        self.changed_at = 0.0
        """When `moving` became what it is [s, host clock], reported by the mock to the millisecond."""
        self.sent = 0
        """Setpoints that the bridge has sent."""
        self._poses: deque[float] = deque(maxlen=1000)
        self.replies = 0
        """Telemetry that the bridge has accepted."""
        self.last_reply = 0.0
        """When the newest of it was sampled [s, host clock]."""
        self.listen(MOTORS, self._on_motors)
        self.listen(SENT, self._on_sent, depth=100)
        self.listen(STATE, self._on_state, depth=100)
        self.listen(REPLY, self._on_reply, depth=100)
        self._injection = InjectionClient(self._node, self._executor)

    def inject(self, fault: str, value: str | None = None, duration: float = 0.0) -> tuple[bool, str]:
        """Let a fault of the mock begin; see `ros.inject.InjectionClient`."""
        return self._injection.inject(fault, value, duration)

    @property
    def injected_at(self) -> float:
        """When the last request for a fault left for the mock [s, host clock]."""
        return self._injection.asked_at

    def last_pose(self, before: float) -> float:
        """Return when the estimator accepted the last pose before a time; both [s, host clock].

        Raises:
            ValueError: none that it has announced.
        """
        return max(pose for pose in self._poses if pose <= before)

    def _on_bridge(self, state: BridgeState | None) -> None:
        super()._on_bridge(state)
        link = None if state is None else state.link
        if link is not self.link:
            self.link, self.link_since = link, time.time()

    def _on_motors(self, message: JointState) -> None:
        moving = any(message.velocity)
        if moving != self.moving:
            self.moving, self.changed_at = moving, seconds(message.header.stamp)

    def _on_sent(self, message: JointState) -> None:
        self.sent += 1

    def _on_state(self, message: Float64MultiArray) -> None:
        state = decode_state(message.data)
        if state.quality.pose_age < float('inf'):
            self._poses.append(state.stamp - state.quality.pose_age)

    def _on_reply(self, message: Float64MultiArray) -> None:
        self.replies += 1
        self.last_reply = decode_reply(message.data).stamp
