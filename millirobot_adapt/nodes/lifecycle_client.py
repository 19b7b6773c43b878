"""Speak to a managed node from outside: ask for a transition, ask for its state."""

from __future__ import annotations

from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.node import Node

TRANSITIONS = {
    'configure': Transition.TRANSITION_CONFIGURE,
    'activate': Transition.TRANSITION_ACTIVATE,
    'deactivate': Transition.TRANSITION_DEACTIVATE,
    'cleanup': Transition.TRANSITION_CLEANUP,
}


class LifecycleClient:
    """One managed node, as `core.bring_up.Managed` wants it; answers come while the node that asks is spun."""

    def __init__(self, node: Node, name: str) -> None:
        """Find the services of the node `name`, relative to the namespace of `node`."""
        self._change = node.create_client(ChangeState, f'{name}/change_state')
        self._get = node.create_client(GetState, f'{name}/get_state')
        self._changing: Any = None
        self._getting: Any = None
        self.words = ''
        """What the node last said of itself; whoever hears its diagnostics writes it here."""

    @property
    def present(self) -> bool:
        """The node offers its transitions."""
        return bool(self._change.service_is_ready() and self._get.service_is_ready())

    @property
    def answer(self) -> bool | None:
        """Whether the transition asked for last took place; None: it has not said yet."""
        if self._changing is None or not self._changing.done():
            return None
        return bool(self._changing.result().success)

    def ask(self, transition: str) -> None:
        """Ask for one of `TRANSITIONS`."""
        self._changing = self._change.call_async(ChangeState.Request(transition=Transition(id=TRANSITIONS[transition])))

    def poll(self) -> str:
        """Return the state if the node has told it since the last call, else nothing; and ask for it again."""
        state = ''
        if self._getting is not None and self._getting.done():
            state = str(self._getting.result().current_state.label)
            self._getting = None
        if self._getting is None and self._get.service_is_ready():
            self._getting = self._get.call_async(GetState.Request())
        return state
