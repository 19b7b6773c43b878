"""Estimate pose and twist from motion capture, gyro and legs: an error-state Kalman filter.

Read in this order: swing_model.py (how an axis moves), motion.py (the filter on six axes), track.py (measurements in
any order), smoother.py (the mean twist of a period), then here: which measurements are believed, and what is answered.
Beside the filter stand jumps.py (the gate), leg_odometry.py (what the legs tell) and gyro_watch.py (bias and clocks).

The accelerometer is not used: it samples single contacts, at ten hertz; it did not help to predict the next pose.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.config import EstimatorConfig
from millirobot_adapt.core.estimation.gyro_watch import GyroWatch
from millirobot_adapt.core.estimation.health import SUSPICIOUS_LAG, EstimatorHealth
from millirobot_adapt.core.estimation.interface import Estimate
from millirobot_adapt.core.estimation.jumps import JumpWatch
from millirobot_adapt.core.estimation.leg_odometry import LegOdometry
from millirobot_adapt.core.estimation.motion import TURN, Motion, MotionModel
from millirobot_adapt.core.estimation.pose_input import BodyPose, PoseInput
from millirobot_adapt.core.estimation.quality import UNKNOWN_POSE, StateQuality
from millirobot_adapt.core.estimation.smoother import Period, smooth_period
from millirobot_adapt.core.estimation.track import Track
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry
from millirobot_adapt.core.robot.state import FloatArray

REMEMBERED = 0.2
"""Measurements are kept for the twist period and this much more [s]: so late may a pose, or a question, come."""
LARGEST_RATE = 100.0
"""A gyro or leg reading beyond it is no measurement [rad/s]; gyro and legs end at 35 and 60."""
SHORTEST_STEP, LONGEST_STEP = 0.03, 0.3
"""Between replies closer or further apart the motion per leg rate is not learned [s]."""
CLOCK_STEP = 0.0005
"""The correction of the stamps changes by no more from pose to pose, so that time stays in order [s]."""
INNOVATIONS = 100.0
"""The reported innovation is an average over so many poses."""


class PoseFilter:
    """Error-state Kalman filter over pose and twist; see `Estimator` for the methods' contract."""

    def __init__(self, config: EstimatorConfig, robot: RobotConfig) -> None:
        self._config = config
        self._model = MotionModel(config)
        self._input = PoseInput(robot)
        self._jumps = JumpWatch(config, self._model)
        self._legs = LegOdometry(config)
        self._gyro = GyroWatch()
        self._track: Track | None = None
        self._at_reply: Motion | None = None
        self._coasting = False
        self._quality = UNKNOWN_POSE
        self._clock_correction = 0.0
        self._surprise = 1.0
        self._counts: Counter[str] = Counter(accepted=0, invalid=0, repeated=0, late=0, jumped=0, started=0)

    def on_pose(self, sample: PoseSample) -> None:
        """Take a pose, or count why not."""
        pose = self._input.take(sample)
        if isinstance(pose, str):
            self._counts[pose] += 1
            return
        stamped = pose._replace(stamp=pose.stamp - self._config.clock_offset)
        self._follow_clock()
        verdict = self._take(stamped._replace(stamp=stamped.stamp - self._clock_correction))
        self._counts[verdict] += 1
        if verdict == 'accepted':
            self._gyro.on_pose(stamped)

    def on_telemetry(self, sample: Telemetry) -> None:
        """Take gyro and legs, unless they are senseless or from a time that is not tracked.

        While the body is seen, its motion per leg rate is learned; while it is not, the legs tell of the motion.
        """
        track, stamp = self._track, sample.stamp
        x, y, z = map(float, sample.angular_velocity)
        left, right = map(float, sample.leg_velocity)
        if not math.isfinite(stamp) or track is None or not self._tracked(track, stamp):
            return
        if all(abs(rate) <= LARGEST_RATE for rate in (x, y, z)):
            track.insert(self._gyro.corrected(stamp, (x, y, z), self._config.gyro_noise**2))
            self._gyro.on_gyro(stamp, (x, y, z))
        self._coasting = stamp - track.newest_pose.stamp > self._config.coast_after
        sensible = abs(left) <= LARGEST_RATE and abs(right) <= LARGEST_RATE
        if self._coasting:
            self._at_reply = None
            if sensible:
                track.insert(self._legs.walk(stamp, sample.leg_velocity))
        elif sensible:
            self._learn(track, stamp, sample.leg_velocity)

    def estimate(self, stamp: float) -> Estimate | None:
        """Return the pose at `stamp` and the mean twist of the period before it."""
        track, length = self._track, self._config.twist_period
        if track is None or not self._tracked(track, stamp):
            self._quality = UNKNOWN_POSE
            return None
        period = smooth_period(self._model, track.newest_first(), stamp - length, stamp)
        end = period.end
        motion = period.start.difference(end) / length
        x, y, z = motion[TURN].tolist()
        variances = end.covariance[:, 0, 0]
        self._quality = StateQuality(
            pose_age=max(0.0, stamp - track.newest_pose.stamp),
            position_sd=math.sqrt(max(variances[0], variances[1])),
            heading_sd=math.sqrt(variances[5]),
            coasting=self._coasting,
        )
        return Estimate(
            stamp=stamp,
            position=end.position.copy(),
            quaternion=np.array(end.quaternion),
            velocity=motion[:3],
            angular_velocity=np.array(quat.rotate(quat.inverse(end.quaternion), (x, y, z))),
            pose_covariance=np.diag(variances),
            twist_covariance=_twist_covariance(period, length),
            pose_age=self._quality.pose_age,
        )

    def quality(self) -> StateQuality:
        """Return the quality of the last estimate."""
        return self._quality

    def counters(self) -> dict[str, int]:
        """Return how many poses were accepted, invalid, repeated, late (by far), jumped, or started the filter anew."""
        return dict(self._counts)

    def health(self) -> EstimatorHealth:
        """Return counts, innovation, gyro bias, and whether the clocks of motion capture and robot agree."""
        bias, sd = self._gyro.bias.tolist(), np.sqrt(self._gyro.bias_variance).tolist()
        return EstimatorHealth(
            counts=self.counters(),
            innovation=math.sqrt(self._surprise),
            coasting=self._coasting,
            clock_offset=self._gyro.lag,
            clock_correlation=self._gyro.correlation,
            clock_correction=self._clock_correction,
            gyro_bias=(bias[0], bias[1], bias[2]),
            gyro_bias_sd=(sd[0], sd[1], sd[2]),
        )

    def _take(self, pose: BodyPose) -> str:
        """Follow a pose, leave it out, or start from it; return which."""
        track = self._track
        if track is None or pose.stamp > track.newest_pose.stamp + self._config.lost_after:
            return self._start(pose)
        before = track.pose_before(pose.stamp) if pose.stamp >= track.oldest_stamp else None
        if before is not None:
            fits, distance = self._jumps.judge(before, track.before(pose.stamp), pose)
            if fits:
                if before.stamp == pose.stamp:
                    return 'repeated'
                self._jumps.clear()
                self._surprise += (distance / 6.0 - self._surprise) / INNOVATIONS
                track.insert(pose)
                return 'accepted'
        elif pose.stamp >= track.newest_pose.stamp - self._config.lost_after:
            return 'late'
        # A jump in space; or in time, when the clock of motion capture was set back.
        return self._start(pose) if self._jumps.confirmed_by(pose) else 'jumped'

    def _start(self, pose: BodyPose) -> str:
        """Forget the past: the body is where this pose says. What was learned of legs and gyro stays."""
        self._jumps.clear()
        self._gyro.clear()
        self._at_reply = None
        self._track = Track(self._model, self._config.twist_period + REMEMBERED, pose)
        return 'started'

    def _follow_clock(self) -> None:
        """Move the correction of the stamps a little towards the lag that the gyro shows, once that is suspicious.

        A lag that is none is left alone: its own uncertainty, a millisecond, would make the estimate worse.
        """
        lag, correction = self._gyro.lag, self._clock_correction
        if lag is None or not self._config.correct_clock or (correction == 0.0 and abs(lag) <= SUSPICIOUS_LAG):
            return
        self._clock_correction += min(max(lag - correction, -CLOCK_STEP), CLOCK_STEP)

    def _tracked(self, track: Track, stamp: float) -> bool:
        return track.oldest_stamp <= stamp <= track.newest_pose.stamp + self._config.lost_after

    def _learn(self, track: Track, stamp: float, leg_velocity: FloatArray) -> None:
        """Learn from the motion since the previous reply what these leg rates do."""
        now = self._model.predict(track.before(stamp), stamp)
        before, self._at_reply = self._at_reply, now
        if before is None or not SHORTEST_STEP <= stamp - before.stamp <= LONGEST_STEP:
            return
        dx, dy, _, _, _, turn = (before.difference(now) / (stamp - before.stamp)).tolist()
        ahead = np.add(quat.rotate(before.quaternion, (1.0, 0.0, 0.0)), quat.rotate(now.quaternion, (1.0, 0.0, 0.0)))
        length = math.hypot(ahead[0], ahead[1])
        if length < 1.0:
            return  # on its nose, or turned about: there is no forward
        cosine, sine = ahead[0] / length, ahead[1] / length
        self._legs.learn(leg_velocity, np.array([cosine * dx + sine * dy, cosine * dy - sine * dx, turn]))


def _twist_covariance(period: Period, length: float) -> FloatArray:
    """Return the covariance of displacement over length, turned into the body frame at the end, shape (6, 6)."""
    variance = period.end.covariance[:, 0, 0] + period.start.covariance[:, 0, 0] - 2.0 * period.cross
    variance = np.maximum(variance, 0.0) / length**2
    columns = [quat.rotate(quat.inverse(period.end.quaternion), axis) for axis in _UNIT]
    R = np.array(columns).T
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = (R * variance[:3]) @ R.T
    covariance[3:, 3:] = (R * variance[3:]) @ R.T
    return covariance


_UNIT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
