"""How sure the state of one instant is: the estimate's covariance and the sensors' noise, in the state's numbers."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.geometry import roll_pitch_yaw, rotation_matrix
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import ANGULAR_VELOCITY, POSITION, TURN, VELOCITY, FloatArray
from millirobot_adapt.core.robot.samples import Telemetry

LEVEL = 1e-3
"""Closer than this to standing on its nose, the cosine of the pitch is taken for this: yaw means nothing there."""


def state_covariance(estimate: Estimate, telemetry: Telemetry, robot: RobotConfig) -> FloatArray:
    """Return the covariance of `assembly.state_of` of the same two, shape (nx, nx), in products of its units.

    Pose and velocity come with the estimate; their cross-covariance is not kept and taken for zero. Legs, gyro and
    voltages have the white noise that the robot's YAML gives (`sensor_noise`). Angles enter the state as cosine and
    sine, to first order:

        cov(cos a, sin a) = d d' var(a),  d = (-sin a, cos a)
    """
    noise, layout = robot.sensor_noise, robot.layout
    covariance = np.zeros((layout.nx, layout.nx))
    covariance[POSITION, POSITION] = estimate.pose_covariance[:3, :3]
    R = rotation_matrix(estimate.quaternion)
    covariance[VELOCITY, VELOCITY] = R @ estimate.twist_covariance[:3, :3] @ R.T
    turn = roll_pitch_yaw(estimate.quaternion)
    J = _unit_circles(turn) @ _angles_per_rotation(turn)
    covariance[TURN, TURN] = J @ estimate.pose_covariance[3:, 3:] @ J.T
    legs = _unit_circles(telemetry.joint_angle[list(layout.phased)])
    covariance[layout.phase, layout.phase] = noise.joint_angle**2 * legs @ legs.T
    if not robot.gyro:
        covariance[ANGULAR_VELOCITY, ANGULAR_VELOCITY] = estimate.twist_covariance[3:, 3:]
    index = np.arange(layout.nx)
    for part, sd in (
        *([(ANGULAR_VELOCITY, noise.gyro)] if robot.gyro else []),
        # A difference of two angles, a control period apart.
        (layout.joint_velocity, np.sqrt(2.0) * noise.joint_angle / robot.dt),
        (layout.joint_effort, noise.effort),
        (layout.battery_voltage, noise.battery),
    ):
        covariance[index[part], index[part]] = sd**2
    return covariance


def _unit_circles(angles: FloatArray) -> FloatArray:
    """Return d(cos a, sin a, cos b, ...) / d(a, b, ...), shape (2 n, n), of angles [rad], shape (n,)."""
    n = len(angles)
    jacobian = np.zeros((2 * n, n))
    jacobian[2 * np.arange(n), np.arange(n)] = -np.sin(angles)
    jacobian[2 * np.arange(n) + 1, np.arange(n)] = np.cos(angles)
    return jacobian


def _angles_per_rotation(turn: FloatArray) -> FloatArray:
    """Return d(roll, pitch, yaw) / d(small rotation vector [rad; world]), shape (3, 3).

    The inverse of the Jacobian of z-y-x angles (Diebel, 'Representing Attitude', 2006, on Euler angle rates).
    """
    _, pitch, yaw = turn
    cosine = max(float(np.cos(pitch)), LEVEL)
    return np.array(
        [
            [np.cos(yaw) / cosine, np.sin(yaw) / cosine, 0.0],
            [-np.sin(yaw), np.cos(yaw), 0.0],
            [np.cos(yaw) * np.sin(pitch) / cosine, np.sin(yaw) * np.sin(pitch) / cosine, 1.0],
        ]
    )
