"""Hear motion capture, or odometry in its place, and say how it comes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy

from millirobot_adapt.contract.messages import pose_sample
from millirobot_adapt.contract.topics import MOCAP_POSE, ODOMETRY, WORLD_FRAME
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.pose_rate import PoseRate
from millirobot_adapt.core.robot.samples import Arrival, PoseSample
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.inputs.source_watch import SourceWatch

QUEUE = 100
"""Poses kept while the process is busy: a second of motion capture."""
REMEDY = 'set mocap_reliability: best_effort in params/estimator.yaml'


def now() -> Arrival:
    """Read both clocks."""
    return Arrival(time.time(), time.monotonic())


class MocapInput:
    """Subscribe to motion capture; best effort hears every driver, reliable only those that are.

    Odometry that takes its place is also published as motion capture, so that the bag holds it and a replay repeats it.
    """

    def __init__(self, node: Node, config: EstimatorNodeConfig, on_pose: Callable[[PoseSample], None]) -> None:
        self._on_pose = on_pose
        self._rate = PoseRate(config.lowest_pose_rate, config.clock_offset)
        profile = qos(MOCAP_POSE, QUEUE)
        profile.reliability = ReliabilityPolicy[config.mocap_reliability.upper()]
        self._frame = config.odometry_frame
        if config.pose_source == 'odometry':
            topic, kind, hear = config.odometry_topic, ODOMETRY.type, self.hear_odometry
            self._copy = node.create_publisher(PoseStamped, MOCAP_POSE.name, qos(MOCAP_POSE, QUEUE))
        else:
            topic, kind, hear = MOCAP_POSE.name, MOCAP_POSE.type, self.hear
        self._source = SourceWatch(node, topic, kind, profile, REMEDY)
        message = Odometry if kind == ODOMETRY.type else PoseStamped
        node.create_subscription(message, topic, hear, profile, event_callbacks=self._source.events())

    def hear_odometry(self, message: Odometry) -> None:
        """Take the pose of one odometry."""
        pose = PoseStamped(header=message.header, pose=message.pose.pose)
        if pose.header.frame_id == self._frame:
            pose.header.frame_id = WORLD_FRAME
        self._copy.publish(pose)
        self.hear(pose)

    def hear(self, message: PoseStamped) -> None:
        """Take one pose."""
        arrival = now()
        sample = replace(pose_sample(message), arrival=arrival)
        self._rate.on_pose(arrival.steady, arrival.host - sample.stamp)
        self._on_pose(sample)

    @property
    def rate(self) -> int:
        """Poses of the last second [Hz]."""
        return self._rate.rate(time.monotonic())

    @property
    def age(self) -> str:
        """How old the newest pose was when it arrived [s], as text."""
        return 'none yet' if math.isnan(self._rate.age) else f'{self._rate.age:.3f}'

    def objection(self) -> str:
        """Say what is not healthy; empty when all is well."""
        return self._rate.objection(time.monotonic()) if self.rate else self._source.reason()
