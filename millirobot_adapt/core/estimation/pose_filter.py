"""Estimate pose and twist from motion capture and gyro: a Kalman filter with the orientation on its manifold.

Read in this order: constant_velocity.py (one axis), motion.py (six of them), track.py (measurements in any order),
smoother.py (the mean twist of a period), then here: which measurements are believed, and what is answered.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.config import EstimatorConfig
from millirobot_adapt.core.estimation.interface import Estimate
from millirobot_adapt.core.estimation.jumps import JumpWatch
from millirobot_adapt.core.estimation.motion import MotionModel, difference
from millirobot_adapt.core.estimation.pose_input import BodyPose, BodyRate, PoseInput
from millirobot_adapt.core.estimation.smoother import smooth_period
from millirobot_adapt.core.estimation.track import Track
from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.core.samples import PoseSample, Telemetry
from millirobot_adapt.core.state import FloatArray

REMEMBERED = 0.2
"""Measurements are kept for the twist period and this much more [s]: so late may a pose, or a question, come."""
LARGEST_RATE = 100.0
"""A gyro reading beyond it is no measurement [rad/s]; the sensor ends at 35."""


class PoseFilter:
    """Kalman filter over pose and twist; see `Estimator` for the methods' contract.

    The gyro tells how the body turns between the newest pose and the stamp that is asked for. Its bias is not
    estimated: over those ten milliseconds it amounts to less than a milliradian.
    """

    def __init__(self, config: EstimatorConfig, robot: RobotConfig) -> None:
        self._config = config
        self._model = MotionModel(config)
        self._input = PoseInput(robot)
        self._jumps = JumpWatch(config)
        self._track: Track | None = None
        self._counts: Counter[str] = Counter(accepted=0, invalid=0, repeated=0, late=0, jumped=0, started=0)

    def on_pose(self, sample: PoseSample) -> None:
        """Take a pose, or count why not."""
        pose = self._input.take(sample)
        verdict = pose if isinstance(pose, str) else self._take(pose)
        self._counts[verdict] += 1

    def on_telemetry(self, sample: Telemetry) -> None:
        """Take the gyro's reading, unless it is senseless or from a time that is not tracked."""
        x, y, z = map(float, sample.angular_velocity)
        sensible = math.isfinite(sample.stamp) and all(abs(rate) <= LARGEST_RATE for rate in (x, y, z))
        if sensible and self._track is not None and self._tracked(self._track, sample.stamp):
            self._track.insert(BodyRate(sample.stamp, (x, y, z)))

    def estimate(self, stamp: float) -> Estimate | None:
        """Return the pose at `stamp` and the mean twist of the period before it."""
        track, period = self._track, self._config.twist_period
        if track is None or not self._tracked(track, stamp):
            return None
        start, end, translation_cross, rotation_cross = smooth_period(
            self._model, track.newest_first(), stamp - period, stamp
        )
        displacement, turn = difference(end, start)
        velocity_variance = (end.translation.value + start.translation.value - 2 * translation_cross) / period**2
        rate_variance = (end.rotation.value + start.rotation.value - 2 * rotation_cross) / period**2
        return Estimate(
            stamp=stamp,
            position=np.array(end.position),
            quaternion=np.array(end.quaternion),
            velocity=np.array(displacement) / period,
            angular_velocity=np.array(quat.rotate(quat.inverse(end.quaternion), turn)) / period,
            pose_covariance=_covariance(end.translation.value, end.rotation.value),
            # The same on every axis, so turning it into the body frame changes nothing.
            twist_covariance=_covariance(velocity_variance, rate_variance),
            pose_age=max(0.0, stamp - track.newest_pose.stamp),
        )

    def counters(self) -> dict[str, int]:
        """Return how many poses were accepted, invalid, repeated, late (by far), jumped, or started the filter anew."""
        return dict(self._counts)

    def _take(self, pose: BodyPose) -> str:
        """Follow a pose, leave it out, or start from it; return which."""
        track = self._track
        if track is None or pose.stamp > track.newest_pose.stamp + self._config.lost_after:
            return self._start(pose)
        before = track.pose_before(pose.stamp) if pose.stamp >= track.oldest_stamp else None
        if before is not None and self._fits(track, before, pose):
            if before.stamp == pose.stamp:
                return 'repeated'
            self._jumps.clear()
            track.insert(pose)
            return 'accepted'
        if before is None and pose.stamp >= track.newest_pose.stamp - self._config.lost_after:
            return 'late'
        # A jump in space; or in time, when the clock of motion capture was set back.
        return self._start(pose) if self._jumps.confirmed_by(pose) else 'jumped'

    def _fits(self, track: Track, before: BodyPose, pose: BodyPose) -> bool:
        surprise = self._model.surprise(track.before(pose.stamp), pose)
        return surprise <= self._config.gate**2 and self._jumps.reachable(before, pose)

    def _start(self, pose: BodyPose) -> str:
        """Forget the past: the body is where this pose says."""
        self._jumps.clear()
        self._track = Track(self._model, self._config.twist_period + REMEMBERED, pose)
        return 'started'

    def _tracked(self, track: Track, stamp: float) -> bool:
        return track.oldest_stamp <= stamp <= track.newest_pose.stamp + self._config.lost_after


def _covariance(first: float, second: float) -> FloatArray:
    return np.diag([first] * 3 + [second] * 3)
