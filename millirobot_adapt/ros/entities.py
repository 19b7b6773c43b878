"""Remember which ROS entities a node has made for a state of its lifecycle, and destroy them when it leaves that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode

Destroyable = tuple[Callable[[Any], Any], Any]
"""An entity, after the function that destroys it."""


class Entities:
    """The publishers, subscriptions, services, clients and timers of a node, by the state that they belong to."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._made: dict[str, list[Destroyable]] = {}

    def all(self) -> list[Destroyable]:
        """Return every entity that the node has now."""
        node = self._node
        kinds: list[Destroyable] = [
            (node.destroy_subscription, node.subscriptions), (node.destroy_service, node.services),
            (node.destroy_client, node.clients), (node.destroy_timer, node.timers),
            (node.destroy_publisher, node.publishers),
        ]  # fmt: skip
        return [(destroy, entity) for destroy, entities in kinds for entity in entities]

    def make(self, state: str, work: Callable[[], None]) -> None:
        """Do the work that leads to `state`, and note what it makes, even when it raises half-way."""
        before = {id(entity) for _, entity in self.all()}
        try:
            work()
        finally:
            self._made[state] = [each for each in self.all() if id(each[1]) not in before]

    def destroy(self, state: str) -> None:
        """Destroy what was made on the way to `state`."""
        for destroy, entity in self._made.pop(state, []):
            destroy(entity)
