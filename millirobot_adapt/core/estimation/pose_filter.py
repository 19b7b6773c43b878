"""Estimate pose and twist from motion capture, gyro and legs: an error-state Kalman filter.

Read in this order: swing_model.py (how an axis moves), motion.py (the filter on six axes), track.py (measurements in
any order), smoother.py (the mean twist of a period), then here: which measurements are believed, and what is answered.
Beside the filter stand mocap_clock.py (one time line), frozen_pose.py (old poses), jumps.py (the gate), body_check.py
and gravity_check.py (is it the robot, are the axes right), pose_trust.py (since when poses can be trusted),
leg_odometry.py (what the legs say) and gyro_watch.py (bias and what is left of the clocks' offset).

The accelerometer tells which way is up, no more: it samples single contacts, at ten hertz, and did not help to predict
the next pose.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.body_check import BodyCheck
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.estimation.frozen_pose import FrozenPose
from millirobot_adapt.core.estimation.gravity_check import GravityCheck
from millirobot_adapt.core.estimation.gyro_watch import GyroWatch
from millirobot_adapt.core.estimation.health import SUSPICIOUS_LAG, EstimatorHealth
from millirobot_adapt.core.estimation.jumps import JumpWatch
from millirobot_adapt.core.estimation.leg_odometry import LegOdometry
from millirobot_adapt.core.estimation.mocap_clock import HostClock, MocapClock
from millirobot_adapt.core.estimation.motion import TURN, BodyPlace, Motion, MotionModel
from millirobot_adapt.core.estimation.pose_input import BodyPose, PoseInput
from millirobot_adapt.core.estimation.pose_trust import PoseTrust
from millirobot_adapt.core.estimation.quality import UNKNOWN_POSE, PoseFault, StateQuality
from millirobot_adapt.core.estimation.smoother import Period, smooth_period
from millirobot_adapt.core.estimation.track import Track
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry
from millirobot_adapt.core.robot.state import FloatArray

REMEMBERED = 0.3
"""Measurements are kept for the twist period and this much more [s]: so late may a pose, or a question, come."""
LARGEST_RATE = 100.0
"""A gyro or leg reading beyond it is no measurement [rad/s]; gyro and legs end at 35 and 60."""
CLOCK_STEP = 0.0005
"""The correction of the stamps changes by no more from pose to pose, so that time stays in order [s]."""
INNOVATIONS = 100.0
"""The reported innovation is an average over this many poses."""
SAME_TIME, CLOSE = 0.0009, 0.0025
"""Of poses whose stamps are closer than the first, as those of arrival are, the last counts; one that comes closer
than the second after an accepted one tells nothing new [s]."""
REST_LEGS, REST_GYRO = 0.5, 0.6
"""Slower legs and a slower gyro are those of a robot that stands [rad/s]; the gyro's bias may be as large."""
FRESH_REPLY = 0.3
"""An older reply does not say whether the robot stands [s]."""
REACH = 0.15
"""A sequence of jumps that begins closer than this to the prediction needs no operator to be believed [m]."""


class PoseFilter:
    """Error-state Kalman filter over pose and twist; see `Estimator` for the methods' contract."""

    def __init__(self, config: EstimatorConfig, robot: RobotConfig) -> None:
        self.robot = robot
        self._config = config
        self._model = MotionModel(config)
        self._input = PoseInput(robot)
        self._frozen = FrozenPose()
        self._host = HostClock()
        self._clock = MocapClock()
        self._jumps = JumpWatch(config, self._model)
        self._legs = LegOdometry(config)
        self._gyro = GyroWatch()
        self._check = BodyCheck()
        self._gravity = GravityCheck()
        self._trust = PoseTrust(config)
        self._track: Track | None = None
        self._dropped = False
        self._replies: list[tuple[float, FloatArray]] = []
        self._at_reply: Motion | None = None
        self._reply: tuple[float, float] | None = None
        self._resting = False
        self._walking_speed = 0.0
        self._coasting = False
        self._quality = UNKNOWN_POSE
        self._clock_correction = 0.0
        self._surprise = 1.0
        self._counts: Counter[str] = Counter(dict.fromkeys(_VERDICTS, 0))

    def on_pose(self, sample: PoseSample) -> None:
        """Take a pose, or count why not."""
        arrival = sample.arrival
        step = self._host.see(arrival)
        arrived = None if arrival is None else self._host.continuous(arrival.host)
        if step:
            self._clock.on_host_step(step, self._host.continuous(sample.stamp) if arrived is None else arrived)
        pose = self._input.take(sample)
        if isinstance(pose, str):
            self._leave_out(pose, arrived)
            return
        stamp = self._host.continuous(pose.stamp) - self._config.clock_offset
        steps = self._clock.steps
        timed = self._clock.on_pose(stamp, arrived)
        if self._clock.steps != steps:
            self._restart_clock()
        if not timed.usable:
            self._leave_out('ahead' if timed.stamp > timed.arrived else 'late', timed.arrived)
            return
        if self._frozen.holds(pose, timed.stamp, self._stands(timed.stamp)):
            self._leave_out('frozen', timed.arrived)
            return
        self._follow_clock()
        stamp = timed.stamp - self._clock_correction
        stamped = pose._replace(stamp=stamp, stamp_sd=0.0 if pose.repeated else self._clock.stamp_sd)
        self._take(stamped, timed.arrived)

    def on_telemetry(self, sample: Telemetry) -> None:
        """Take gyro and legs, unless they are senseless or from a time that is not tracked.

        While the body is seen, its motion per leg rate is learned; while it is not, the legs carry the motion on.
        """
        self._host.see(sample.arrival)
        stamp = self._host.sampled(sample.stamp, sample.arrival)
        self._reply = (sample.stamp, stamp)
        if not math.isfinite(stamp):
            return
        self._clock.on_reply(stamp)
        x, y, z = map(float, sample.angular_velocity)
        left, right = map(float, sample.leg_velocity)
        turning = (x, y, z) if all(abs(rate) <= LARGEST_RATE for rate in (x, y, z)) else None
        legs = sample.leg_velocity if abs(left) <= LARGEST_RATE and abs(right) <= LARGEST_RATE else None
        self._resting = (
            turning is not None and math.hypot(*turning) <= REST_GYRO
            and legs is not None and max(abs(left), abs(right)) <= REST_LEGS
        )  # fmt: skip
        walk = None if legs is None else self._legs.walk(stamp, legs)
        self._walking_speed = 0.0 if walk is None else math.hypot(*walk.velocity)
        if turning is not None:
            self._jumps.on_gyro(stamp, turning)
        track = self._track
        if track is None or not self._tracked(track, stamp):
            return
        if self._config.check_gravity:
            ax, ay, az = map(float, sample.acceleration)
            self._gravity.add((ax, ay, az), track.before(stamp).quaternion)
        if turning is not None:
            track.insert(self._gyro.corrected(stamp, turning, self._config.gyro_noise**2))
            self._gyro.on_gyro(stamp, turning)
        self._coasting = stamp - track.newest_pose.stamp > self._latency + self._config.coast_after
        if self._coasting:
            self._at_reply = None
            self._replies.clear()
            if walk is not None:
                track.insert(walk)
        elif legs is not None:
            self._replies.append((stamp, legs))
            self._learn(track)

    def estimate(self, stamp: float) -> Estimate | None:
        """Return the pose at `stamp` and the mean twist of the period before it."""
        track, length = self._track, self._config.twist_period
        time = self._host.continuous(stamp) if self._reply is None else stamp - self._reply[0] + self._reply[1]
        if track is None or not self._tracked(track, time):
            self._quality = self._without_estimate(time)
            return None
        period = smooth_period(self._model, track.newest_first(), time - length, time)
        end = period.end
        motion = period.start.difference(end) / length
        x, y, z = motion[TURN].tolist()
        variances = end.covariance[:, 0, 0]
        self._quality = StateQuality(
            pose_age=max(0.0, self._trust.lost_for(time)),
            position_sd=math.sqrt(max(variances[0], variances[1])),
            heading_sd=math.sqrt(variances[5]),
            coasting=self._coasting,
            fault=self._fault(time),
        )
        return Estimate(
            stamp=stamp,
            position=end.position.copy(),
            quaternion=np.array(end.quaternion),
            velocity=motion[:3],
            angular_velocity=np.array(quat.rotate(quat.inverse(end.quaternion), (x, y, z))),
            pose_covariance=np.diag(variances),
            twist_covariance=_twist_covariance(period, length),
            pose_age=max(0.0, time - track.newest_pose.stamp),
        )

    def quality(self) -> StateQuality:
        """Return the quality of the last estimate."""
        return self._quality

    def counters(self) -> dict[str, int]:
        """Return what became of the poses: accepted, started the filter, or left out by reason."""
        return dict(self._counts)

    def health(self) -> EstimatorHealth:
        """Return counts, innovation, gyro bias, and whether the clocks of motion capture and robot agree."""
        bias, sd = self._gyro.bias.tolist(), np.sqrt(self._gyro.bias_variance).tolist()
        offset = self._clock.offset
        found = None if self._gyro.lag is None else offset + self._gyro.lag
        return EstimatorHealth(
            counts=self.counters(),
            innovation=math.sqrt(self._surprise),
            coasting=self._coasting,
            clock_offset=offset if found is None and offset else found,
            clock_correlation=self._gyro.correlation,
            clock_correction=offset + self._clock_correction,
            gyro_bias=(bias[0], bias[1], bias[2]),
            gyro_bias_sd=(sd[0], sd[1], sd[2]),
            fault=PoseFault.NO_POSE if self._reply is None else self._fault(self._reply[1]),
            latency=self._latency,
            jumped_share=self._trust.jumped_share,
            stamped_on_arrival=self._clock.stamp_sd > 0.0,
            refused_offset=self._clock.refused,
            ambiguous_offset=self._gyro.ambiguous,
        )

    @property
    def _latency(self) -> float:
        """How old poses usually are at their arrival, by their corrected stamps [s]."""
        return max(0.0, self._clock.usual_age + self._clock_correction)

    # Which poses are believed.

    def _take(self, pose: BodyPose, arrived: float) -> None:
        """Follow a pose, leave it out, or start from it."""
        track = self._track
        if track is None and not self._dropped:
            self._start([pose])
            self._trust.accept(pose.stamp, arrived, self._against())
            return
        verdict = 'jumped' if track is None else self._judge(track, pose)
        if verdict == 'jumped':
            lag = None if self._gyro.lag is None else self._gyro.lag - self._clock_correction
            agreeing = self._jumps.confirmed_by(pose, self._walking_speed, lag)
            if agreeing and self._reachable(pose):
                self._start(agreeing)
                self._trust.believe(pose.stamp, arrived, self._against())
                return
        if verdict != 'accepted':
            self._leave_out(verdict, arrived)
            return
        self._counts['accepted'] += 1
        self._trust.accept(pose.stamp, arrived, self._against())
        self._gyro.bound(*self._clock.lags)
        for compared in self._gyro.on_pose(pose._replace(stamp=pose.stamp + self._clock_correction)):
            self._check.add(compared, self._gyro.lag, self._gyro.possible)
        if self._check.other_body:
            self._drop()

    def _judge(self, track: Track, pose: BodyPose) -> str:
        """Put a pose into the track if it fits; return what became of it."""
        if pose.stamp > track.newest_pose.stamp + self._config.lost_after:
            return 'jumped'
        before = track.pose_before(pose.stamp) if pose.stamp >= track.oldest_stamp else None
        if before is None:
            return 'late' if pose.stamp >= track.newest_pose.stamp - self._config.lost_after else 'jumped'
        fits, here, distance = self._jumps.judge(before, track.before(pose.stamp), pose, self._clock.dense)
        if fits:
            apart = pose.stamp - before.stamp
            if SAME_TIME <= apart < CLOSE or (apart == 0.0 and before is not track.newest_pose):
                return 'repeated'
            if apart < SAME_TIME:
                track.withdraw(before)
            self._jumps.clear()
            self._surprise += (distance / 6.0 - self._surprise) / INNOVATIONS
            track.insert(pose)
            return 'accepted'
        if here and self._trust.lost_for(pose.stamp) < self._config.lost_after:
            # Markers taken for each other turn the body, but do not move it: its place is still known.
            turned = track.before(pose.stamp).quaternion
            track.insert(BodyPlace(pose.stamp, self._input.place(pose, turned), pose.stamp_sd))
        return 'jumped'

    def _reachable(self, pose: BodyPose) -> bool:
        """Tell whether the robot can be where a sequence of jumps says, as far as gate and operator are concerned.

        The robot does not leap: a sequence elsewhere is another body, or the robot in somebody's hand. It is believed
        only after so long a loss that the gate has stopped the robot, and an operator looks before he arms it again.
        """
        if not self._trust.ever or abs(self._trust.lost_for(pose.stamp)) > self._config.lost_after:
            return True
        track = self._track
        if track is None or not self._tracked(track, pose.stamp):
            return False
        error = self._model.predict(track.before(pose.stamp), pose.stamp).difference(pose)
        turned = math.hypot(*error[TURN].tolist())
        return math.hypot(*error[:3].tolist()) <= REACH and turned <= self._config.largest_turn

    def _against(self) -> PoseFault:
        """Return what stands against motion capture as a whole."""
        if self._check.wrong_axes or self._gravity.not_up:
            return PoseFault.AXES
        if self._clock.refused is not None or not (self._clock.certain or self._gyro.lag is not None):
            return PoseFault.CLOCK
        return PoseFault.NONE

    def _fault(self, time: float) -> PoseFault:
        return self._trust.fault(time, self._latency, self._against())

    def _leave_out(self, reason: str, arrived: float | None) -> None:
        self._counts['repeated' if reason == 'frozen' else reason] += 1
        when = arrived if arrived is not None else self._reply[1] if self._reply is not None else -math.inf
        self._trust.leave_out(reason, when)

    def _stands(self, stamp: float) -> bool:
        """Tell whether the robot stands by its newest reply, so that its pose may be equal bit for bit."""
        return self._resting and self._reply is not None and abs(stamp - self._reply[1]) <= FRESH_REPLY

    def _start(self, poses: list[BodyPose]) -> None:
        """Forget the past: the body is where these poses say. What was learned of legs and gyro stays."""
        self._counts['started'] += 1
        self._jumps.clear()
        self._gyro.clear()
        self._check.clear()
        self._gravity.clear()
        self._at_reply = None
        self._replies.clear()
        self._dropped = False
        self._track = self._tracked_along(poses)

    def _tracked_along(self, poses: list[BodyPose]) -> Track:
        """Return the track of poses that agree, so that their motion is known, too; else that of the last alone."""
        memory, last = self._config.twist_period + REMEMBERED, poses[-1]
        first, *later = [pose for pose in poses if pose.stamp >= last.stamp - memory]
        track = Track(self._model, memory, first)
        for pose in later:
            before = track.newest_pose
            fits, _, _ = self._jumps.judge(before, track.before(pose.stamp), pose, self._clock.dense)
            if fits and pose.stamp >= before.stamp + CLOSE:
                track.insert(pose)
        return track if track.newest_pose.stamp > last.stamp - CLOSE else Track(self._model, memory, last)

    def _drop(self) -> None:
        """Forget poses that were those of another body, and all that they taught."""
        self._trust.distrust(PoseFault.JUMPED)
        self._track, self._dropped = None, True
        self._gyro.restart()
        self._check.clear()
        self._gravity.clear()
        self._jumps.clear()
        self._clock_correction = 0.0

    def _without_estimate(self, time: float) -> StateQuality:
        fault = self._fault(time)
        if fault is PoseFault.NONE:
            fault = PoseFault.UNCERTAIN
        return replace(UNKNOWN_POSE, fault=fault)

    # Clocks and legs.

    def _restart_clock(self) -> None:
        """Another offset is taken off from here on: what the gyro said of the old one is forgotten."""
        self._gyro.restart()
        self._check.clear()
        self._clock_correction = 0.0

    def _follow_clock(self) -> None:
        """Move the correction of the stamps a little towards the lag that the gyro shows, once that is suspicious.

        A lag that is none is left alone: its own uncertainty, a millisecond, would make the estimate worse.
        """
        lag, correction = self._gyro.lag, self._clock_correction
        small = correction == 0.0 and self._clock.offset == 0.0 and lag is not None and abs(lag) <= SUSPICIOUS_LAG
        if lag is None or not self._config.correct_clock or small or self._check.wrong_axes:
            return
        self._clock_correction += min(max(lag - correction, -CLOCK_STEP), CLOCK_STEP)

    def _tracked(self, track: Track, stamp: float) -> bool:
        return track.oldest_stamp <= stamp <= track.newest_pose.stamp + self._config.lost_after

    def _learn(self, track: Track) -> None:
        """Learn what leg rates do, from the motion between replies that poses have reached by now."""
        while self._replies and self._replies[0][0] <= track.newest_pose.stamp + self._config.coast_after:
            stamp, leg_velocity = self._replies.pop(0)
            if stamp < track.oldest_stamp:
                self._at_reply = None
                continue
            now = self._model.predict(track.before(stamp), stamp)
            before, self._at_reply = self._at_reply, now
            if before is not None:
                self._legs.learn_from(leg_velocity, before, now)


_VERDICTS = ('accepted', 'invalid', 'foreign', 'repeated', 'ahead', 'late', 'jumped', 'started')
"""What becomes of a pose, as counted."""


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
