"""Hear topics of the contract without taking part: what a viewer needs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from millirobot_adapt.contract.topics import Topic
from millirobot_adapt.ros.conversions import message_class, qos

DEPTH = 50
"""Messages of a topic that wait; the oldest are dropped when the viewer is slow."""


class Spectator:
    """A node in a context of its own, without threads: it hears while `hear` runs."""

    def __init__(self, topics: Sequence[Topic], namespace: str = '') -> None:
        """Join the ROS graph and subscribe; signals stay with the program."""
        self._context = Context()
        rclpy.init(args=[], context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node('spectator', context=self._context, namespace=namespace)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._heard: list[tuple[str, Any, float]] = []
        for topic in topics:
            on_message = partial(self._on_message, topic.name)
            self._node.create_subscription(message_class(topic), topic.name, on_message, qos(topic, DEPTH))

    def _on_message(self, topic: str, message: Any) -> None:
        self._heard.append((topic, message, time.time()))

    def hear(self, seconds: float) -> list[tuple[str, Any, float]]:
        """Return what comes within some time: topic, message, time of receipt [s since the epoch]."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)
        heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        """Leave the ROS graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)
