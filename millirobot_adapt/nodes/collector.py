"""The collector: takes the controller's place and drives the robot at random inside a circle, to collect data."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from millirobot_adapt.contract import topics
from millirobot_adapt.core.control.collector import Collector, CollectorConfig
from millirobot_adapt.core.control.run_state import NotReadyError
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.state import NU
from millirobot_adapt.ros.conversions import joint_state, qos, status
from millirobot_adapt.ros.inputs.state_input import listen_for_states
from millirobot_adapt.ros.managed import ManagedNode, NotYetError
from millirobot_adapt.ros.parameters import load
from millirobot_adapt.ros.process import run


class CollectorNode(ManagedNode):
    """Connect `core.collection.collector.Collector` to topics, services and a steady timer."""

    def __init__(self) -> None:
        # It tells its state where the controller would, so whoever watches the controller (teleop, bag) watches it too.
        super().__init__('collector', topics.CONTROLLER_STATE)
        self._config = load(self, CollectorConfig)

    def configure(self) -> None:
        """Begin to listen."""
        robot = load_robot(self._config.robot)
        self._collector = Collector(self._config, robot)
        self._dt = robot.dt
        listen_for_states(self, self._collector.on_state)
        self.create_subscription(DiagnosticStatus, topics.BRIDGE_STATE.name, self._on_bridge, qos(topics.BRIDGE_STATE))
        self._setpoint = self.create_publisher(JointState, topics.SETPOINT.name, qos(topics.SETPOINT))
        self.create_service(Trigger, '~/start', self._on_start)
        self.create_service(Trigger, '~/stop', self._on_stop)

    def activate(self) -> None:
        """Let runs start, once a finite fresh state is there."""
        if self._collector.status.startswith('waiting'):
            raise NotYetError(self._collector.status.removeprefix('waiting: '))
        self.create_timer(self._dt, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def deactivate(self) -> None:
        """End the run and ask for standstill; the bridge stops the robot anyway when setpoints cease."""
        if self._collector.running:
            self._collector.stop('the collector was deactivated')
            self._setpoint.publish(joint_state(time.time(), np.zeros(NU)))

    def _on_bridge(self, message: DiagnosticStatus) -> None:
        values = {pair.key: pair.value for pair in message.values}
        self._collector.on_bridge(values.get('armed') == 'True', message.message)

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
        self._collector.stop('by the operator')
        response.success, response.message = True, self._collector.status
        return response

    def _tick(self) -> None:
        setpoint = self._collector.begin_tick()
        if setpoint is not None:
            self._setpoint.publish(joint_state(time.time(), setpoint))
        self.health.announce()

    def examine(self) -> DiagnosticStatus:
        """Say where the collector stands."""
        text = self._collector.status
        level = DiagnosticStatus.WARN if text.startswith(('waiting', 'stopped')) else DiagnosticStatus.OK
        return status('collector', text, {'walked [s]': f'{self._collector.walked:.1f}'}, level)


def main() -> int:
    """Run the executable `collector`."""
    return run(CollectorNode)


if __name__ == '__main__':
    raise SystemExit(main())
