"""Build the contract's messages from the core's types, once for every library of message classes.

rclpy and rosbags have their own classes for the same ROS message types. `MessageBuilder` takes a factory that makes
one message of a named type; it gives every field of the type, as plain values or numpy arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from millirobot_adapt.contract.topics import BODY_FRAME, WORLD_FRAME
from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.geometry import rotate_back
from millirobot_adapt.core.robot.layout import SIDES, FloatArray
from millirobot_adapt.core.robot.samples import Telemetry

HARDWARE = 'millirobot'
"""Hardware name of every DiagnosticStatus."""


class MessageFactory(Protocol):
    """Makes messages of one library."""

    def __call__(self, kind: str, **fields: Any) -> Any:
        """Make a message.

        Args:
            kind: Its type, such as `std_msgs/msg/Header`.
            fields: A value for every field of the type; arrays of numbers as numpy arrays.
        """
        ...


class MessageBuilder:
    """Builds messages with a factory. Stamps are seconds since the epoch, rounded to a microsecond."""

    def __init__(self, make: MessageFactory) -> None:
        self._make = make

    def time(self, stamp: float) -> Any:
        """Build a Time; a float carries microseconds of today's epoch and no more."""
        microseconds = round(stamp * 1e6)
        return self._make(
            'builtin_interfaces/msg/Time', sec=microseconds // 1_000_000, nanosec=microseconds % 1_000_000 * 1000
        )

    def header(self, stamp: float, frame: str = '') -> Any:
        """Build a Header."""
        return self._make('std_msgs/msg/Header', stamp=self.time(stamp), frame_id=frame)

    def point(self, xyz: ArrayLike) -> Any:
        """Convert an array, shape (3,) [m], to a Point."""
        x, y, z = _floats(xyz)
        return self._make('geometry_msgs/msg/Point', x=x, y=y, z=z)

    def vector3(self, xyz: ArrayLike) -> Any:
        """Convert an array, shape (3,), to a Vector3."""
        x, y, z = _floats(xyz)
        return self._make('geometry_msgs/msg/Vector3', x=x, y=y, z=z)

    def quaternion(self, xyzw: ArrayLike) -> Any:
        """Convert a quaternion xyzw, shape (4,), to a Quaternion."""
        x, y, z, w = _floats(xyzw)
        return self._make('geometry_msgs/msg/Quaternion', x=x, y=y, z=z, w=w)

    def pose(self, position: ArrayLike, xyzw: ArrayLike) -> Any:
        """Build a Pose from a position, shape (3,) [m], and a quaternion xyzw, shape (4,)."""
        return self._make('geometry_msgs/msg/Pose', position=self.point(position), orientation=self.quaternion(xyzw))

    def pose_stamped(self, stamp: float, position: ArrayLike, xyzw: ArrayLike) -> Any:
        """Build a PoseStamped in the frame `world`; arguments as `pose`."""
        return self._make(
            'geometry_msgs/msg/PoseStamped', header=self.header(stamp, WORLD_FRAME), pose=self.pose(position, xyzw)
        )

    def joint_state(
        self,
        stamp: float,
        velocity: ArrayLike,
        position: ArrayLike | None = None,
        effort: ArrayLike | None = None,
        names: Sequence[str] = SIDES,
    ) -> Any:
        """Build a JointState: velocity [rad/s], or an action in its units; optionally position [rad] and effort."""
        position, velocity, effort = (
            np.asarray(() if values is None else values, dtype=float) for values in (position, velocity, effort)
        )
        return self._make(
            'sensor_msgs/msg/JointState', header=self.header(stamp), name=list(names), position=position,
            velocity=velocity, effort=effort,
        )  # fmt: skip

    def telemetry(self, sample: Telemetry, names: Sequence[str] = SIDES, unit: str = 'V') -> tuple[Any, Any, Any, Any]:
        """Build the four messages of one telemetry reply: legs, imu/data_raw, battery, back_emf.

        Args:
            sample: The reply.
            names: Of the joints.
            unit: Of their effort.
        """
        label = ', '.join(['stamp [s]', *(f'{name} [{unit}]' for name in names)])
        stamp = round(sample.stamp * 1e6) / 1e6
        return (
            self.joint_state(sample.stamp, sample.joint_velocity, position=sample.joint_angle, names=names),
            self._imu(sample),
            self._battery(sample),
            self.labelled_array([stamp, *_floats(sample.joint_effort)], label),
        )

    def _imu(self, sample: Telemetry) -> Any:
        unknown = np.zeros(9)
        no_orientation = np.array([-1.0, *unknown[1:]])  # REP 145: there is no orientation estimate
        return self._make(
            'sensor_msgs/msg/Imu',
            header=self.header(sample.stamp, BODY_FRAME),
            orientation=self.quaternion((0.0, 0.0, 0.0, 1.0)),
            orientation_covariance=no_orientation,
            angular_velocity=self.vector3(sample.angular_velocity),
            angular_velocity_covariance=unknown,
            linear_acceleration=self.vector3(sample.acceleration),
            linear_acceleration_covariance=unknown,
        )

    def _battery(self, sample: Telemetry) -> Any:
        """Build a BatteryState; what the robot does not measure is NaN, as the type's definition asks."""
        unmeasured = ('temperature', 'current', 'charge', 'capacity', 'design_capacity', 'percentage')
        empty = np.array([], dtype=np.float32)
        return self._make(
            'sensor_msgs/msg/BatteryState',
            header=self.header(sample.stamp),
            voltage=float(sample.battery),
            **dict.fromkeys(unmeasured, float('nan')),
            power_supply_status=0,
            power_supply_health=0,
            power_supply_technology=0,
            present=True,
            cell_voltage=empty,
            cell_temperature=empty,
            location='',
            serial_number='',
        )

    def labelled_array(self, data: ArrayLike, label: str) -> Any:
        """Build a Float64MultiArray of one dimension whose label says what the numbers are."""
        values = np.asarray(data, dtype=float)
        dimension = self._make('std_msgs/msg/MultiArrayDimension', label=label, size=len(values), stride=len(values))
        layout = self._make('std_msgs/msg/MultiArrayLayout', dim=[dimension], data_offset=0)
        return self._make('std_msgs/msg/Float64MultiArray', layout=layout, data=values)

    def odometry(self, value: Estimate) -> Any:
        """Build an Odometry: pose in `world`, twist in `base_link`."""
        twist = self._make(
            'geometry_msgs/msg/Twist',
            linear=self.vector3(rotate_back(value.quaternion, value.velocity)),
            angular=self.vector3(value.angular_velocity),
        )
        return self._make(
            'nav_msgs/msg/Odometry',
            header=self.header(value.stamp, WORLD_FRAME),
            child_frame_id=BODY_FRAME,
            pose=self._make(
                'geometry_msgs/msg/PoseWithCovariance',
                pose=self.pose(value.position, value.quaternion),
                covariance=value.pose_covariance.ravel(),
            ),
            twist=self._make(
                'geometry_msgs/msg/TwistWithCovariance', twist=twist, covariance=value.twist_covariance.ravel()
            ),
        )

    def path(self, stamp: float, points: FloatArray, yaw: FloatArray | None = None) -> Any:
        """Build a Path in `world` from positions, shape (N, 2) [m], and optional yaw [rad], shape (N,)."""
        headings = np.zeros(len(points)) if yaw is None else yaw
        poses = [
            self.pose_stamped(stamp, (x, y, 0.0), (0.0, 0.0, np.sin(0.5 * heading), np.cos(0.5 * heading)))
            for (x, y), heading in zip(points, headings, strict=True)
        ]
        return self._make('nav_msgs/msg/Path', header=self.header(stamp, WORLD_FRAME), poses=poses)

    def status(self, name: str, text: str, values: Mapping[str, object], level: int | bytes = 0) -> Any:
        """Build a DiagnosticStatus with key-value details; its level as the type's constants, 0 is OK."""
        details = [self._make('diagnostic_msgs/msg/KeyValue', key=key, value=str(v)) for key, v in values.items()]
        number = level if isinstance(level, int) else int.from_bytes(level, 'little')
        return self._make(
            'diagnostic_msgs/msg/DiagnosticStatus', level=number, name=name, message=text, hardware_id=HARDWARE,
            values=details,
        )  # fmt: skip


def _floats(values: ArrayLike) -> list[float]:
    return [float(value) for value in np.asarray(values, dtype=float)]
