"""Build ROS messages from the core's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import Point, PoseStamped, Quaternion, Vector3
from nav_msgs.msg import Odometry, Path
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import BatteryState, Imu, JointState
from std_msgs.msg import Float64MultiArray, MultiArrayDimension

from millirobot_adapt.contract.topics import BODY_FRAME, WORLD_FRAME, Topic
from millirobot_adapt.core.estimation.interface import Estimate
from millirobot_adapt.core.geometry import quaternion_from_rpy, rotate_back
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import ACTION_NAMES, FloatArray


def qos(topic: Topic, depth: int = 10) -> QoSProfile:
    """Return the quality of service that the contract gives a topic."""
    return QoSProfile(
        depth=topic.history if topic.latched else depth,
        reliability=ReliabilityPolicy.RELIABLE if topic.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if topic.latched else DurabilityPolicy.VOLATILE,
    )


def message_class(topic: Topic) -> Any:
    """Return rclpy's class of a topic's messages."""
    package, _, name = topic.type.split('/')
    return getattr(import_module(f'{package}.msg'), name)


def time_message(stamp: float) -> Time:
    """Convert seconds since the epoch to builtin_interfaces/Time (rounded to a microsecond, what a float carries)."""
    microseconds = round(stamp * 1e6)
    return Time(sec=microseconds // 1_000_000, nanosec=microseconds % 1_000_000 * 1000)


def point(xyz: Sequence[float] | FloatArray) -> Point:
    """Convert an array, shape (3,), to a Point."""
    return Point(x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))


def vector3(xyz: Sequence[float] | FloatArray) -> Vector3:
    """Convert an array, shape (3,), to a Vector3."""
    return Vector3(x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))


def quaternion_message(xyzw: Sequence[float] | FloatArray) -> Quaternion:
    """Convert a quaternion xyzw, shape (4,), to a Quaternion."""
    return Quaternion(x=float(xyzw[0]), y=float(xyzw[1]), z=float(xyzw[2]), w=float(xyzw[3]))


def pose_stamped(stamp: float, position: FloatArray, xyzw: FloatArray) -> PoseStamped:
    """Build a PoseStamped in the frame `world`."""
    message = PoseStamped()
    message.header.stamp = time_message(stamp)
    message.header.frame_id = WORLD_FRAME
    message.pose.position = point(position)
    message.pose.orientation = quaternion_message(xyzw)
    return message


def joint_state(
    stamp: float,
    velocity: FloatArray,
    position: FloatArray | None = None,
    effort: FloatArray | None = None,
) -> JointState:
    """Build a JointState of left and right: velocity [rad/s], optionally position [rad] and effort."""
    message = JointState(name=list(ACTION_NAMES), velocity=[float(value) for value in velocity])
    message.header.stamp = time_message(stamp)
    if position is not None:
        message.position = [float(value) for value in position]
    if effort is not None:
        message.effort = [float(value) for value in effort]
    return message


def telemetry_messages(sample: Telemetry) -> tuple[JointState, Imu, BatteryState, Float64MultiArray]:
    """Build the four messages of one telemetry reply: legs, imu/data_raw, battery, back_emf."""
    legs = joint_state(sample.stamp, sample.leg_velocity, position=sample.leg_angle)
    imu = Imu(angular_velocity=vector3(sample.angular_velocity), linear_acceleration=vector3(sample.acceleration))
    imu.header.stamp = legs.header.stamp
    imu.header.frame_id = BODY_FRAME
    imu.orientation_covariance[0] = -1.0  # REP 145: there is no orientation estimate
    battery = BatteryState(voltage=float(sample.battery), present=True)
    battery.header.stamp = legs.header.stamp
    back_emf = labelled_array(
        [round(sample.stamp * 1e6) / 1e6, *map(float, sample.back_emf)], 'stamp [s], left [V], right [V]'
    )
    return legs, imu, battery, back_emf


def labelled_array(data: Sequence[float] | FloatArray, label: str) -> Float64MultiArray:
    """Build a Float64MultiArray of one dimension whose label says what the numbers are."""
    message = Float64MultiArray()
    message.layout.dim = [MultiArrayDimension(label=label, size=len(data), stride=len(data))]
    message.data = np.asarray(data, dtype=float).tolist()
    return message


def odometry(value: Estimate) -> Odometry:
    """Build an Odometry: pose in `world`, twist in `base_link`."""
    message = Odometry()
    message.header.stamp = time_message(value.stamp)
    message.header.frame_id = WORLD_FRAME
    message.child_frame_id = BODY_FRAME
    message.pose.pose.position = point(value.position)
    message.pose.pose.orientation = quaternion_message(value.quaternion)
    message.pose.covariance = value.pose_covariance.ravel()
    message.twist.twist.linear = vector3(rotate_back(value.quaternion, value.velocity))
    message.twist.twist.angular = vector3(value.angular_velocity)
    message.twist.covariance = value.twist_covariance.ravel()
    return message


def path_message(stamp: float, points: FloatArray, yaw: FloatArray | None = None) -> Path:
    """Build a Path in `world` from positions, shape (N, 2) [m], and optional yaw [rad], shape (N,)."""
    message = Path()
    message.header.stamp = time_message(stamp)
    message.header.frame_id = WORLD_FRAME
    for i, (x, y) in enumerate(points):
        angles = np.array([0.0, 0.0, 0.0 if yaw is None else yaw[i]])
        message.poses.append(pose_stamped(stamp, np.array([x, y, 0.0]), quaternion_from_rpy(angles)))
    return message


def status(name: str, text: str, values: Mapping[str, object], level: bytes = DiagnosticStatus.OK) -> DiagnosticStatus:
    """Build a DiagnosticStatus with key-value details."""
    details = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return DiagnosticStatus(level=level, name=name, message=text, hardware_id='millirobot', values=details)
