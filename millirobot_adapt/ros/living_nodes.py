"""Find which nodes of some names live in this ROS domain, on whatever machine."""

from __future__ import annotations

import time
from collections.abc import Sequence

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from millirobot_adapt.contract.topics import DIAGNOSTICS
from millirobot_adapt.ros.conversions import qos

DISCOVERY = 1.0
"""Nodes that run already are known within this time [s]; they answer a newcomer's announcement at once."""
LISTENING = 2.5
"""Nodes of ours publish on /diagnostics every second; those not heard within this time do not live [s]."""


def living_nodes(names: Sequence[str], discovery: float = DISCOVERY, listening: float = LISTENING) -> list[str]:
    """Return those of some fully qualified node names that are in the ROS graph and publish on /diagnostics.

    Takes `discovery` [s] where none of them is in the graph, and at most `listening` [s] longer where one is: a process
    that was killed stays in the graph for a while.
    """
    context = Context()
    rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = Node('look_around', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    heard: set[str] = set()

    def on_diagnostics(message: DiagnosticArray) -> None:
        heard.update(f'/{said.name}' for said in message.status)

    def spin(seconds: float, until: Sequence[str] = ()) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not (until and heard.issuperset(until)):
            executor.spin_once(timeout_sec=left)

    node.create_subscription(DiagnosticArray, DIAGNOSTICS.name, on_diagnostics, qos(DIAGNOSTICS))
    try:
        spin(discovery)
        known = {f'{space.rstrip("/")}/{name}' for name, space in node.get_node_names_and_namespaces()}
        there = [name for name in names if name in known]
        if there:
            spin(listening, there)
        return [name for name in there if name in heard]
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown(context=context)
