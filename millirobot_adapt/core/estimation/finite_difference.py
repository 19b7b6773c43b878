"""The lab's estimator, kept as a baseline: differences of the newest poses at successive control times."""

from __future__ import annotations

from collections import Counter

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.estimation.health import EstimatorHealth
from millirobot_adapt.core.estimation.pose_input import BodyPose, PoseInput
from millirobot_adapt.core.estimation.quality import UNKNOWN_POSE, PoseFault, StateQuality
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry

SHORTEST_STEP = 1e-3
"""Poses closer in time than this are one and the same for a difference [s]."""


class FiniteDifference:
    """Pose: the newest. Twist: its difference from the newest at the previous telemetry, by their stamps.

    Jumps pass through, as they did in the lab; there is no covariance (zeros).
    """

    def __init__(self, config: EstimatorConfig, robot: RobotConfig) -> None:
        self.robot = robot
        self._lost_after = config.lost_after
        self._input = PoseInput(robot)
        self._newest: BodyPose | None = None
        self._at_control: BodyPose | None = None
        self._velocity = np.zeros(3)
        self._rate = np.zeros(3)
        self._quality = UNKNOWN_POSE
        self._counts: Counter[str] = Counter(accepted=0, invalid=0, foreign=0, repeated=0, late=0)

    def on_pose(self, sample: PoseSample) -> None:
        """Keep the newest usable pose."""
        pose = self._input.take(sample)
        if isinstance(pose, str):
            self._counts[pose] += 1
        elif pose.repeated:
            self._counts['repeated'] += 1
        elif self._newest is not None and pose.stamp <= self._newest.stamp:
            self._counts['late'] += 1
        else:
            self._newest = pose
            self._counts['accepted'] += 1

    def on_telemetry(self, sample: Telemetry) -> None:
        """Take the difference of the newest pose and the newest at the previous telemetry."""
        newest, previous = self._newest, self._at_control
        self._at_control = newest
        if newest is None or previous is None or newest.stamp - previous.stamp < SHORTEST_STEP:
            return
        dt = newest.stamp - previous.stamp
        turn = quat.log(quat.multiply(newest.quaternion, quat.inverse(previous.quaternion)))
        self._velocity = (np.array(newest.position) - np.array(previous.position)) / dt
        self._rate = np.array(quat.rotate(quat.inverse(newest.quaternion), turn)) / dt

    def estimate(self, stamp: float) -> Estimate | None:
        """Return the newest pose and the newest difference, whatever the stamp."""
        newest = self._newest
        if newest is None or not abs(stamp - newest.stamp) <= self._lost_after:
            self._quality = UNKNOWN_POSE
            return None
        age = max(0.0, stamp - newest.stamp)
        self._quality = StateQuality(age, 0.0, 0.0, coasting=False, fault=PoseFault.NONE)
        return Estimate(
            stamp=stamp,
            position=np.array(newest.position),
            quaternion=np.array(newest.quaternion),
            velocity=self._velocity.copy(),
            angular_velocity=self._rate.copy(),
            pose_covariance=np.zeros((6, 6)),
            twist_covariance=np.zeros((6, 6)),
            pose_age=age,
        )

    def quality(self) -> StateQuality:
        """Return the age of the newest pose; there are no standard deviations (zeros)."""
        return self._quality

    def counters(self) -> dict[str, int]:
        """Return how many poses were accepted, invalid, repeated or late (out of order)."""
        return dict(self._counts)

    def health(self) -> EstimatorHealth:
        """Return the counts; more it does not know."""
        return EstimatorHealth(self.counters())
