"""Put the estimate and the reply of one instant together: the robot's state, and how far its pose can be trusted."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.estimation.estimator_interface import Estimate, Estimator
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import ANGULAR_VELOCITY, FloatArray
from millirobot_adapt.core.robot.samples import Telemetry


def state_of(estimate: Estimate, telemetry: Telemetry, robot: RobotConfig) -> FloatArray:
    """Return the state, shape (nx,): pose and velocity from the estimate, the rest from telemetry.

    The angular velocity is the gyro's, or the estimate's where the robot reports none.
    """
    return robot.layout.assemble(
        position=estimate.position,
        velocity=estimate.velocity,
        roll_pitch_yaw=roll_pitch_yaw(estimate.quaternion),
        angular_velocity=telemetry.angular_velocity if robot.gyro else estimate.angular_velocity,
        joint_angle=telemetry.joint_angle,
        joint_velocity=telemetry.joint_velocity,
        effort=telemetry.joint_effort,
        battery=telemetry.battery,
    )


def answer(estimator: Estimator, telemetry: Telemetry) -> tuple[Estimate | None, StateSample]:
    """Give a reply to an estimator and ask for the state at its stamp.

    Returns:
        The estimate, None where there is none; the state with its quality. Without an estimate the state holds NaN
        where pose and velocity would stand.
    """
    robot = estimator.robot
    estimator.on_telemetry(telemetry)
    estimate = estimator.estimate(telemetry.stamp)
    state = _without_pose(telemetry, robot) if estimate is None else state_of(estimate, telemetry, robot)
    return estimate, StateSample(telemetry.index, telemetry.stamp, state, estimator.quality())


def _without_pose(telemetry: Telemetry, robot: RobotConfig) -> FloatArray:
    unknown = np.full(3, np.nan)
    state = robot.layout.assemble(
        unknown, unknown, unknown, telemetry.angular_velocity if robot.gyro else unknown, telemetry.joint_angle,
        telemetry.joint_velocity, telemetry.joint_effort, telemetry.battery,
    )  # fmt: skip
    state[: ANGULAR_VELOCITY.start] = np.nan
    return state
