"""What an operator asks of the controller: start a run, pause, resume, finish or stop it; and how the runs stand."""

from __future__ import annotations

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from std_srvs.srv import Trigger

from millirobot_adapt.contract.states import ControllerState
from millirobot_adapt.core.control.controller import Controller
from millirobot_adapt.core.control.run_state import NotReadyError, RunPhase
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.ros.conversions import status

BY_OPERATOR = 'by the operator'
NEEDS_ATTENTION = (RunPhase.WAITING, RunPhase.STOPPED)


def run_status(name: str, state: ControllerState) -> DiagnosticStatus:
    """Build the message of a state; a run that was stopped, or cannot start, is a warning."""
    level = DiagnosticStatus.WARN if state.run.phase in NEEDS_ATTENTION else DiagnosticStatus.OK
    return status(name, state.run.text, state.values(), level)


class RunServices:
    """Offer the services; each answers with the state of the controller, or with why it was not done."""

    def __init__(
        self,
        node: Node,
        controller: Controller,
        objection: Callable[[], str],
        on_start: Callable[[ReferencePath], None],
    ) -> None:
        """Make the services of `node`.

        Args:
            node: The controller's node.
            controller: Is asked.
            objection: Returns why no run may start; empty: none but the controller's own.
            on_start: Is told the path of a run that has begun.
        """
        self._controller = controller
        self._objection = objection
        self._on_start = on_start
        requests: dict[str, Callable[[], object]] = {
            'start': self._start,
            'pause': controller.pause,
            'resume': controller.resume,
            'finish': lambda: controller.finish(BY_OPERATOR),
            'stop': lambda: controller.stop(BY_OPERATOR, StopCause.OPERATOR),
        }
        for name, do in requests.items():
            node.create_service(Trigger, f'~/{name}', self._answer(name, do))

    def _answer(
        self, name: str, do: Callable[[], object]
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def callback(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            try:
                do()
            except NotReadyError as error:
                response.success, response.message = False, f'{name} refused: {error}'
            else:
                response.success, response.message = True, self._controller.status.text
            return response

        return callback

    def _start(self) -> None:
        objection = self._objection()
        if objection:
            raise NotReadyError(objection)
        self._on_start(self._controller.start())
