"""Estimate pose and twist from motion-capture poses: a Kalman filter with the orientation on its manifold.

Read in this order: constant_velocity.py (one axis), motion.py (six of them), smoother.py (the mean twist of a period),
then here: which poses are believed, and what is answered.
"""

from __future__ import annotations

from collections import Counter, deque

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.config import EstimatorConfig
from millirobot_adapt.core.estimation.interface import Estimate
from millirobot_adapt.core.estimation.jumps import JumpWatch
from millirobot_adapt.core.estimation.motion import Motion, MotionModel, difference
from millirobot_adapt.core.estimation.pose_input import BodyPose, PoseInput
from millirobot_adapt.core.estimation.smoother import smooth_period
from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.core.samples import PoseSample, Telemetry

REMEMBERED = 0.2
"""Motions are kept for the twist period and this much more [s]: so late may a stamp be asked for."""


class PoseFilter:
    """Kalman filter over pose and twist; see `Estimator` for the methods' contract.

    The gyro is left out: it comes at 10 Hz and only samples the swing of the stride, while the poses give the mean
    angular velocity of the period at 100 Hz without bias.
    """

    def __init__(self, config: EstimatorConfig, robot: RobotConfig) -> None:
        self._config = config
        self._model = MotionModel(config)
        self._input = PoseInput(robot)
        self._jumps = JumpWatch(config)
        self._motions: deque[Motion] = deque()
        self._counts: Counter[str] = Counter(accepted=0, invalid=0, repeated=0, late=0, jumped=0, restarted=0)

    def on_pose(self, sample: PoseSample) -> None:
        """Correct the motion by a pose, or count why not."""
        pose = self._input.take(sample)
        if isinstance(pose, str):
            self._counts[pose] += 1
        elif not self._motions:
            self._restart(pose)
        else:
            self._counts[self._follow(pose)] += 1

    def on_telemetry(self, sample: Telemetry) -> None:
        """Take nothing: the poses say it all."""

    def estimate(self, stamp: float) -> Estimate | None:
        """Return the pose at `stamp` and the mean twist of the period before it."""
        if (
            not self._motions
            or not self._motions[0].stamp <= stamp <= self._motions[-1].stamp + self._config.lost_after
        ):
            return None
        period = self._config.twist_period
        start, end, translation_cross, rotation_cross = smooth_period(
            self._model, reversed(self._motions), stamp - period, stamp
        )
        displacement, turn = difference(end, start)
        velocity_variance = end.translation.value + start.translation.value - 2 * translation_cross
        rate_variance = end.rotation.value + start.rotation.value - 2 * rotation_cross
        return Estimate(
            stamp=stamp,
            position=np.array(end.position),
            quaternion=np.array(end.quaternion),
            velocity=np.array(displacement) / period,
            angular_velocity=np.array(quat.rotate(quat.inverse(end.quaternion), turn)) / period,
            pose_covariance=_covariance(end.translation.value, end.rotation.value),
            # The same on every axis, so turning it into the body frame changes nothing.
            twist_covariance=_covariance(velocity_variance / period**2, rate_variance / period**2),
            pose_age=max(0.0, stamp - self._motions[-1].stamp),
        )

    def counters(self) -> dict[str, int]:
        """Return how many poses were accepted, invalid, repeated, late (out of order) or jumped, and the restarts."""
        return dict(self._counts)

    def _follow(self, pose: BodyPose) -> str:
        """Correct the newest motion by a pose and return 'accepted', or return why it is left out."""
        newest = self._motions[-1]
        if pose.stamp > newest.stamp + self._config.lost_after:
            return self._restart(pose)
        if newest.stamp - self._config.lost_after <= pose.stamp <= newest.stamp:
            return 'late'
        if pose.stamp > newest.stamp:
            predicted = self._model.predict(newest, pose.stamp)
            fits = self._model.surprise(predicted, pose) <= self._config.gate**2
            if fits and self._jumps.reachable(newest, pose):
                self._jumps.clear()
                self._remember(self._model.correct(predicted, pose))
                return 'accepted'
        if self._jumps.confirmed_by(pose):
            return self._restart(pose)
        return 'jumped'

    def _restart(self, pose: BodyPose) -> str:
        """Forget the past: the body is where this pose says."""
        self._jumps.clear()
        self._motions.clear()
        self._motions.append(self._model.start(pose))
        return 'restarted'

    def _remember(self, motion: Motion) -> None:
        self._motions.append(motion)
        oldest = motion.stamp - self._config.twist_period - REMEMBERED
        while len(self._motions) > 2 and self._motions[1].stamp <= oldest:
            self._motions.popleft()


def _covariance(first: float, second: float) -> np.ndarray:
    return np.diag([first] * 3 + [second] * 3)
