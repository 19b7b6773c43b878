"""Be the robot, its radio and the motion capture, in real time, so that everything else runs as it does in the lab."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.node import Node
from sensor_msgs.msg import JointState

from millirobot_adapt.contract.topics import FAULT, MOCAP_POSE, MOTORS, TRUE_LEGS, TRUE_POSE
from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.niceness import NICENESS
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.drivers import TwistConfig
from millirobot_adapt.ros.conversions import joint_state, pose_stamped, qos, status
from millirobot_adapt.ros.inject import INJECT, fault_request
from millirobot_adapt.ros.inputs.twist_input import TwistInput
from millirobot_adapt.ros.parameters import load
from millirobot_adapt.ros.process import NODE_OPTIONS, run
from millirobot_adapt.sim.conditions import load_condition, make_fault
from millirobot_adapt.sim.firmware_board import FIRMWARES, MOCK, firmware_text
from millirobot_adapt.sim.mock import Mock, make_mock
from millirobot_adapt.sim.rover_mock import RoverMock
from millirobot_adapt.sim.rover_world import RoverWorld

TRUTH_PERIOD = 0.02
"""Time between two messages of the truth [s]."""
WARNING_PERIOD = 5.0
"""Least time between two warnings about lost time [s]."""


class MockRobotConfig(Config):
    """Parameters of the executable `mock_robot`."""

    robot: str = param('velociroach', 'Robot: a name in params/robots or the path of a YAML file.')
    condition: str = param('leg_loss', 'Condition: a name in params/conditions or the path of a YAML file.')
    fault_time: float = param(
        -1.0, 'When faults begin, after the first motor command; below 0: when the condition says.', unit='s',
        low=-1.0, high=3600.0,
    )  # fmt: skip
    firmware: str = param(MOCK, 'Firmware: python is its own; host, qemu: the reference in C.', choices=FIRMWARES)
    seed: int = param(0, 'Seed of all noise.', low=0)
    port: str = param('/tmp/millirobot_radio', 'Link to make to the pseudo-terminal; the port of the bridge.')
    wire_time: bool = param(True, 'Bytes take the time that the serial line and the air need; false: none.')
    niceness: int = NICENESS


class MockRobot(Node):
    """Serve the radio on a pseudo-terminal, publish motion capture and the truth, inject faults on request."""

    def __init__(self) -> None:
        """Build the world and open the port."""
        super().__init__('mock_robot', **NODE_OPTIONS)
        config = load(self, MockRobotConfig)
        robot = load_robot(config.robot)
        condition = load_condition(config.condition)
        if config.fault_time >= 0.0:
            condition = condition.with_faults_from(config.fault_time)
        self._pose = self.create_publisher(PoseStamped, MOCAP_POSE.name, qos(MOCAP_POSE))
        self._true_pose = self.create_publisher(PoseStamped, TRUE_POSE.name, qos(TRUE_POSE))
        self._true_legs = self.create_publisher(JointState, TRUE_LEGS.name, qos(TRUE_LEGS))
        self._motors = self.create_publisher(JointState, MOTORS.name, qos(MOTORS))
        self._fault = self.create_publisher(DiagnosticStatus, FAULT.name, qos(FAULT))
        self._next_truth = 0.0
        self._faults_told = 0
        self._motors_told = -1.0
        self._lost_time_told = 0.0
        self._mock: Mock | RoverMock
        if isinstance(robot.driver, TwistConfig):
            self._mock = rover = RoverMock(RoverWorld(robot, condition, config.seed))
            TwistInput(self, robot.driver, robot.layout, rover.command)
            self.callback_period = 0.0  # its commands come as callbacks: each one waiting would be a delay of the robot
            self.get_logger().info(f'listening to {robot.driver.topic}')
        else:
            self._mock = make_mock(
                robot, condition, config.seed, Path(config.port), firmware=config.firmware, wire_time=config.wire_time
            )
            self.get_logger().info(f'firmware: {firmware_text(config.firmware)}')
            self.get_logger().info(f'serving the radio on {config.port}')
        self.create_service(SetParametersAtomically, INJECT, self._inject)

    def turn(self) -> None:
        """Run the mock up to the present and publish what is new."""
        mock = self._mock
        for pose in mock.turn():
            message = pose_stamped(pose.stamp, pose.position, pose.quaternion)
            message.header.frame_id = mock.world.mocap.frame_id or message.header.frame_id
            self._pose.publish(message)
        since, commanded = mock.motors
        if since > self._motors_told:  # told to the millisecond, however late this is published
            self._motors_told = since
            self._motors.publish(joint_state(mock.time.host_time(since), commanded))
        if mock.world.time >= self._next_truth:
            self._next_truth = (math.floor(mock.world.time / TRUTH_PERIOD) + 1) * TRUTH_PERIOD
            self._publish_truth()
        for time, fault in mock.world.faults[self._faults_told :]:
            details = {'time [s]': f'{mock.time.host_time(time):.3f}', fault.what: str(fault.value)}
            if fault.duration:
                details['duration [s]'] = f'{fault.duration:g}'
            self._fault.publish(status(fault.name, fault.text, details))
            self._faults_told += 1
        if mock.time.lost_time > self._lost_time_told:
            self._lost_time_told = mock.time.lost_time
            self.get_logger().warning(
                f'this machine is too slow or too busy: {mock.time.lost_time:.2f} s of real time skipped so far',
                throttle_duration_sec=WARNING_PERIOD,
            )

    def close(self) -> None:
        """Remove the port; continue the processes that were stopped."""
        self._mock.close()

    def _inject(
        self, request: SetParametersAtomically.Request, response: SetParametersAtomically.Response
    ) -> SetParametersAtomically.Response:
        try:
            fault = make_fault(*fault_request(request))
            self._mock.world.inject(fault)
        except UserError as error:
            response.result.reason = str(error)
            return response
        self.get_logger().info(fault.text)
        response.result.successful, response.result.reason = True, fault.text
        return response

    def _publish_truth(self) -> None:
        mock = self._mock
        stamp = mock.time.host_time(mock.world.time)
        if not isinstance(mock, Mock):
            self._true_pose.publish(pose_stamped(stamp, *mock.world.rover.pose()))
            return
        hexapod = mock.world.hexapod
        velocity, angle, duty = map(np.array, (hexapod.leg_velocity(), hexapod.leg_angle(), hexapod.duty))
        legs = joint_state(stamp, velocity, position=angle, effort=duty)
        self._true_pose.publish(pose_stamped(stamp, *hexapod.pose()))
        self._true_legs.publish(legs)


def main() -> int:
    """Run the mock until a signal ends it."""
    return run(MockRobot)
