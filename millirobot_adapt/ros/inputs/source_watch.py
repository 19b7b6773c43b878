"""Find out why nothing comes on a topic: nobody publishes, another type, or another quality of service."""

from __future__ import annotations

from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind


class SourceWatch:
    """Watch the publishers of one subscription; a mismatch is said once, at the moment when it is found."""

    def __init__(self, node: Node, topic: str, kind: str, profile: QoSProfile, remedy: str) -> None:
        """Watch a topic; nothing is subscribed yet.

        Args:
            node: The node that subscribes.
            topic: Name of the topic, before remapping.
            kind: Type of its messages, e.g. 'geometry_msgs/msg/PoseStamped'.
            profile: Quality of service that is requested.
            remedy: What the user can do when it does not match.
        """
        self._node = node
        self._topic = topic
        self._kind = kind
        self._profile = profile
        self._remedy = remedy
        self._told = False

    def events(self) -> SubscriptionEventCallbacks:
        """Return the callbacks to subscribe with."""
        return SubscriptionEventCallbacks(incompatible_qos=self._on_mismatch)

    def reason(self) -> str:
        """Say why no message comes, by what is known of the publishers now."""
        name = self._node.resolve_topic_name(self._topic)
        publishers = self._node.get_publishers_info_by_topic(name)
        if not publishers:
            return f'nobody publishes {name} (remap {self._topic} to the topic of your driver)'
        strangers = sorted({info.topic_type for info in publishers if info.topic_type != self._kind})
        if strangers:
            return f'{name} carries {", ".join(strangers)}, not {self._kind}'
        if self._profile.reliability == ReliabilityPolicy.RELIABLE and all(
            info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for info in publishers
        ):
            return f'{name} is published best effort, but asked for reliable ({self._remedy})'
        return f'{name} has {len(publishers)} publishers, but nothing arrives from them'

    def _on_mismatch(self, event: Any) -> None:
        if not self._told:
            self._told = True
            policy = qos_policy_name_from_kind(event.last_policy_kind)
            self._node.get_logger().warning(
                f'{self._node.resolve_topic_name(self._topic)}: a publisher offers another quality of service '
                f'({policy}), nothing arrives from it; {self._remedy}'
            )
