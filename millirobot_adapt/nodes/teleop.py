"""Teleop: drive the robot by joystick while a dead-man button is held; the hand overrides every program."""

from __future__ import annotations

import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_srvs.srv import Trigger

from millirobot_adapt.contract import topics
from millirobot_adapt.core.control.teleop import Teleop, TeleopConfig
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.safety.arbiter import ActionSource
from millirobot_adapt.ros.conversions import qos, status
from millirobot_adapt.ros.node_health import Health
from millirobot_adapt.ros.outputs.actions import ActionPublisher
from millirobot_adapt.ros.parameters import load
from millirobot_adapt.ros.process import NODE_OPTIONS, run

WATCH_PERIOD = 0.05
"""How often the node checks whether the joystick has gone silent [s]."""
JOY_QUEUE = 200
"""Messages kept while the node is held up: two seconds of a joystick that repeats itself at 100 Hz."""
STOP_PATIENCE = 0.5
"""An emergency stop that is not confirmed within this time is requested again [s]."""


class TeleopNode(Node):
    """Connect `core.control.teleop.Teleop` to topics and to the bridge's stop."""

    def __init__(self) -> None:
        super().__init__('teleop', **NODE_OPTIONS)
        config = load(self, TeleopConfig)
        robot = load_robot(config.robot)
        self._teleop = Teleop(config, robot)
        self._stopping = False
        self._stop_asked_at = 0.0
        # Deep enough for a node that was held up: a press that is followed by its release must not be dropped.
        self.create_subscription(Joy, topics.JOY.name, self._on_joy, qos(topics.JOY, depth=JOY_QUEUE))
        self._actions = ActionPublisher(self, ActionSource.TELEOP, robot.layout)
        self._stop = self.create_client(Trigger, 'bridge/stop')
        self._health = Health(self, self.examine)
        self.create_timer(WATCH_PERIOD, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _on_joy(self, message: Joy) -> None:
        try:
            self._teleop.on_joy(message.axes, message.buttons, time.monotonic())
        except ValueError as error:
            self.get_logger().warning(f'joystick ignored: {error}', throttle_duration_sec=1.0)
        self._watch()

    def _watch(self) -> None:
        """Speak if it is time to, and see an emergency stop through."""
        setpoint = self._teleop.setpoint(time.monotonic())
        if setpoint is not None:
            self._actions.publish(setpoint)
        if self._teleop.take_stop():
            self.get_logger().warning('emergency stop; bridge/arm arms again')
            self._stopping, self._stop_asked_at = True, 0.0
        if self._stopping and time.monotonic() - self._stop_asked_at > STOP_PATIENCE:
            self._ask_to_stop()

    def _ask_to_stop(self) -> None:
        """Call the bridge's stop; `_watch` does so again until it has answered."""
        self._stop_asked_at = time.monotonic()
        if self._stop.service_is_ready():
            self._stop.call_async(Trigger.Request()).add_done_callback(self._on_stopped)
        else:
            self.get_logger().error('bridge/stop is not offered by anyone: stop the robot by hand')

    def _on_stopped(self, future: Any) -> None:
        if future.result() is not None and future.result().success:
            self._stopping = False

    def examine(self) -> DiagnosticStatus:
        """Say whether the joystick is heard, and what it asks for."""
        if self._stopping:
            text = 'waiting: the bridge has not confirmed the emergency stop'
            return status('teleop', text, {}, DiagnosticStatus.WARN)
        level = DiagnosticStatus.WARN if self._teleop.waiting else DiagnosticStatus.OK
        return status('teleop', self._teleop.status, {}, level)

    def close(self) -> None:
        """Ask for standstill if the robot was being driven; the bridge stops it anyway when setpoints stop."""
        setpoint = self._teleop.setpoint(float('inf'))  # by then any joystick is silent
        if setpoint is not None:
            self._actions.publish(setpoint)


def main() -> int:
    """Run the executable `teleop`."""
    return run(TeleopNode)


if __name__ == '__main__':
    raise SystemExit(main())
