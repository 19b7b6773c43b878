"""Pose and twist of the body at one instant, with covariances: an error-state Kalman filter and its smoother.

The nominal state holds the orientation as a quaternion; its error is an angle in the *world* frame (the global angular
error of Sola, 'Quaternion kinematics for the error-state Kalman filter', arXiv 1711.02508, chapter 7). That error obeys
d(error)/dt = rate error without the rotation of the body in it, so that all six axes (x, y, z of position, then of
rotation) are independent of each other and obey (1) of swing_model.py: the 18 x 18 covariance is six blocks of 3 x 3,
and every step below is done on the six at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from millirobot_adapt.core.estimation import quaternion as quat
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.pose_input import BodyPose
from millirobot_adapt.core.estimation.quaternion import Quaternion, Vector
from millirobot_adapt.core.estimation.swing_model import SwingModel
from millirobot_adapt.core.robot.state import FloatArray

AXES = 6
"""x, y, z of the position, then of the rotation; all in the world frame."""
TURN = slice(3, 6)
HELD_UPRIGHT = slice(3, 5)
"""Rotation about the horizontal axes: the ground holds the body there."""
MEAN, SWING = 0, 1
"""Columns of `Motion.rates`."""
CLIMB_SPEED = 0.05
"""How fast a walking body rises or sinks on average, standard deviation [m/s]."""
TILT_SPEED = 0.3
"""How fast it tilts on average, standard deviation [rad/s]."""


class BodyRate(NamedTuple):
    """An angular velocity that was measured."""

    stamp: float
    """[s, host clock]."""
    angular_velocity: Vector
    """[rad/s; body], without bias."""
    variance: float
    """Of each axis [(rad/s)^2]."""


class Walk(NamedTuple):
    """What the legs say about the mean motion."""

    stamp: float
    """[s, host clock]."""
    velocity: tuple[float, float]
    """Forward, leftward [m/s]."""
    yaw_rate: float
    """[rad/s]."""
    velocity_variance: float
    """Of each axis [(m/s)^2]."""
    yaw_rate_variance: float
    """[(rad/s)^2]."""


class BodyPlace(NamedTuple):
    """A position that was measured, while the orientation with it made no sense."""

    stamp: float
    """[s, host clock]."""
    position: Vector
    """[m; world]."""
    stamp_sd: float = 0.0
    """Standard deviation of the stamp [s]."""


Measured = BodyPose | BodyPlace | BodyRate | Walk


class Motion(NamedTuple):
    """Pose and twist at one instant."""

    stamp: float
    """[s, host clock]."""
    position: FloatArray
    """[m; world], shape (3,)."""
    quaternion: Quaternion
    """Orientation xyzw, body in world."""
    rates: FloatArray
    """Velocity [m/s; world], then angular velocity [rad/s; world]: columns mean and swing, shape (6, 2)."""
    covariance: FloatArray
    """Of (value, mean, swing) on each axis, shape (6, 3, 3)."""

    @property
    def angular_velocity(self) -> Vector:
        """Angular velocity now, mean and swing together [rad/s; body]."""
        x, y, z = self.rates[TURN].sum(axis=1).tolist()
        return quat.rotate(quat.inverse(self.quaternion), (x, y, z))

    def difference(self, other: Motion | BodyPose) -> FloatArray:
        """Return what leads from here to the other pose: displacement and rotation vector [world], shape (6,)."""
        turn = quat.log(quat.multiply(other.quaternion, quat.inverse(self.quaternion)))
        return np.concatenate([np.subtract(other.position, self.position), turn])

    def corrected(self, errors: FloatArray, covariance: FloatArray) -> Motion:
        """Add the estimated errors, shape (6, 3), to the nominal state.

        (4)  position + e, Exp(e) * quaternion, rates + e: the error of the rotation multiplies from the left, as it is
             an angle in the world frame (Sola, chapter 7, on the injection of the error)
        """
        x, y, z = errors[TURN, 0].tolist()
        return Motion(
            self.stamp,
            self.position + errors[:3, 0],
            quat.normalized(quat.multiply(quat.exp((x, y, z)), self.quaternion)),
            self.rates + errors[:, 1:],
            covariance,
        )


class MotionModel:
    """Predict, correct and smooth motions."""

    def __init__(self, config: EstimatorConfig) -> None:
        c = config
        self._swing = SwingModel(
            c.swing_time,
            mean_noise=_axes(c.speed_drift, c.speed_drift, c.turn_drift, c.turn_drift),
            swing_noise=_axes(c.horizontal_swing, c.vertical_swing, c.tilt_swing, c.yaw_swing),
        )
        self._pose_variance = _axes(c.position_noise, c.position_noise, c.rotation_noise, c.rotation_noise).ravel() ** 2
        start = np.array([[c.start_speed, c.start_speed]] * 3 + [[c.start_angular_speed, c.start_angular_speed]] * 3)
        self._start = np.zeros((AXES, 3, 3))
        self._start[:, 0, 0] = self._pose_variance
        self._start[:, [1, 2], [1, 2]] = start**2
        self._upright_variance = c.tilt_spread**2

    def start(self, pose: BodyPose) -> Motion:
        """Return what one pose alone tells: the body is there and moves at an unknown velocity."""
        return Motion(pose.stamp, np.array(pose.position), pose.quaternion, np.zeros((AXES, 2)), self._start)

    def predict(self, motion: Motion, stamp: float) -> Motion:
        """Return the motion at another time, later or earlier.

        (5)  x(t + dt) = F x(t),  P(t + dt) = F P F' + Q, with F and Q of (2) and (3)
        """
        F, Q = self._swing.transition(stamp - motion.stamp)
        moved = motion.rates @ F[0, 1:]
        x, y, z = moved[TURN].tolist()
        return Motion(
            stamp,
            motion.position + moved[:3],
            quat.multiply(quat.exp((x, y, z)), motion.quaternion),
            motion.rates * (1.0, F[2, 2]),
            F @ motion.covariance @ F.T + Q,
        )

    def innovation(self, predicted: Motion, pose: BodyPose) -> tuple[FloatArray, FloatArray]:
        """Return a measured pose minus the predicted one, and the variance of that: (6,) each.

        (6)  e = pose - prediction,  S = H P H' + R,  H = [1 0 0]
        """
        return predicted.difference(pose), predicted.covariance[:, 0, 0] + self._noise(predicted, pose.stamp_sd)

    def _noise(self, motion: Motion, stamp_sd: float) -> FloatArray:
        """Return the variance of a measured pose, shape (6,): its own noise, and what its stamp makes of the motion."""
        if stamp_sd == 0.0:
            return self._pose_variance
        return np.asarray(self._pose_variance + (motion.rates.sum(axis=1) * stamp_sd) ** 2)

    def correct(self, motion: Motion, measured: Measured) -> Motion:
        """Return the motion at the time of a measurement, corrected by it."""
        predicted = self.predict(motion, measured.stamp)
        if isinstance(measured, BodyPose):
            error, variance = self.innovation(predicted, measured)
            return _updated(predicted, predicted.covariance[:, :, 0], error, variance)
        if isinstance(measured, BodyPlace):
            return self._corrected_by_place(predicted, measured)
        if isinstance(measured, BodyRate):
            return _corrected_by_rate(predicted, measured)
        return self._corrected_by_walk(predicted, measured)

    def _corrected_by_place(self, motion: Motion, place: BodyPlace) -> Motion:
        error = np.zeros(AXES)
        error[:3] = np.subtract(place.position, motion.position)
        variance = motion.covariance[:, 0, 0] + self._noise(motion, place.stamp_sd)
        variance[TURN] = np.inf
        return _updated(motion, motion.covariance[:, :, 0], error, variance)

    def _corrected_by_walk(self, motion: Motion, walk: Walk) -> Motion:
        """Take the mean rates from the legs: forward, sideways and turning; upright, neither climbing nor tilting."""
        P = motion.covariance
        ahead = quat.rotate(motion.quaternion, (1.0, 0.0, 0.0))
        length = max(np.hypot(ahead[0], ahead[1]), 1e-3)  # a body on its nose has no heading; then this hardly matters
        cosine, sine = ahead[0] / length, ahead[1] / length
        forward, leftward = walk.velocity
        told = np.array(
            [cosine * forward - sine * leftward, sine * forward + cosine * leftward, 0.0, 0.0, 0.0, walk.yaw_rate]
        )
        # Who does not know the heading does not know the direction of the speed.
        velocity = walk.velocity_variance + (forward * forward + leftward * leftward) * min(P[5, 0, 0], 1.0)
        noise = np.array([velocity, velocity, CLIMB_SPEED**2, TILT_SPEED**2, TILT_SPEED**2, walk.yaw_rate_variance])
        motion = _updated(motion, P[:, :, 1], told - motion.rates[:, MEAN], P[:, 1, 1] + noise)
        up = quat.rotate(motion.quaternion, (0.0, 0.0, 1.0))
        error = np.zeros(AXES)
        error[HELD_UPRIGHT] = up[1], -up[0]  # the rotation vector that brings the body's z axis towards the world's
        variance = np.full(AXES, np.inf)
        variance[HELD_UPRIGHT] = motion.covariance[HELD_UPRIGHT, 0, 0] + self._upright_variance
        return _updated(motion, motion.covariance[:, :, 0], error, variance)

    def smooth(self, motion: Motion, later: Motion) -> tuple[Motion, FloatArray]:
        """Return the motion given the smoothed motion at a later time, and the gain, shape (6, 3, 3).

        (8)  G = P F' P(t + dt)^-1,  x_s = x + G (x_s(t + dt) - F x),  P_s = P + G (P_s(t + dt) - P(t + dt)) G'
             (Rauch, Tung, Striebel; Sarkka, 'Bayesian Filtering and Smoothing', theorem 8.2)
        """
        predicted = self.predict(motion, later.stamp)
        F = self._swing.transition(later.stamp - motion.stamp).F
        gain = motion.covariance @ F.T @ np.linalg.inv(predicted.covariance)
        errors = np.empty((AXES, 3, 1))
        errors[:, 0, 0] = predicted.difference(later)
        errors[:, 1:, 0] = later.rates - predicted.rates
        covariance = motion.covariance + gain @ (later.covariance - predicted.covariance) @ gain.transpose(0, 2, 1)
        return motion.corrected((gain @ errors)[:, :, 0], covariance), gain


def _corrected_by_rate(motion: Motion, measured: BodyRate) -> Motion:
    """Apply (7) to an angular velocity, mean and swing together: H = [0 1 1] on the axes of rotation."""
    P = motion.covariance
    PH = P[:, :, 1] + P[:, :, 2]
    error = np.zeros(AXES)
    error[TURN] = np.subtract(quat.rotate(motion.quaternion, measured.angular_velocity), motion.rates[TURN].sum(axis=1))
    variance = PH[:, 1] + PH[:, 2] + measured.variance
    variance[:3] = np.inf
    return _updated(motion, PH, error, variance)


def _updated(motion: Motion, PH: FloatArray, error: FloatArray, variance: FloatArray) -> Motion:
    """Correct by one scalar measurement on each axis; where its variance is infinite, nothing is measured.

    (7)  K = P H' / S,  x + K e,  P - K S K'  (Bar-Shalom, Li, Kirubarajan, 'Estimation with Applications to Tracking
         and Navigation', section 5.2)

    Args:
        motion: Predicted motion.
        PH: P H' of each axis, shape (6, 3).
        error: Measured minus predicted, shape (6,).
        variance: S of each axis, shape (6,).
    """
    gain = PH / variance[:, None]
    covariance = motion.covariance - gain[:, :, None] * PH[:, None, :]
    return motion.corrected(gain * error[:, None], covariance)


def _axes(horizontal: float, vertical: float, tilt: float, yaw: float) -> FloatArray:
    """Give each axis its number, shape (6, 1, 1)."""
    return np.array([horizontal, horizontal, vertical, tilt, tilt, yaw]).reshape(AXES, 1, 1)
