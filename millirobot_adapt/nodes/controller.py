"""The controller: owns the tick, adapts, plans, and publishes the setpoint of every control period."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Odometry, Path
from sensor_msgs.msg import BatteryState, Imu, JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from millirobot_adapt.core import topics
from millirobot_adapt.core.control.controller import NotReadyError
from millirobot_adapt.core.control.pacing import every
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble, warm_up
from millirobot_adapt.core.messages import StateGatherer, seconds, sides
from millirobot_adapt.core.state import NU
from millirobot_adapt.nodes.conversions import joint_state, labelled_array, path_message, qos, status
from millirobot_adapt.nodes.live_view import LiveView
from millirobot_adapt.nodes.managed import ManagedNode, NotYetError
from millirobot_adapt.nodes.parameters import load
from millirobot_adapt.nodes.run import run

STATE_PARTS = (
    (topics.LEGS, JointState),
    (topics.IMU, Imu),
    (topics.BATTERY, BatteryState),
    (topics.BACK_EMF, Float64MultiArray),
    (topics.ODOMETRY, Odometry),
)


class ControllerNode(ManagedNode):
    """Connect `core.control.controller.Controller` to topics, services and two threads; inactive, it plans nothing."""

    def __init__(self) -> None:
        super().__init__('controller', topics.CONTROLLER_STATE)
        self._config = load(self, ControllerConfig)

    def configure(self) -> None:
        """Load the model, warm it up, and listen."""
        assembly = assemble(self._config)
        warm_up(assembly)
        self._dt = assembly.robot.dt
        self._controller = assembly.controller()
        self._gatherer = StateGatherer()
        self._closing = threading.Event()
        self._details = assembly.details
        self._view = LiveView(self, assembly.loop)
        self._connect()
        self._threads = [threading.Thread(target=target, name=target.__name__) for target in (self._tick, self._work)]
        for thread in self._threads:
            thread.start()

    def activate(self) -> None:
        """Let runs start, once a finite fresh state is there."""
        if self._controller.status.startswith('waiting'):
            raise NotYetError(self._controller.status.removeprefix('waiting: '))

    def deactivate(self) -> None:
        """End the run; the next tick asks for standstill."""
        self._controller.stop('the controller was deactivated')

    def cleanup(self) -> None:
        """End both threads and ask for standstill; the bridge stops the robot anyway when setpoints cease."""
        self._closing.set()
        self._controller.close()
        for thread in self._threads:
            thread.join()
        self._setpoint.publish(joint_state(time.time(), np.zeros(NU)))

    def _connect(self) -> None:
        for topic, kind in STATE_PARTS:
            self.create_subscription(kind, topic.name, self._state_callback(topic.name), qos(topic))
        self.create_subscription(JointState, topics.SENT.name, self._on_sent, qos(topics.SENT))
        self.create_subscription(DiagnosticStatus, topics.BRIDGE_STATE.name, self._on_bridge, qos(topics.BRIDGE_STATE))
        self._setpoint = self.create_publisher(JointState, topics.SETPOINT.name, qos(topics.SETPOINT))
        self._record = self.create_publisher(Float64MultiArray, topics.TICK.name, qos(topics.TICK))
        self._reference = self.create_publisher(Path, topics.REFERENCE.name, qos(topics.REFERENCE))
        self.create_service(Trigger, '~/start', self._on_start)
        self.create_service(Trigger, '~/stop', self._on_stop)

    # Messages in.

    def _state_callback(self, topic: str) -> Any:
        def on_part(message: Any) -> None:
            complete = self._gatherer.add(topic, message)
            if complete is not None:
                self._controller.on_state(*complete)

        return on_part

    def _on_sent(self, message: JointState) -> None:
        self._controller.on_sent(seconds(message.header.stamp), sides(message))

    def _on_bridge(self, message: DiagnosticStatus) -> None:
        values = {pair.key: pair.value for pair in message.values}
        self._controller.on_bridge(values.get('armed') == 'True', message.message)

    def _on_start(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            if self.lifecycle != 'active':
                raise NotReadyError(f'the controller is {self.lifecycle}, not active')
            path = self._controller.start()
        except NotReadyError as error:
            response.success, response.message = False, f'not started: {error}'
        else:
            self._reference.publish(path_message(time.time(), path.outline))
            response.success, response.message = True, 'running'
        return response

    def _on_stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._controller.stop('by the operator')
        response.success, response.message = True, self._controller.status
        return response

    # The two threads.

    def _tick(self) -> None:
        """Begin a tick every control period, on the steady clock, and publish its setpoint if a run goes on."""
        for _ in every(self._dt, self._closing):
            stamp = time.time()
            setpoint = self._controller.begin_tick(stamp)
            if setpoint is not None:
                self._setpoint.publish(joint_state(stamp, setpoint))
            self.health.announce()

    def _work(self) -> None:
        """Plan each tick of a run and publish its record."""
        while (record := self._controller.work()) is not None:
            self._record.publish(labelled_array(record.encode(), f'tick record, see {TickRecord.__module__}'))
            self._view.show(record)

    # State out.

    def examine(self) -> DiagnosticStatus:
        """Say where the controller stands, and what its model is."""
        text = self._controller.status
        level = DiagnosticStatus.WARN if text.startswith(('waiting', 'stopped')) else DiagnosticStatus.OK
        return status('controller', text, self._details, level)


def main() -> int:
    """Run the executable `controller`."""
    return run(ControllerNode)


if __name__ == '__main__':
    raise SystemExit(main())
