"""Request transitions of a managed node, and poll its state."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.node import Node
from rclpy.subscription import Subscription

from millirobot_adapt.contract.topics import DIAGNOSTICS
from millirobot_adapt.ros.conversions import qos

TRANSITIONS = {
    'configure': Transition.TRANSITION_CONFIGURE,
    'activate': Transition.TRANSITION_ACTIVATE,
    'deactivate': Transition.TRANSITION_DEACTIVATE,
    'cleanup': Transition.TRANSITION_CLEANUP,
}
GOALS = {'configure': 'inactive', 'activate': 'active', 'deactivate': 'inactive', 'cleanup': 'unconfigured'}
"""The state in which a transition ends."""
ANSWER_TIME = 2.0
"""After this time the request is repeated [s]. An answer may get lost while two processes discover each other, a
request while a killed process is still in the graph and its replacement is not."""


class LifecycleClient:
    """One managed node, as `ros.bring_up.Managed` describes it; answers arrive while the requesting node is spun."""

    def __init__(self, node: Node, name: str) -> None:
        """Find the services of the node `name`, relative to the namespace of `node`."""
        self._change = node.create_client(ChangeState, f'{name}/change_state')
        self._get = node.create_client(GetState, f'{name}/get_state')
        self._changing: Any = None
        self._transition, self._changing_since = '', 0.0
        self._getting: Any = None
        self._getting_since = 0.0
        self.words = ''
        """The last status text of the node, as long as `listen_for_words` hears its diagnostics; else empty."""

    @property
    def present(self) -> bool:
        """The node offers its transitions."""
        return bool(self._change.service_is_ready() and self._get.service_is_ready())

    @property
    def answer(self) -> bool | None:
        """Whether the last requested transition succeeded; None: no answer yet.

        Without an answer the state of the node decides: if it has not changed, the transition is requested again.
        """
        if self._changing is None:
            return None
        if self._changing.done():
            return bool(self._changing.result().success)
        state = self.poll() if time.monotonic() > self._changing_since + ANSWER_TIME else ''
        if state and state != GOALS[self._transition]:
            self.ask(self._transition)
        return True if state == GOALS[self._transition] else None

    def ask(self, transition: str) -> None:
        """Ask for one of `TRANSITIONS`."""
        self._transition, self._changing_since = transition, time.monotonic()
        self._getting = None  # a state of before does not tell what comes of it
        self._changing = self._change.call_async(ChangeState.Request(transition=Transition(id=TRANSITIONS[transition])))

    def poll(self) -> str:
        """Return the state if an answer has arrived since the last call, else an empty text; request it again."""
        state = ''
        if self._getting is not None and self._getting.done():
            state = str(self._getting.result().current_state.label)
            self._getting = None
        overdue = time.monotonic() > self._getting_since + ANSWER_TIME
        if (self._getting is None or overdue) and self._get.service_is_ready():
            self._getting, self._getting_since = self._get.call_async(GetState.Request()), time.monotonic()
        return state


def listen_for_words(node: Node, clients: Mapping[str, LifecycleClient]) -> Subscription:
    """Keep the words of managed nodes up to date from their diagnostics, while `node` is spun.

    Args:
        node: Listens; a name in `clients` without a leading slash is relative to its namespace.
        clients: By name.
    """
    namespace = node.get_namespace().rstrip('/')
    full = {(name if name.startswith('/') else f'{namespace}/{name}').lstrip('/'): name for name in clients}

    def on_diagnostics(message: DiagnosticArray) -> None:
        for said in message.status:
            if said.name in full:
                clients[full[said.name]].words = said.message

    return node.create_subscription(DiagnosticArray, DIAGNOSTICS.name, on_diagnostics, qos(DIAGNOSTICS, 100))
