"""The bridge: what stands between ROS and the robot's radio."""

from __future__ import annotations

import threading
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import BatteryState, Imu, JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from firmware_bridge.clock import SystemClock
from firmware_bridge.config import BridgeConfig
from firmware_bridge.driver import Driver
from firmware_bridge.link import Exchange, Link
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.core import topics
from millirobot_adapt.core.messages import quaternion, seconds, sides, vector
from millirobot_adapt.core.robot import load_robot
from millirobot_adapt.core.safety.gate import Gate
from millirobot_adapt.nodes.conversions import joint_state, qos, status, telemetry_messages
from millirobot_adapt.nodes.health import Health
from millirobot_adapt.nodes.parameters import load
from millirobot_adapt.nodes.run import NODE_OPTIONS, run

TELEMETRY_TOPICS = (
    (topics.LEGS, JointState),
    (topics.IMU, Imu),
    (topics.BATTERY, BatteryState),
    (topics.BACK_EMF, Float64MultiArray),
)


class BridgeNode(Node):
    """Connect `Driver` to topics and services; the link runs on a thread of its own."""

    def __init__(self) -> None:
        super().__init__('bridge', **NODE_OPTIONS)
        config = load(self, BridgeConfig)
        robot = load_robot(config.robot)
        clock = SystemClock()
        link = Link(lambda: SerialPort(config.port, robot.radio.baud), robot, config.link, clock)
        gate = Gate(config.gate, robot)
        link.connect()
        self._driver = Driver(link, gate, config, clock, self._report, lambda text: self.get_logger().info(text))
        self._connect()
        self._thread = threading.Thread(target=self._driver.run, name='link')
        self._thread.start()

    def _connect(self) -> None:
        self.create_subscription(JointState, topics.SETPOINT.name, self._on_setpoint, qos(topics.SETPOINT, depth=1))
        self.create_subscription(PoseStamped, topics.MOCAP_POSE.name, self._on_pose, qos(topics.MOCAP_POSE, depth=1))
        self.create_subscription(Odometry, topics.ODOMETRY.name, self._on_odometry, qos(topics.ODOMETRY, depth=1))
        self._sent = self._publisher(topics.SENT, JointState)
        self._telemetry = [self._publisher(topic, kind) for topic, kind in TELEMETRY_TOPICS]
        self._health = Health(self, self._status, topics.BRIDGE_STATE)
        self.create_service(Trigger, '~/arm', self._on_arm)
        self.create_service(Trigger, '~/stop', self._on_stop)
        self.create_timer(1.0, self._check_thread, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _publisher(self, topic: topics.Topic, kind: type[Any]) -> Publisher:
        return self.create_publisher(kind, topic.name, qos(topic))

    # Messages in.

    def _on_setpoint(self, message: JointState) -> None:
        try:
            setpoint = sides(message)
        except ValueError as error:
            self.get_logger().warning(f'setpoint ignored: {error}', throttle_duration_sec=1.0)
            return
        self._driver.on_setpoint(setpoint, seconds(message.header.stamp))

    def _on_pose(self, message: PoseStamped) -> None:
        self._driver.on_pose(seconds(message.header.stamp))

    def _on_odometry(self, message: Odometry) -> None:
        pose = message.pose.pose
        self._driver.on_odometry(vector(pose.position), quaternion(pose.orientation), seconds(message.header.stamp))

    def _on_arm(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        refusal = self._driver.arm()
        response.success = refusal is None
        response.message = 'armed' if refusal is None else f'not armed: {refusal}'
        return response

    def _on_stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._driver.stop('stopped by the operator')
        response.success, response.message = True, 'stopped by the operator'
        return response

    # Messages out.

    def _report(self, exchange: Exchange | None) -> None:
        """Publish an exchange, and the state whenever it changes; runs on the link's thread."""
        if exchange is not None:
            self._sent.publish(joint_state(exchange.stamp, exchange.sent))
            if exchange.telemetry is not None:
                for publisher, message in zip(self._telemetry, telemetry_messages(exchange.telemetry), strict=True):
                    publisher.publish(message)
        self._health.announce()

    def _status(self) -> DiagnosticStatus:
        state = self._driver.status()
        level = DiagnosticStatus.OK if state.armed else DiagnosticStatus.WARN
        level = level if state.link == 'up' else DiagnosticStatus.ERROR
        return status('bridge', state.reason, {'armed': state.armed, 'link': state.link, **state.counters}, level)

    def _check_thread(self) -> None:
        if not self._thread.is_alive():
            raise RuntimeError('the thread of the link has ended; its error stands above')

    def close(self) -> None:
        """Stop the robot and end the thread."""
        self._driver.close()
        self._thread.join()
        self._health.announce()


def main() -> int:
    """Run the executable `bridge`."""
    return run(BridgeNode)


if __name__ == '__main__':
    raise SystemExit(main())
