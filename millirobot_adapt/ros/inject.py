"""The service `mock/inject`: let a fault of the mock begin.

Its type is rcl_interfaces/srv/SetParametersAtomically: the standard service whose request names something with a typed
value and whose answer can refuse with a reason. A request holds the fault as one parameter (name: the fault; value: its
value, in YAML where it is a string; not set: the default) and, if it ends by itself, a parameter `duration` [s].
"""

from __future__ import annotations

import time
from typing import Any

import rclpy
import yaml
from rcl_interfaces.msg import Parameter, ParameterType
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.context import Context
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rclpy.signals import SignalHandlerOptions

from millirobot_adapt.core.errors import UserError

INJECT = 'mock/inject'


def fault_request(request: SetParametersAtomically.Request) -> tuple[str, Any, float]:
    """Read a request: name, value, and duration [s] of the fault.

    Raises:
        UserError: not exactly one fault, or a value that is no YAML.
    """
    values = {given.name: parameter_value_to_python(given.value) for given in request.parameters}
    duration = values.pop('duration', 0.0)
    if len(values) != 1:
        raise UserError(f'a request names one fault, and duration if it ends; not {len(values)}: {", ".join(values)}')
    ((name, value),) = values.items()
    if isinstance(value, str):
        try:
            value = yaml.safe_load(value)
        except yaml.YAMLError:
            raise UserError(f'{name} = {value!r} is not a YAML value') from None
    return name, value, duration


def make_request(name: str, value: str | None, duration: float) -> SetParametersAtomically.Request:
    """Make a request; `value` is YAML, None: the default; `duration` [s], 0: until it is ended."""
    fault = Parameter(name=name)
    if value is not None:
        fault.value.type, fault.value.string_value = ParameterType.PARAMETER_STRING, value
    request = SetParametersAtomically.Request(parameters=[fault])
    if duration:
        lasting = Parameter(name='duration')
        lasting.value.type, lasting.value.double_value = ParameterType.PARAMETER_DOUBLE, duration
        request.parameters.append(lasting)
    return request


class InjectionClient:
    """Lets faults of the mock begin, for one node; it finds the mock once."""

    def __init__(self, node: Node, executor: Executor) -> None:
        """`executor` spins `node`, in whose namespace the mock is."""
        self._node, self._executor = node, executor
        self._client = node.create_client(SetParametersAtomically, INJECT)
        self.asked_at = 0.0
        """When the last request left [s since the epoch]: the mock was found by then."""

    def inject(
        self, name: str, value: str | None = None, duration: float = 0.0, patience: float = 5.0
    ) -> tuple[bool, str]:
        """Let a fault begin; return whether it has, and what the mock says (or that nobody answered).

        Args:
            name: The fault, see `FAULT_KINDS`.
            value: Its value in YAML; None: the default.
            duration: How long it lasts [s]; 0: until it is ended.
            patience: Longest wait for the mock [s].
        """
        deadline = time.monotonic() + patience
        while not self._client.service_is_ready():
            if time.monotonic() > deadline:
                return False, f'no mock offers {self._node.get_namespace().rstrip("/")}/{INJECT}; is one running?'
            self._executor.spin_once(timeout_sec=0.02)
        self.asked_at = time.time()
        future = self._client.call_async(make_request(name, value, duration))
        while not future.done():
            if time.monotonic() > deadline:
                return False, f'the mock did not answer within {patience:g} s'
            self._executor.spin_once(timeout_sec=0.02)
        answer: Any = future.result()
        return bool(answer.result.successful), str(answer.result.reason)


def inject_once(namespace: str, name: str, value: str | None, duration: float) -> tuple[bool, str]:
    """Join the ROS graph of this process's environment, let a fault begin, leave; see `InjectionClient`."""
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = Node('inject', context=context, namespace=namespace)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            return InjectionClient(node, executor).inject(name, value, duration)
        finally:
            executor.shutdown()
            node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)
