"""Read ROS messages into the core's types, and join what belongs to one telemetry reply.

Messages are taken by their fields alone, so the same functions serve rclpy's messages in a live run and rosbags' in
replay; nothing of ROS is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from millirobot_adapt.contract.reply_codec import decode_reply
from millirobot_adapt.contract.topics import (
    BACK_EMF,
    BATTERY,
    IMU,
    LEGS,
    ODOMETRY,
    PATH,
    REPLY,
    REPLY_PARTS,
    WORLD_FRAME,
    Topic,
)
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.assembly import state_of
from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.geometry import rotate
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import SIDES, FloatArray
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry


def seconds(stamp: Any) -> float:
    """Convert a builtin_interfaces/Time to seconds since the epoch."""
    return float(stamp.sec + 1e-9 * stamp.nanosec)


def vector(xyz: Any) -> FloatArray:
    """Convert a Point or Vector3 to an array, shape (3,)."""
    return np.array([xyz.x, xyz.y, xyz.z], dtype=float)


def quaternion(xyzw: Any) -> FloatArray:
    """Convert a Quaternion to an array xyzw, shape (4,)."""
    return np.array([xyzw.x, xyzw.y, xyzw.z, xyzw.w], dtype=float)


def pose_sample(message: Any) -> PoseSample:
    """Read a PoseStamped of the marker body; an empty frame counts as `world`."""
    pose, header = message.pose, message.header
    return PoseSample(
        seconds(header.stamp), vector(pose.position), quaternion(pose.orientation),
        in_world=header.frame_id in ('', WORLD_FRAME),
    )  # fmt: skip


def joint_values(message: Any, names: Sequence[str], field: str = 'velocity') -> FloatArray:
    """Read values from a JointState by the names of joints or actions, shape (names,).

    Raises:
        ValueError: a name or its value is missing.
    """
    values = getattr(message, field)
    given = list(message.name)
    if len(values) != len(given):
        raise ValueError(f'JointState has {len(given)} names but {len(values)} values of {field}')
    return np.array([values[given.index(name)] for name in names], dtype=float)


def telemetry(legs: Any, imu: Any, battery: Any, back_emf: Any, names: Sequence[str] = SIDES) -> Telemetry:
    """Read one telemetry reply from its four messages (JointState, Imu, BatteryState, Float64MultiArray).

    `names` are those of the joints, in the order of the state.
    """
    return Telemetry(
        stamp=seconds(legs.header.stamp),
        joint_angle=joint_values(legs, names, 'position'),
        joint_velocity=joint_values(legs, names),
        angular_velocity=vector(imu.angular_velocity),
        acceleration=vector(imu.linear_acceleration),
        joint_effort=np.array(back_emf.data[1:], dtype=float),
        battery=float(battery.voltage),
    )


def estimate(odometry: Any) -> Estimate:
    """Read an Odometry back into an estimate (velocity turned from the body frame to the world)."""
    orientation = quaternion(odometry.pose.pose.orientation)
    twist = odometry.twist.twist
    return Estimate(
        stamp=seconds(odometry.header.stamp),
        position=vector(odometry.pose.pose.position),
        quaternion=orientation,
        velocity=rotate(orientation, vector(twist.linear)),
        angular_velocity=vector(twist.angular),
        pose_covariance=np.array(odometry.pose.covariance, dtype=float).reshape(6, 6),
        twist_covariance=np.array(odometry.twist.covariance, dtype=float).reshape(6, 6),
        pose_age=float('nan'),
    )


def reference_path(message: Any, name: str = 'reference') -> ReferencePath:
    """Read the waypoints of a nav_msgs/Path; a loop that ends where it began is closed.

    Raises:
        UserError: they make no path.
    """
    points = np.array([vector(pose.pose.position)[:2] for pose in message.poses]).reshape(-1, 2)
    return ReferencePath.through(points, name=name)


def published_path(message: Any) -> ReferencePath:
    """Read a nav_msgs/Path that somebody wants followed.

    Raises:
        UserError: it is in another frame than `world`, or its waypoints make no path.
    """
    frame = message.header.frame_id
    if frame not in ('', WORLD_FRAME):
        raise UserError(f'{PATH.name}: the path is in the frame {frame!r}; publish it in {WORLD_FRAME!r}')
    return reference_path(message, PATH.name)


class TelemetryGatherer:
    """Join the four messages of one telemetry reply by their common stamp; at most a few replies are kept waiting."""

    KEPT = 5

    def __init__(self, names: Sequence[str] = SIDES) -> None:
        """Begin with nothing; `names` are those of the joints, in the order of the state."""
        self._names = names
        self._waiting: dict[int, dict[str, Any]] = {}

    def __len__(self) -> int:
        """Count the replies of which parts are still missing."""
        return len(self._waiting)

    def add(self, topic: str, message: Any) -> Telemetry | None:
        """Take one message of legs, imu/data_raw, battery or back_emf; return the reply it completes, if any."""
        stamp = float(message.data[0]) if topic == BACK_EMF.name else seconds(message.header.stamp)
        key = microseconds(stamp)
        parts = self._waiting.setdefault(key, {})
        parts[topic] = message
        if len(parts) == 4:
            del self._waiting[key]
            return telemetry(parts[LEGS.name], parts[IMU.name], parts[BATTERY.name], parts[BACK_EMF.name], self._names)
        while len(self._waiting) > self.KEPT:
            del self._waiting[min(self._waiting)]
        return None


def reported_parts(robot: RobotConfig) -> tuple[Topic, ...]:
    """Return the parts of a reply that a robot reports; the others are not published."""
    layout = robot.layout
    reported = (bool(layout.joints), robot.gyro, layout.battery, layout.effort is not None)
    return tuple(topic for topic, there in zip(REPLY_PARTS, reported, strict=True) if there)


class StateGatherer:
    """Join telemetry and the odometry of the same stamp into states.

    A reply is taken from the four messages of its parts, or whole from `reply`: a robot that does not report all parts
    does not publish them all. Give it one of the two.
    """

    KEPT = 5

    def __init__(self, robot: RobotConfig) -> None:
        self._robot = robot
        self._gatherer = TelemetryGatherer([joint.name for joint in robot.layout.joints])
        self._telemetry: dict[int, Telemetry] = {}
        self._estimates: dict[int, Estimate] = {}

    def add(self, topic: str, message: Any) -> tuple[float, FloatArray] | None:
        """Take one message of telemetry or odometry; return (stamp [s], state (nx,)) when it completes a state."""
        pair = self.join(topic, message)
        return None if pair is None else (pair[1].stamp, state_of(*pair, self._robot))

    def join(self, topic: str, message: Any) -> tuple[Estimate, Telemetry] | None:
        """Take one message of telemetry or odometry; return the two of one instant when it completes them.

        Raises:
            ValueError: the content of the message makes no sense.
        """
        if topic == ODOMETRY.name:
            found = estimate(message)
            self._estimates[microseconds(found.stamp)] = found
            key = microseconds(found.stamp)
        else:
            reply = decode_reply(message.data) if topic == REPLY.name else self._gatherer.add(topic, message)
            if reply is None:
                return None
            self._telemetry[microseconds(reply.stamp)] = reply
            key = microseconds(reply.stamp)
        if key in self._telemetry and key in self._estimates:
            return self._estimates.pop(key), self._telemetry.pop(key)
        for waiting in (self._telemetry, self._estimates):
            while len(waiting) > self.KEPT:
                del waiting[min(waiting)]
        return None


def microseconds(stamp: float) -> int:
    """Return a stamp as whole microseconds: float seconds carry those exactly enough to match, nanoseconds not."""
    return round(stamp * 1e6)
