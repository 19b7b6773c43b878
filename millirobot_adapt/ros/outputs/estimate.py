"""Publish what the estimator says beside its odometry: the transform on /tf, and its details for /diagnostics."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from geometry_msgs.msg import TransformStamped, Vector3
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import QoSProfile

from millirobot_adapt.core.estimation.health import EstimatorHealth

TOPIC = '/tf'
DEPTH = 100
"""What tf2's own broadcaster keeps."""


class TransformPublisher:
    """Send `world` -> `base_link` for each odometry; without tf2 it does nothing, and says so once."""

    def __init__(self, node: Node) -> None:
        try:
            self._kind: Any = import_module('tf2_msgs.msg').TFMessage
        except ImportError:
            self._publisher = None
            node.get_logger().info('no /tf: tf2_msgs is not installed')
            return
        self._publisher = node.create_publisher(self._kind, TOPIC, QoSProfile(depth=DEPTH))

    def publish(self, odometry: Odometry) -> None:
        """Send the pose of an odometry as a transform of the same stamp and frames."""
        if self._publisher is not None:
            self._publisher.publish(self._kind(transforms=[transform(odometry)]))


def transform(odometry: Odometry) -> TransformStamped:
    """Build the transform from the frame of an odometry to its child frame."""
    message = TransformStamped(header=odometry.header, child_frame_id=odometry.child_frame_id)
    place = odometry.pose.pose.position
    message.transform.translation = Vector3(x=place.x, y=place.y, z=place.z)
    message.transform.rotation = odometry.pose.pose.orientation
    return message


UNKNOWN = 'not known'


def details(health: EstimatorHealth) -> dict[str, str]:
    """Return keys with units and values as text: poses by what became of them, innovation, clocks, gyro bias."""
    bias = health.gyro_bias
    return {
        'pose fault': health.fault.name.lower(),
        **{f'poses {reason}': str(count) for reason, count in health.counts.items()},
        'innovation [sd]': _shown(health.innovation, '.2f'),
        'clock offset of motion capture [ms]': _shown(health.clock_offset, '+.1f', 1e3),
        'clock offset taken off [ms]': _shown(health.clock_correction, '+.1f', 1e3),
        'clock offset correlation': f'{health.clock_correlation:.2f}',
        'latency [ms]': _shown(health.latency, '.1f', 1e3),
        'gyro bias [rad/s]': UNKNOWN if bias is None else ' '.join(f'{axis:+.3f}' for axis in bias),
    }


def _shown(value: float | None, form: str, scale: float = 1.0) -> str:
    return UNKNOWN if value is None else format(scale * value, form)
