"""Estimate pose and twist at the time of each telemetry reply, from motion capture."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import BatteryState, Imu, JointState
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.core.estimation.arrival_record import ArrivalLog, ArrivalRecord
from millirobot_adapt.core.estimation.config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.factory import make_estimator
from millirobot_adapt.core.messages import TelemetryGatherer, pose_sample
from millirobot_adapt.core.robot import load_robot
from millirobot_adapt.core.topics import ARRIVALS, BACK_EMF, BATTERY, IMU, LEGS, MOCAP_POSE, ODOMETRY, Topic
from millirobot_adapt.nodes.conversions import labelled_array, odometry, qos, status
from millirobot_adapt.nodes.estimator_details import details
from millirobot_adapt.nodes.health import Health
from millirobot_adapt.nodes.parameters import load
from millirobot_adapt.nodes.run import NODE_OPTIONS, run
from millirobot_adapt.nodes.source_watch import SourceWatch
from millirobot_adapt.nodes.transform import TransformPublisher

POSE_QUEUE = 100
"""Poses kept while the process is busy: a second of motion capture."""
WARNING_PERIOD = 10.0
"""Least time between two warnings about the same thing [s]."""


class EstimatorNode(Node):
    """Publish `odometry` for the stamp of every telemetry reply; a pose that is not there yet is not waited for."""

    def __init__(self) -> None:
        """Subscribe to motion capture and telemetry."""
        super().__init__('estimator', **NODE_OPTIONS)
        config = load(self, EstimatorNodeConfig)
        self._estimator = make_estimator(config, load_robot(config.robot))
        self._telemetry = TelemetryGatherer()
        self._arrivals = ArrivalLog()
        self._newest_pose: float | None = None
        self._poses = self._replies = self._published = self._malformed = 0
        self._odometry = self.create_publisher(Odometry, ODOMETRY.name, qos(ODOMETRY))
        self._transform = TransformPublisher(self)
        self._record = self.create_publisher(Float64MultiArray, ARRIVALS.name, qos(ARRIVALS))
        self._mocap = self._subscribe_to_mocap(ReliabilityPolicy[config.mocap_reliability.upper()])
        parts: dict[Topic, Any] = {LEGS: JointState, IMU: Imu, BATTERY: BatteryState, BACK_EMF: Float64MultiArray}
        for topic, kind in parts.items():
            self.create_subscription(kind, topic.name, self._part(topic.name), qos(topic))
        self._health = Health(self, self._examine)

    def _subscribe_to_mocap(self, reliability: ReliabilityPolicy) -> SourceWatch:
        """Subscribe; best effort hears every driver, reliable only those that are."""
        profile = qos(MOCAP_POSE, POSE_QUEUE)
        profile.reliability = reliability
        mend = 'set mocap_reliability: best_effort in params/estimator.yaml'
        watch = SourceWatch(self, MOCAP_POSE.name, MOCAP_POSE.type, profile, mend)
        self.create_subscription(PoseStamped, MOCAP_POSE.name, self._on_pose, profile, event_callbacks=watch.events())
        return watch

    def _on_pose(self, message: PoseStamped) -> None:
        sample = pose_sample(message)
        self._poses += 1
        self._newest_pose = sample.stamp
        self._estimator.on_pose(sample)
        self._publish_record(self._arrivals.pose(sample))

    def _part(self, topic: str) -> Callable[[Any], None]:
        return lambda message: self._on_part(topic, message)

    def _on_part(self, topic: str, message: Any) -> None:
        """Publish the odometry when this message completes a telemetry reply."""
        try:
            sample = self._telemetry.add(topic, message)
        except (ValueError, IndexError, OverflowError) as error:
            self._malformed += 1
            self.get_logger().warning(f'{topic} left out: {error}', throttle_duration_sec=WARNING_PERIOD)
            return
        if sample is None:
            return
        self._replies += 1
        self._estimator.on_telemetry(sample)
        estimate = self._estimator.estimate(sample.stamp)
        if estimate is not None:
            self._published += 1
            message = odometry(estimate)
            self._odometry.publish(message)
            self._transform.publish(message)
        self._publish_record(self._arrivals.reply(sample))

    def _publish_record(self, record: ArrivalRecord | None) -> None:
        if record is not None:
            self._record.publish(labelled_array(record.encode(), f'arrivals, see {ArrivalRecord.__module__}'))

    def _examine(self) -> DiagnosticStatus:
        """Say how the last second was (and begin the next), and why there is no odometry if there is none."""
        health = self._estimator.health()
        age = None if self._newest_pose is None else time.time() - self._newest_pose
        rates = {
            'poses [Hz]': self._poses,
            'telemetry [Hz]': self._replies,
            'odometry [Hz]': self._published,
            'pose age [s]': 'none yet' if age is None else f'{age:.3f}',
            'telemetry malformed': self._malformed,
        }
        warnings = health.warnings()
        for warning in warnings:
            self.get_logger().warning(warning, throttle_duration_sec=WARNING_PERIOD)
        coasting = 'coasting on the legs: no pose arrives' if health.coasting else ''
        trouble = self._trouble() or '; '.join(warnings) or coasting
        level = DiagnosticStatus.WARN if trouble else DiagnosticStatus.OK
        self._poses = self._replies = self._published = 0
        return status(
            'estimator', trouble or ('coasting' if health.coasting else 'estimating'), rates | details(health), level
        )

    def _trouble(self) -> str:
        """Return why the last second brought no odometry, or nothing."""
        if self._published:
            return ''
        if not self._poses:
            return f'no odometry: {self._mocap.reason()}'
        if not self._replies:
            return f'no odometry: no telemetry arrives on {self.resolve_topic_name(LEGS.name)}'
        return 'no odometry: no pose is usable (see the counts), or the clocks of mocap and host differ'


def main() -> int:
    """Run the estimator until a signal ends it."""
    return run(EstimatorNode)
