"""Follow one body through the poses: which are believed, where to start again, and when it is not the robot's body."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from millirobot_adapt.core.estimation.body_check import BodyCheck
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.gravity_check import GravityCheck
from millirobot_adapt.core.estimation.gyro_watch import GyroWatch
from millirobot_adapt.core.estimation.jumps import JumpWatch
from millirobot_adapt.core.estimation.lag_correction import LagCorrection
from millirobot_adapt.core.estimation.mocap_clock import MocapClock
from millirobot_adapt.core.estimation.motion import TURN, BodyPlace, MotionModel
from millirobot_adapt.core.estimation.own_motion import OwnMotion, OwnReading
from millirobot_adapt.core.estimation.pose_input import BodyPose
from millirobot_adapt.core.estimation.pose_trust import PoseTrust
from millirobot_adapt.core.estimation.quality import PoseFault
from millirobot_adapt.core.estimation.quaternion import Quaternion, Vector
from millirobot_adapt.core.estimation.track import Track

REMEMBERED = 0.3
"""Measurements are kept for the twist period and this much more [s]: so late may a pose, or a question, come."""
INNOVATIONS = 100.0
"""The reported innovation is an average over this many poses."""
SAME_TIME, CLOSE = 0.0009, 0.0025
"""Of poses whose stamps are closer than the first, as those of arrival are, the last counts; one that comes closer
than the second after an accepted one tells nothing new [s]."""
REACH = 0.15
"""A sequence of jumps that begins closer than this to the prediction needs no operator to be believed [m]."""
VERDICTS = ('accepted', 'invalid', 'foreign', 'repeated', 'ahead', 'late', 'jumped', 'started')
"""What becomes of a pose, as counted."""


class FollowedBody:
    """Take poses in the order of their arrival, and the robot's own readings; keep the track of the body."""

    def __init__(
        self,
        config: EstimatorConfig,
        model: MotionModel,
        clock: MocapClock,
        own: OwnMotion,
        place: Callable[[BodyPose, Quaternion], Vector],
    ) -> None:
        """Follow nothing yet; `place` returns where the body is if only its orientation is wrong."""
        self._config = config
        self._model = model
        self._clock = clock
        self._own = own
        self._place = place
        self._jumps = JumpWatch(config, model)
        self._check = BodyCheck()
        self._gravity = GravityCheck()
        self._dropped = False
        self.gyro = GyroWatch()
        self.trust = PoseTrust(config)
        self.lag = LagCorrection()
        self.track: Track | None = None
        """What has been measured of the body; None before the first pose, and after a body that was another's."""
        self.counts: Counter[str] = Counter(dict.fromkeys(VERDICTS, 0))
        """What became of the poses."""
        self.surprise = 1.0
        """Mean of the squared innovations in their standard deviations; 1 is right."""

    @property
    def latency(self) -> float:
        """How old poses usually are at their arrival, by their corrected stamps [s]."""
        return max(0.0, self._clock.usual_age + self.lag.seconds)

    def track_at(self, stamp: float) -> Track | None:
        """Return the track if it describes `stamp` [s]."""
        track = self.track
        return track if track is not None and self._reaches(track, stamp) else None

    def take(self, pose: BodyPose, arrived: float) -> None:
        """Follow a pose that arrived at `arrived` [s], leave it out, or start from it."""
        track = self.track
        if track is None and not self._dropped:
            self._start([pose])
            self.trust.accept(pose.stamp, arrived, self._against())
            return
        verdict = 'jumped' if track is None else self._judge(track, pose)
        if verdict == 'jumped':
            lag = None if self.gyro.lag is None else self.gyro.lag - self.lag.seconds
            agreeing = self._jumps.confirmed_by(pose, self._own.walking_speed, lag)
            if agreeing and self._reachable(pose):
                self._start(agreeing)
                self.trust.believe(pose.stamp, arrived, self._against())
                return
        if verdict != 'accepted':
            self.leave_out(verdict, arrived)
            return
        self.counts['accepted'] += 1
        self.trust.accept(pose.stamp, arrived, self._against())
        self.gyro.bound(*self._clock.lags)
        for compared in self.gyro.on_pose(pose._replace(stamp=pose.stamp + self.lag.seconds)):
            self._check.add(compared, self.gyro.lag, self.gyro.possible)
        if self._check.other_body:
            self._drop()

    def leave_out(self, reason: str, arrived: float) -> None:
        """Count a pose that is not used."""
        self.counts['repeated' if reason == 'frozen' else reason] += 1
        self.trust.leave_out(reason, arrived)

    def take_reading(self, reading: OwnReading, acceleration: Vector) -> Track | None:
        """Take gyro and accelerometer [m/s^2; body] of a reply; return the track if it describes that time."""
        if reading.turning is not None:
            self._jumps.on_gyro(reading.stamp, reading.turning)
        track = self.track_at(reading.stamp)
        if track is None:
            return None
        if self._config.check_gravity:
            self._gravity.add(acceleration, track.before(reading.stamp).quaternion)
        if reading.turning is not None:
            track.insert(self.gyro.corrected(reading.stamp, reading.turning, self._config.gyro_noise**2))
            self.gyro.on_gyro(reading.stamp, reading.turning)
        return track

    def fault(self, time: float) -> PoseFault:
        """Say at the time of a reply [s] why poses are not used; NONE while they are."""
        return self.trust.fault(time, self.latency, self._against())

    def restart_clock(self) -> None:
        """Another offset is taken off from here on: what the gyro said of the old one is forgotten."""
        self.gyro.restart()
        self._check.clear()
        self.lag.restart()

    def follow_clock(self) -> None:
        """Correct the stamps by the lag that the gyro shows, if it can be believed."""
        if self.gyro.lag is not None and self._config.correct_clock and not self._check.wrong_axes:
            self.lag.follow(self.gyro.lag, self._clock.offset)

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
            self.surprise += (distance / 6.0 - self.surprise) / INNOVATIONS
            track.insert(pose)
            return 'accepted'
        if here and self.trust.lost_for(pose.stamp) < self._config.lost_after:
            # Markers taken for each other turn the body, but do not move it: its place is still known.
            turned = track.before(pose.stamp).quaternion
            track.insert(BodyPlace(pose.stamp, self._place(pose, turned), pose.stamp_sd))
        return 'jumped'

    def _reachable(self, pose: BodyPose) -> bool:
        """Tell whether the robot can be where a sequence of jumps says, as far as gate and operator are concerned.

        The robot does not leap: a sequence elsewhere is another body, or the robot in somebody's hand. It is believed
        only after so long a loss that the gate has stopped the robot, and an operator looks before he arms it again.
        """
        if not self.trust.ever or abs(self.trust.lost_for(pose.stamp)) > self._config.lost_after:
            return True
        track = self.track_at(pose.stamp)
        if track is None:
            return False
        error = self._model.predict(track.before(pose.stamp), pose.stamp).difference(pose)
        turned = math.hypot(*error[TURN].tolist())
        return math.hypot(*error[:3].tolist()) <= REACH and turned <= self._config.largest_turn

    def _against(self) -> PoseFault:
        """Return what stands against motion capture as a whole."""
        if self._check.wrong_axes or self._gravity.not_up:
            return PoseFault.AXES
        if self._clock.refused is not None or not (self._clock.certain or self.gyro.lag is not None):
            return PoseFault.CLOCK
        return PoseFault.NONE

    def _start(self, poses: list[BodyPose]) -> None:
        """Forget the past: the body is where these poses say. What was learned of legs and gyro stays."""
        self.counts['started'] += 1
        self._jumps.clear()
        self.gyro.clear()
        self._check.clear()
        self._gravity.clear()
        self._own.lose_sight()
        self._dropped = False
        self.track = self._tracked_along(poses)

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
        self.trust.distrust(PoseFault.JUMPED)
        self.track, self._dropped = None, True
        self.restart_clock()
        self._gravity.clear()
        self._jumps.clear()

    def _reaches(self, track: Track, stamp: float) -> bool:
        return track.oldest_stamp <= stamp <= track.newest_pose.stamp + self._config.lost_after
