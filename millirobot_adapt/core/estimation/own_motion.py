"""What the robot says of its own motion, reply by reply: the gyro's turning, and what the legs are known to mean.

While poses come, the motion per leg rate is learned from the motion between two replies; while none come, the legs
carry the motion on (leg_odometry.py).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.leg_odometry import LegOdometry
from millirobot_adapt.core.estimation.motion import Motion, MotionModel, Walk
from millirobot_adapt.core.estimation.quaternion import Vector
from millirobot_adapt.core.estimation.track import Track
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import SIDES, FloatArray
from millirobot_adapt.core.robot.samples import Telemetry

LARGEST_RATE = 100.0
"""A gyro or leg reading beyond it is no measurement [rad/s]; gyro and legs end at 35 and 60."""
REST_LEGS, REST_GYRO = 0.5, 0.6
"""Slower legs and a slower gyro are those of a robot that stands [rad/s]; the gyro's bias may be as large."""
FRESH_REPLY = 0.3
"""An older reply does not say whether the robot stands [s]."""


class OwnReading(NamedTuple):
    """One reply of the robot, without what cannot be measured."""

    stamp: float
    """On the estimator's time line [s]."""
    turning: Vector | None
    """Angular velocity [rad/s; body]; None: the gyro's reading makes no sense."""
    leg_velocity: FloatArray | None
    """Left, right [rad/s], shape (2,); None: the reading makes no sense."""
    walk: Walk | None
    """The body's motion by the legs; None without them."""


class OwnMotion:
    """Read replies, learn from them while the body is seen, and tell whether the robot stands."""

    def __init__(self, config: EstimatorConfig, model: MotionModel, robot: RobotConfig) -> None:
        self._has_sides = tuple(joint.name for joint in robot.layout.joints) == SIDES
        self._reports_motion = robot.gyro or bool(robot.joints)
        self._config = config
        self._model = model
        self._legs = LegOdometry(config)
        self._resting = False
        self._stamp: float | None = None
        self._to_learn: list[tuple[float, FloatArray]] = []
        self._at_reply: Motion | None = None
        self.walking_speed = 0.0
        """How fast the legs say that the body moves [m/s]."""

    def read(self, stamp: float, sample: Telemetry) -> OwnReading:
        """Take a reply that was sampled at `stamp` [s]."""
        x, y, z = map(float, sample.angular_velocity)
        turning = (x, y, z) if all(abs(rate) <= LARGEST_RATE for rate in (x, y, z)) else None
        rates = [abs(float(rate)) for rate in sample.joint_velocity] if self._has_sides else []
        legs = sample.joint_velocity if rates and all(rate <= LARGEST_RATE for rate in rates) else None
        self._stamp = stamp
        self._resting = not self._reports_motion or (
            turning is not None and math.hypot(*turning) <= REST_GYRO and legs is not None and max(rates) <= REST_LEGS
        )
        walk = None if legs is None else self._legs.walk(stamp, legs)
        self.walking_speed = 0.0 if walk is None else math.hypot(*walk.velocity)
        return OwnReading(stamp, turning, legs, walk)

    def stands(self, stamp: float) -> bool:
        """Tell whether the robot stands at `stamp` [s], so that its pose may be equal bit for bit.

        Of a robot that reports no motion nobody can tell; there equal poses count.
        """
        return self._resting and self._stamp is not None and abs(stamp - self._stamp) <= FRESH_REPLY

    def learn(self, reading: OwnReading, track: Track) -> None:
        """Learn what leg rates do, from the motion between replies that poses have reached by now."""
        if reading.leg_velocity is None:
            return
        self._to_learn.append((reading.stamp, reading.leg_velocity))
        while self._to_learn and self._to_learn[0][0] <= track.newest_pose.stamp + self._config.coast_after:
            stamp, leg_velocity = self._to_learn.pop(0)
            if stamp < track.oldest_stamp:
                self._at_reply = None
                continue
            now = self._model.predict(track.before(stamp), stamp)
            before, self._at_reply = self._at_reply, now
            if before is not None:
                self._legs.learn_from(leg_velocity, before, now)

    def lose_sight(self) -> None:
        """Learn nothing from the replies so far: the body was not seen, or is followed from another place on."""
        self._at_reply = None
        self._to_learn.clear()
