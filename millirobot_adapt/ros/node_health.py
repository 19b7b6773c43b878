"""Publish how a node is: on /diagnostics once a second, and on its own latched topic whenever that changes."""

from __future__ import annotations

import time
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from millirobot_adapt.contract.states import announced, values_of
from millirobot_adapt.contract.topics import DIAGNOSTICS, Topic
from millirobot_adapt.ros.conversions import qos, time_message

PERIOD = 1.0
"""Time between two diagnostics [s], on the steady clock."""


class Health:
    """Publish what `examine` finds; on /diagnostics also what `parts` finds, each under the node's name."""

    def __init__(
        self,
        node: Node,
        examine: Callable[[], DiagnosticStatus],
        latched: Topic | None = None,
        parts: Callable[[], list[DiagnosticStatus]] = list,
    ) -> None:
        """Begin to tell; `latched` is the node's own state topic, if it has one."""
        self._examine = examine
        self._parts = parts
        self._name = node.get_fully_qualified_name().lstrip('/')  # several robots share /diagnostics
        self._diagnostics = node.create_publisher(DiagnosticArray, DIAGNOSTICS.name, qos(DIAGNOSTICS))
        self._state = node.create_publisher(DiagnosticStatus, latched.name, qos(latched)) if latched else None
        self._published: tuple[bytes, tuple[str, ...]] | None = None
        node.create_timer(PERIOD, self.tell, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def announce(self) -> None:
        """Publish the state if its level has changed, or one of the values that are news (`contract.states`)."""
        found = self._examine()
        key = (found.level, announced(values_of(found)))
        if self._state is not None and key != self._published:
            self._published = key
            self._state.publish(found)

    def tell(self, objection: str = '') -> None:
        """Publish the state and the diagnostics as they are now; `objection` is why the node refuses what was asked."""
        found = self._examine()
        if objection:
            found.level, found.message = DiagnosticStatus.ERROR, objection
        if self._state is not None:
            self._state.publish(found)  # its counters are news too
        found.name = self._name
        parts = self._parts()
        for part in parts:
            part.name = f'{self._name}/{part.name}'
        message = DiagnosticArray(status=[found, *parts])
        message.header.stamp = time_message(time.time())
        self._diagnostics.publish(message)
