"""Pose and twist of the body at one instant, with covariances: predict, correct by a measurement, smooth."""

from __future__ import annotations

from typing import NamedTuple

from millirobot_adapt.core.estimation import constant_velocity as cv
from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.config import EstimatorConfig
from millirobot_adapt.core.estimation.constant_velocity import Covariance, Gain
from millirobot_adapt.core.estimation.pose_input import BodyPose, BodyRate
from millirobot_adapt.core.estimation.quaternion import Quaternion, Vector


class Motion(NamedTuple):
    """Pose and twist at one instant; the error of the rotation is an angle in the world frame."""

    stamp: float
    """[s, host clock]."""
    position: Vector
    """[m; world]."""
    velocity: Vector
    """[m/s; world]."""
    quaternion: Quaternion
    """Orientation xyzw, body in world."""
    rate: Vector
    """Angular velocity [rad/s; world]."""
    translation: Covariance
    """Covariance of position and velocity, the same on each axis."""
    rotation: Covariance
    """Covariance of rotation and angular velocity, the same on each axis."""


def difference(later: Motion | BodyPose, earlier: Motion) -> tuple[Vector, Vector]:
    """Return the displacement [m; world] and the rotation vector [rad; world] that lead from one pose to the other."""
    displacement = _minus(later.position, earlier.position)
    return displacement, quat.log(quat.multiply(later.quaternion, quat.inverse(earlier.quaternion)))


class MotionModel:
    """Constant velocity and angular velocity with white acceleration noise; poses are measured with white noise."""

    def __init__(self, config: EstimatorConfig) -> None:
        self._config = config

    def start(self, pose: BodyPose) -> Motion:
        """Return what one pose alone tells: the body is there and moves at an unknown velocity."""
        c = self._config
        return Motion(
            pose.stamp, pose.position, (0.0, 0.0, 0.0), pose.quaternion, (0.0, 0.0, 0.0),
            Covariance(c.position_noise**2, 0.0, c.start_speed**2),
            Covariance(c.rotation_noise**2, 0.0, c.start_angular_speed**2),
        )  # fmt: skip

    def predict(self, motion: Motion, stamp: float) -> Motion:
        """Return the motion at another time, later or earlier."""
        dt = stamp - motion.stamp
        turn = quat.exp(_scaled(motion.rate, dt))
        return Motion(
            stamp,
            _moved(motion.position, motion.velocity, dt),
            motion.velocity,
            quat.multiply(turn, motion.quaternion),
            motion.rate,
            cv.predict(motion.translation, dt, self._config.acceleration_noise),
            cv.predict(motion.rotation, dt, self._config.angular_acceleration_noise),
        )

    def surprise(self, motion: Motion, pose: BodyPose) -> float:
        """Return the squared Mahalanobis distance of a measured pose from what the motion before it predicts.

        (6)  e' S^-1 e with S = H P H' + R, chi-square with 6 degrees of freedom (Bar-Shalom, section 5.4.2)
        """
        predicted = self.predict(motion, pose.stamp)
        displacement, turn = difference(pose, predicted)
        position_variance = predicted.translation.value + self._config.position_noise**2
        rotation_variance = predicted.rotation.value + self._config.rotation_noise**2
        return _squared(displacement) / position_variance + _squared(turn) / rotation_variance

    def correct(self, motion: Motion, measured: BodyPose | BodyRate) -> Motion:
        """Return the motion at the time of a measurement, corrected by it."""
        predicted = self.predict(motion, measured.stamp)
        if isinstance(measured, BodyPose):
            return self._correct_by_pose(predicted, measured)
        return self._correct_by_rate(predicted, measured)

    def _correct_by_pose(self, motion: Motion, pose: BodyPose) -> Motion:
        """Apply (2) to a pose measured at the time of the motion.

        The correction of the rotation multiplies from the left, as its error is an angle in the world frame.
        """
        displacement, turn = difference(pose, motion)
        translation, k_position, k_velocity = cv.update_value(motion.translation, self._config.position_noise**2)
        rotation, k_turn, k_rate = cv.update_value(motion.rotation, self._config.rotation_noise**2)
        return Motion(
            motion.stamp,
            _moved(motion.position, displacement, k_position),
            _moved(motion.velocity, displacement, k_velocity),
            quat.normalized(quat.multiply(quat.exp(_scaled(turn, k_turn)), motion.quaternion)),
            _moved(motion.rate, turn, k_rate),
            translation,
            rotation,
        )

    def _correct_by_rate(self, motion: Motion, measured: BodyRate) -> Motion:
        """Apply (2) to an angular velocity measured at the time of the motion; its attitude turns it into the world."""
        faster = _minus(quat.rotate(motion.quaternion, measured.angular_velocity), motion.rate)
        rotation, k_turn, k_rate = cv.update_rate(motion.rotation, self._config.gyro_noise**2)
        return motion._replace(
            quaternion=quat.normalized(quat.multiply(quat.exp(_scaled(faster, k_turn)), motion.quaternion)),
            rate=_moved(motion.rate, faster, k_rate),
            rotation=rotation,
        )

    def smooth(self, motion: Motion, later: Motion) -> tuple[Motion, Gain, Gain]:
        """Return the motion given the smoothed motion at a later time, and the gains of translation and rotation."""
        predicted = self.predict(motion, later.stamp)
        dt = later.stamp - motion.stamp
        g = cv.smoother_gain(motion.translation, dt, predicted.translation)
        h = cv.smoother_gain(motion.rotation, dt, predicted.rotation)
        displacement, turn = difference(later, predicted)
        faster, turning = _minus(later.velocity, predicted.velocity), _minus(later.rate, predicted.rate)
        correction = _moved(_scaled(turn, h.value_value), turning, h.value_rate)
        smoothed = Motion(
            motion.stamp,
            _moved(_moved(motion.position, displacement, g.value_value), faster, g.value_rate),
            _moved(_moved(motion.velocity, displacement, g.rate_value), faster, g.rate_rate),
            quat.normalized(quat.multiply(quat.exp(correction), motion.quaternion)),
            _moved(_moved(motion.rate, turn, h.rate_value), turning, h.rate_rate),
            cv.smooth(motion.translation, g, predicted.translation, later.translation),
            cv.smooth(motion.rotation, h, predicted.rotation, later.rotation),
        )
        return smoothed, g, h


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _scaled(a: Vector, scale: float) -> Vector:
    return a[0] * scale, a[1] * scale, a[2] * scale


def _moved(a: Vector, direction: Vector, scale: float) -> Vector:
    return a[0] + direction[0] * scale, a[1] + direction[1] * scale, a[2] + direction[2] * scale


def _squared(a: Vector) -> float:
    return a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
