"""Arm, start and stop a robot from a program, and see how it does: what a person would do with `ros2 service call`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rclpy
from nav_msgs.msg import Path
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

from millirobot_adapt.contract.states import BridgeState, ControllerState, ManagerState
from millirobot_adapt.contract.tick_codec import decode_tick
from millirobot_adapt.contract.topics import LOAD_MODEL, PATH, TICK, Topic
from millirobot_adapt.core.control.model_server import ModelRequest
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.safety.arbiter import ActionSource
from millirobot_adapt.ros.bring_up import BringUp
from millirobot_adapt.ros.conversions import message_class, path_message, qos
from millirobot_adapt.ros.inputs.model_input import write_request
from millirobot_adapt.ros.inputs.peer_states import listen_for_bridge, listen_for_controller, listen_for_manager
from millirobot_adapt.ros.lifecycle_client import LifecycleClient, listen_for_words

SERVICES = (
    'bridge/arm', 'bridge/stop', 'bridge/manager_stop', 'controller/start', 'controller/pause', 'controller/resume',
    'controller/finish', 'controller/stop', 'collector/start', 'collector/stop',
)  # fmt: skip


class Operator:
    """A node in a context of its own, without threads: it hears and speaks while `spin` or `call` runs."""

    def __init__(self, namespace: str = '') -> None:
        """Join the ROS graph, for the robot of a namespace; signals stay with the program."""
        self._context = Context()
        rclpy.init(args=[], context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node('operator', context=self._context, namespace=namespace)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._clients = {name: self._node.create_client(Trigger, name) for name in SERVICES}
        self.bridge: BridgeState | None = None
        """Newest state of the bridge; None before the first, and while it is not configured."""
        self.controller: ControllerState | None = None
        """Newest state of controller or collector; None before the first, and while it is not configured."""
        self.sources: dict[ActionSource, ControllerState] = {}
        """The same of each of the two, where both run."""
        self.manager: ManagerState | None = None
        """Newest state of the manager; None before the first."""
        self.ticks: list[TickRecord] = []
        """Ticks that have come since this list was last emptied."""
        self._paths: Any = None
        listen_for_bridge(self._node, self._on_bridge)
        listen_for_controller(self._node, self._on_controller)
        listen_for_manager(self._node, self._on_manager)
        self.listen(TICK, self._on_tick, depth=100)

    def close(self) -> None:
        """Leave the ROS graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def listen(self, topic: Topic, heard: Callable[[Any], None], depth: int = 10) -> None:
        """Have `heard` called with every message of a topic; up to `depth` of them wait for `spin`."""
        self._node.create_subscription(message_class(topic), topic.name, heard, qos(topic, depth))

    def spin(self, seconds: float) -> None:
        """Hear what comes within `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def call(self, service: str, seconds: float) -> tuple[bool, str]:
        """Call one of `SERVICES`; returns whether it was done, and its message (or that nobody answered)."""
        return self.call_first((service,), seconds)

    def call_first(self, services: Sequence[str], seconds: float) -> tuple[bool, str]:
        """Call that one of some `SERVICES` which somebody offers; returns as `call`."""
        deadline = time.monotonic() + seconds
        while (service := next((name for name in services if self._clients[name].service_is_ready()), None)) is None:
            if time.monotonic() > deadline:
                return False, f'/{services[0]} is not offered by anyone'
            self.spin(0.02)
        answer = self._answer(self._clients[service].call_async(Trigger.Request()), deadline)
        if answer is None:
            return False, f'/{service} did not answer within {seconds:g} s'
        return bool(answer.success), str(answer.message)

    def set_parameters(self, node: str, values: Mapping[str, Any], seconds: float) -> tuple[bool, str]:
        """Set parameters of a node, all or none; returns whether it was done, and why not.

        Args:
            node: Its name.
            values: Values of their declared types by dotted name.
            seconds: Longest wait for an answer [s].
        """
        deadline = time.monotonic() + seconds
        client = self._node.create_client(SetParametersAtomically, f'{node}/set_parameters_atomically')
        try:
            while not client.service_is_ready():
                if time.monotonic() > deadline:
                    return False, f'no node {node} is there'
                self.spin(0.02)
            parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
            request = SetParametersAtomically.Request(parameters=parameters)
            answer = self._answer(client.call_async(request), deadline)
        finally:
            self._node.destroy_client(client)
        if answer is None:
            return False, f'{node} did not answer within {seconds:g} s'
        return bool(answer.result.successful), str(answer.result.reason)

    @property
    def node(self) -> Node:
        """The operator's node, for further subscriptions."""
        return self._node

    def publish_path(self, path: ReferencePath) -> None:
        """Publish a path in `world` for the next start of the controller (its parameter `path` must be `topic`)."""
        if self._paths is None:
            self._paths = self._node.create_publisher(Path, PATH.name, qos(PATH))
            deadline = time.monotonic() + 5.0
            while self._paths.get_subscription_count() == 0 and time.monotonic() < deadline:
                self.spin(0.02)
        self._paths.publish(path_message(time.time(), path.outline))

    def load_model(self, folder: str, seconds: float) -> tuple[bool, str]:
        """Ask the controller to swap in a model bundle; returns whether it did, and the revision or why not.

        Args:
            folder: The bundle.
            seconds: Longest wait for the answer [s].
        """
        deadline = time.monotonic() + seconds
        publisher = self._node.create_publisher(String, LOAD_MODEL.name, qos(LOAD_MODEL))
        try:
            while publisher.get_subscription_count() == 0:
                if time.monotonic() > deadline:
                    return False, 'no controller is there'
                self.spin(0.02)
            request = ModelRequest(folder, uuid.uuid4().hex[:8])
            publisher.publish(String(data=write_request(request)))
            while (answer := self._loaded(request)) is None:
                if time.monotonic() > deadline:
                    return False, f'the controller did not answer within {seconds:g} s'
                self.spin(0.02)
        finally:
            self._node.destroy_publisher(publisher)
        return answer

    def _loaded(self, request: ModelRequest) -> tuple[bool, str] | None:
        """Return what became of a request for a model; None: nothing yet."""
        details = {} if self.controller is None else self.controller.details
        told = details.get(ControllerState.LOADING)
        if details.get(ControllerState.LOAD_REQUEST) != request.id or told == ControllerState.LOADING_NOW:
            return None
        return told == ControllerState.TAKEN, str(details.get(ControllerState.LOAD_ANSWER))

    def _answer(self, future: Any, deadline: float) -> Any:
        """Wait for an answer until `deadline`; None where none comes."""
        while not future.done():
            if time.monotonic() > deadline:
                return None
            self._executor.spin_once(timeout_sec=0.02)
        return future.result()

    def call_all(self, services: Sequence[str], seconds: float) -> None:
        """Call some of `SERVICES` at once and wait for all answers; who does not answer is not waited for longer."""
        deadline = time.monotonic() + seconds
        ready = [self._clients[service] for service in services if self._clients[service].service_is_ready()]
        futures = [client.call_async(Trigger.Request()) for client in ready]
        while not all(future.done() for future in futures) and time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.02)

    def bring_up(self, nodes: Sequence[str], patience: float) -> None:
        """Configure and activate managed nodes, as the manager does.

        Raises:
            BringUpError: one did not come up, and what it waits for; `patience` is the longest wait for one step [s].
        """
        clients = {name: LifecycleClient(self._node, name) for name in nodes}
        words = listen_for_words(self._node, clients)
        bring_up = BringUp(clients, patience, lambda _: None, time.monotonic)
        try:
            while not bring_up.done:
                bring_up.advance()
                self.spin(0.02)
        finally:
            self._node.destroy_subscription(words)

    def _on_bridge(self, state: BridgeState | None) -> None:
        self.bridge = state

    def _on_controller(self, state: ControllerState | None) -> None:
        self.controller = state
        if state is not None:
            self.sources[state.sender.source] = state

    def _on_manager(self, state: ManagerState | None) -> None:
        self.manager = state

    def _on_tick(self, message: Float64MultiArray) -> None:
        self.ticks.append(decode_tick(message.data))
