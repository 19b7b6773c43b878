"""The collector: takes the controller's place and drives the robot at random inside a circle, to collect data."""

from __future__ import annotations

from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from std_srvs.srv import Trigger

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.states import BridgeState, ControllerState, news_for
from millirobot_adapt.core.control.collector import Collector, CollectorConfig
from millirobot_adapt.core.control.run_state import NotReadyError
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.safety.arbiter import ActionSource
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.ros.inputs.peer_states import listen_for_bridge
from millirobot_adapt.ros.inputs.state_input import listen_for_states
from millirobot_adapt.ros.managed import ManagedNode, NotYetError
from millirobot_adapt.ros.outputs.actions import ActionPublisher
from millirobot_adapt.ros.parameters import load
from millirobot_adapt.ros.process import run
from millirobot_adapt.ros.run_services import run_status


class CollectorNode(ManagedNode):
    """Connect `core.control.collector.Collector` to topics, services and a steady timer."""

    def __init__(self) -> None:
        # It publishes its state where the controller would, so that recorder and operator find it there.
        super().__init__('collector', topics.CONTROLLER_STATE)
        self._config = load(self, CollectorConfig)

    def configure(self) -> None:
        """Begin to listen."""
        robot = load_robot(self._config.robot)
        self._collector = Collector(self._config, robot)
        self._dt, self._layout = robot.dt, robot.layout
        listen_for_states(self, self._collector.on_state)
        listen_for_bridge(self, self._on_bridge)
        self._actions = ActionPublisher(self, ActionSource.COLLECTOR, robot.layout)
        self.create_service(Trigger, '~/start', self._on_start)
        self.create_service(Trigger, '~/stop', self._on_stop)

    def activate(self) -> None:
        """Let runs start, once a finite fresh state is there."""
        missing = self._collector.missing()
        if missing:
            raise NotYetError(missing)
        self.create_timer(self._dt, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def deactivate(self) -> None:
        """End the run and ask for standstill; the bridge stops the robot anyway when setpoints stop."""
        if self._collector.running:
            self._collector.stop('the collector was deactivated', StopCause.SHUTDOWN)
            self._actions.publish(self._layout.neutral)

    def _on_bridge(self, state: BridgeState | None) -> None:
        self._collector.on_bridge(news_for(self._actions.sender, state))

    def _on_start(self, _: Trigger.Request, response: Any) -> Any:
        try:
            if self.lifecycle != 'active':
                raise NotReadyError(f'the collector is {self.lifecycle}, not active')
            self._collector.start()
        except NotReadyError as error:
            response.success, response.message = False, f'not started: {error}'
        else:
            response.success, response.message = True, 'running'
        return response

    def _on_stop(self, _: Trigger.Request, response: Any) -> Any:
        self._collector.stop('by the operator', StopCause.OPERATOR)
        response.success, response.message = True, self._collector.status.text
        return response

    def _tick(self) -> None:
        setpoint = self._collector.begin_tick()
        if setpoint is not None:
            self._actions.publish(setpoint)
        self.health.announce()

    def examine(self) -> DiagnosticStatus:
        """Say where the collector stands."""
        details = {'walked [s]': f'{self._collector.walked:.1f}'}
        return run_status('collector', ControllerState(self._actions.sender, self._collector.status, details))


def main() -> int:
    """Run the executable `collector`."""
    return run(CollectorNode)


if __name__ == '__main__':
    raise SystemExit(main())
