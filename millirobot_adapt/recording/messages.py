"""Build the contract's messages from plain values, as rosbags' types: what `ros/conversions.py` does for rclpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from millirobot_adapt.contract.topics import BODY_FRAME, WORLD_FRAME
from millirobot_adapt.core.estimation.interface import Estimate
from millirobot_adapt.core.geometry import rotate_back
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import ACTION_NAMES, FloatArray
from millirobot_adapt.recording.records import typestore


def _type(name: str) -> Any:
    return typestore().types[name]


def time_message(stamp: float) -> Any:
    """Convert seconds since the epoch to builtin_interfaces/Time (rounded to a microsecond, what a float carries)."""
    microseconds = round(stamp * 1e6)
    return _type('builtin_interfaces/msg/Time')(microseconds // 1_000_000, microseconds % 1_000_000 * 1000)


def header(stamp: float, frame: str = '') -> Any:
    """Build a Header."""
    return _type('std_msgs/msg/Header')(time_message(stamp), frame)


def vector3(xyz: ArrayLike) -> Any:
    """Convert an array, shape (3,), to a Vector3."""
    return _type('geometry_msgs/msg/Vector3')(*np.asarray(xyz, dtype=float).tolist())


def pose(position: ArrayLike, quaternion: ArrayLike) -> Any:
    """Build a Pose from a position, shape (3,) [m], and a quaternion xyzw, shape (4,)."""
    return _type('geometry_msgs/msg/Pose')(
        _type('geometry_msgs/msg/Point')(*np.asarray(position, dtype=float).tolist()),
        _type('geometry_msgs/msg/Quaternion')(*np.asarray(quaternion, dtype=float).tolist()),
    )


def pose_stamped(stamp: float, position: ArrayLike, quaternion: ArrayLike) -> Any:
    """Build a PoseStamped in the frame `world`."""
    return _type('geometry_msgs/msg/PoseStamped')(header(stamp, WORLD_FRAME), pose(position, quaternion))


def joint_state(
    stamp: float, velocity: ArrayLike, position: ArrayLike | None = None, effort: ArrayLike | None = None
) -> Any:
    """Build a JointState of left and right: velocity [rad/s], optionally position [rad] and effort."""

    def column(values: ArrayLike | None) -> FloatArray:
        return np.asarray(() if values is None else values, dtype=float)

    return _type('sensor_msgs/msg/JointState')(
        header(stamp), list(ACTION_NAMES), column(position), column(velocity), column(effort)
    )


def telemetry_messages(sample: Telemetry) -> tuple[Any, Any, Any, Any]:
    """Build the four messages of one telemetry reply: legs, imu/data_raw, battery, back_emf."""
    unknown = np.zeros(9)
    no_orientation = np.array([-1.0, *unknown[1:]])  # REP 145: there is no orientation estimate
    imu = _type('sensor_msgs/msg/Imu')(
        header(sample.stamp, BODY_FRAME),
        _type('geometry_msgs/msg/Quaternion')(0.0, 0.0, 0.0, 1.0),
        no_orientation,
        vector3(sample.angular_velocity),
        unknown,
        vector3(sample.acceleration),
        unknown,
    )
    stamp = round(sample.stamp * 1e6) / 1e6
    legs = joint_state(sample.stamp, sample.leg_velocity, position=sample.leg_angle)
    back_emf = labelled_array([stamp, *sample.back_emf], 'stamp [s], left [V], right [V]')
    return legs, imu, _battery(sample), back_emf


def _battery(sample: Telemetry) -> Any:
    empty = np.array([], dtype=np.float32)
    nan = float('nan')
    return _type('sensor_msgs/msg/BatteryState')(
        header=header(sample.stamp),
        voltage=sample.battery,
        temperature=nan,
        current=nan,
        charge=nan,
        capacity=nan,
        design_capacity=nan,
        percentage=nan,
        power_supply_status=0,
        power_supply_health=0,
        power_supply_technology=0,
        present=True,
        cell_voltage=empty,
        cell_temperature=empty,
        location='',
        serial_number='',
    )


def labelled_array(data: ArrayLike, label: str) -> Any:
    """Build a Float64MultiArray of one dimension whose label says what the numbers are."""
    values = np.asarray(data, dtype=float)
    dimension = _type('std_msgs/msg/MultiArrayDimension')(label, len(values), len(values))
    layout = _type('std_msgs/msg/MultiArrayLayout')([dimension], 0)
    return _type('std_msgs/msg/Float64MultiArray')(layout, values)


def odometry(value: Estimate) -> Any:
    """Build an Odometry: pose in `world`, twist in `base_link`."""
    twist = _type('geometry_msgs/msg/Twist')(
        vector3(rotate_back(value.quaternion, value.velocity)), vector3(value.angular_velocity)
    )
    return _type('nav_msgs/msg/Odometry')(
        header(value.stamp, WORLD_FRAME),
        BODY_FRAME,
        _type('geometry_msgs/msg/PoseWithCovariance')(
            pose(value.position, value.quaternion), value.pose_covariance.ravel()
        ),
        _type('geometry_msgs/msg/TwistWithCovariance')(twist, value.twist_covariance.ravel()),
    )


def path(stamp: float, points: FloatArray) -> Any:
    """Build a Path in `world` from positions, shape (N, 2) [m]."""
    poses = [pose_stamped(stamp, (x, y, 0.0), (0.0, 0.0, 0.0, 1.0)) for x, y in points]
    return _type('nav_msgs/msg/Path')(header(stamp, WORLD_FRAME), poses)


def status(name: str, text: str, values: Mapping[str, object], level: int = 0) -> Any:
    """Build a DiagnosticStatus with key-value details."""
    make: Any = _type('diagnostic_msgs/msg/KeyValue')
    details: Sequence[Any] = [make(key, str(value)) for key, value in values.items()]
    return _type('diagnostic_msgs/msg/DiagnosticStatus')(level, name, text, 'millirobot', details)
