"""Listen for model bundles to swap in, and say what became of them."""

from __future__ import annotations

from collections.abc import Callable

import yaml
from rclpy.node import Node
from std_msgs.msg import String

from millirobot_adapt.contract.states import ControllerState
from millirobot_adapt.contract.topics import LOAD_MODEL
from millirobot_adapt.core.control.model_server import ModelAnswer, ModelRequest, ModelServer, Use
from millirobot_adapt.core.control.wiring import Assembly
from millirobot_adapt.core.yaml_file import parse_yaml
from millirobot_adapt.ros.conversions import qos


class ModelInput:
    """Hand requests to a `ModelServer`; whoever made the node runs `server.work` on a thread."""

    def __init__(self, node: Node, assembly: Assembly, use: Use, announce: Callable[[], object]) -> None:
        """Subscribe.

        Args:
            node: The controller's node.
            assembly: What it plans with.
            use: Lets a model be used from the next tick on.
            announce: Is called when `details` have changed.
        """
        self._log = node.get_logger()
        self._assembly = assembly
        self._announce = announce
        self._answer: ModelAnswer | None = None
        self.server = ModelServer(assembly, use, self._on_answer)
        node.create_subscription(String, LOAD_MODEL.name, self._on_request, qos(LOAD_MODEL))

    @property
    def details(self) -> dict[str, str]:
        """What to say about the model in use, and about the newest request for another."""
        details = self._assembly.details_of(self.server.model)
        answer = self._answer
        if answer is None:
            return details
        told = {None: ControllerState.LOADING_NOW, True: ControllerState.TAKEN, False: ControllerState.REFUSED}
        return {
            **details,
            ControllerState.LOAD_REQUEST: answer.request.id or answer.request.name,
            ControllerState.LOADING: told[answer.taken],
            ControllerState.LOAD_ANSWER: answer.text,
        }

    def _on_request(self, message: String) -> None:
        try:
            self.server.request(read_request(message.data))
        except ValueError as error:
            self._log.error(f'{LOAD_MODEL.name} ignored: {error}')

    def _on_answer(self, answer: ModelAnswer) -> None:
        self._answer = answer
        if answer.taken is False:
            self._log.error(f'model {answer.text}')
        self._announce()


def write_request(request: ModelRequest) -> str:
    """Return the text of a request."""
    return str(yaml.safe_dump({'model': request.name, 'id': request.id}))


def read_request(text: str) -> ModelRequest:
    """Read a request: YAML with `model` and perhaps `id`, or the bundle alone.

    Raises:
        ValueError: it names no bundle.
    """
    try:
        content = parse_yaml(text)
    except yaml.YAMLError:
        content = None
    given = content if isinstance(content, dict) else {'model': text.strip()}
    name = given.get('model')
    if not isinstance(name, str) or not name:
        raise ValueError(f'{text[:80]!r} names no model bundle')
    return ModelRequest(name, str(given.get('id', '')))
