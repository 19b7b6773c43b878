"""Estimate pose and twist from motion capture, gyro and legs: an error-state Kalman filter.

Read in this order: swing_model.py (how an axis moves), motion.py (the filter on six axes), track.py (measurements in
any order), smoother.py (the mean twist of a period), followed_body.py (which measurements are believed), then here:
what comes in, and what is answered. Beside the filter stand mocap_clock.py (one time line), frozen_pose.py (old poses),
jumps.py (the gate), body_check.py and gravity_check.py (is it the robot, are the axes right), pose_trust.py (since when
poses can be trusted), own_motion.py (what gyro and legs say), gyro_watch.py (bias and what is left of the clocks'
offset) and lag_correction.py (how that is taken off the stamps).

The accelerometer tells which way is up, no more: it samples single contacts, at ten hertz, and did not help to predict
the next pose.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.estimation.followed_body import FollowedBody
from millirobot_adapt.core.estimation.frozen_pose import FrozenPose
from millirobot_adapt.core.estimation.health import EstimatorHealth
from millirobot_adapt.core.estimation.mocap_clock import HostClock, MocapClock
from millirobot_adapt.core.estimation.motion import TURN, MotionModel
from millirobot_adapt.core.estimation.own_motion import OwnMotion
from millirobot_adapt.core.estimation.pose_input import PoseInput
from millirobot_adapt.core.estimation.quality import UNKNOWN_POSE, PoseFault, StateQuality
from millirobot_adapt.core.estimation.smoother import smooth_period
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry


class PoseFilter:
    """Error-state Kalman filter over pose and twist; see `Estimator` for the methods' contract."""

    def __init__(self, config: EstimatorConfig, robot: RobotConfig) -> None:
        self.robot = robot
        config = replace(config, twist_period=config.twist_period or robot.dt)
        self._config = config
        self._model = MotionModel(config)
        self._input = PoseInput(robot)
        self._frozen = FrozenPose()
        self._host = HostClock()
        self._clock = MocapClock()
        self._own = OwnMotion(config, self._model, robot)
        self._body = FollowedBody(config, self._model, self._clock, self._own, self._input.place)
        self._reply: tuple[float, float] | None = None
        """Stamp of the newest reply [s, host clock], and the same on the continuous time line."""
        self._coasting = False
        self._quality = UNKNOWN_POSE

    def on_pose(self, sample: PoseSample) -> None:
        """Take a pose, or count why not."""
        arrival = sample.arrival
        step = self._host.see(arrival)
        arrived = None if arrival is None else self._host.continuous(arrival.host)
        if step:
            self._clock.on_host_step(step, self._host.continuous(sample.stamp) if arrived is None else arrived)
        pose = self._input.take(sample)
        if isinstance(pose, str):
            earliest = -math.inf if self._reply is None else self._reply[1]
            self._body.leave_out(pose, earliest if arrived is None else arrived)
            return
        steps = self._clock.steps
        timed = self._clock.on_pose(self._host.continuous(pose.stamp) - self._config.clock_offset, arrived)
        if self._clock.steps != steps:
            self._body.restart_clock()
        if not timed.usable:
            self._body.leave_out('ahead' if timed.stamp > timed.arrived else 'late', timed.arrived)
            return
        if self._frozen.holds(pose, timed.stamp, self._own.stands(timed.stamp)):
            self._body.leave_out('frozen', timed.arrived)
            return
        self._body.follow_clock()
        stamp = timed.stamp - self._body.lag.seconds
        stamp_sd = 0.0 if pose.repeated else self._clock.stamp_sd
        self._body.take(pose._replace(stamp=stamp, stamp_sd=stamp_sd), timed.arrived)

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
        reading = self._own.read(stamp, sample)
        x, y, z = map(float, sample.acceleration)
        track = self._body.take_reading(reading, (x, y, z))
        if track is None:
            return
        self._coasting = stamp - track.newest_pose.stamp > self._body.latency + self._config.coast_after
        if self._coasting:
            self._own.lose_sight()
            if reading.walk is not None:
                track.insert(reading.walk)
        else:
            self._own.learn(reading, track)

    def estimate(self, stamp: float) -> Estimate | None:
        """Return the pose at `stamp` and the mean twist of the period before it."""
        length = self._config.twist_period
        time = self._host.continuous(stamp) if self._reply is None else stamp - self._reply[0] + self._reply[1]
        track = self._body.track_at(time)
        if track is None:
            self._quality = self._without_estimate(time)
            return None
        period = smooth_period(self._model, track.newest_first(), time - length, time)
        end = period.end
        motion = period.start.difference(end) / length
        x, y, z = motion[TURN].tolist()
        variances = end.covariance[:, 0, 0]
        self._quality = StateQuality(
            pose_age=max(0.0, self._body.trust.lost_for(time)),
            position_sd=math.sqrt(max(variances[0], variances[1])),
            heading_sd=math.sqrt(variances[5]),
            coasting=self._coasting,
            fault=self._body.fault(time),
        )
        return Estimate(
            stamp=stamp,
            position=end.position.copy(),
            quaternion=np.array(end.quaternion),
            velocity=motion[:3],
            angular_velocity=np.array(quat.rotate(quat.inverse(end.quaternion), (x, y, z))),
            pose_covariance=np.diag(variances),
            twist_covariance=period.twist_covariance(length),
            pose_age=max(0.0, time - track.newest_pose.stamp),
        )

    def quality(self) -> StateQuality:
        """Return the quality of the last estimate."""
        return self._quality

    def counters(self) -> dict[str, int]:
        """Return what became of the poses: accepted, started the filter, or left out by reason."""
        return dict(self._body.counts)

    def health(self) -> EstimatorHealth:
        """Return counts, innovation, gyro bias, and whether the clocks of motion capture and robot agree."""
        gyro = self._body.gyro
        bias, sd = gyro.bias.tolist(), np.sqrt(gyro.bias_variance).tolist()
        offset = self._clock.offset
        found = None if gyro.lag is None else offset + gyro.lag
        return EstimatorHealth(
            counts=self.counters(),
            innovation=math.sqrt(self._body.surprise),
            coasting=self._coasting,
            clock_offset=offset if found is None and offset else found,
            clock_correlation=gyro.correlation,
            clock_correction=offset + self._body.lag.seconds,
            gyro_bias=(bias[0], bias[1], bias[2]),
            gyro_bias_sd=(sd[0], sd[1], sd[2]),
            fault=PoseFault.NO_POSE if self._reply is None else self._body.fault(self._reply[1]),
            latency=self._body.latency,
            jumped_share=self._body.trust.jumped_share,
            stamped_on_arrival=self._clock.stamp_sd > 0.0,
            refused_offset=self._clock.refused,
            ambiguous_offset=gyro.ambiguous,
        )

    def _without_estimate(self, time: float) -> StateQuality:
        fault = self._body.fault(time)
        return replace(UNKNOWN_POSE, fault=PoseFault.UNCERTAIN if fault is PoseFault.NONE else fault)
