"""The pose block of a state by its names; core/robot/layout.py says where everything stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.robot.layout import (
    ANGULAR_VELOCITY,
    COS_PITCH,
    COS_ROLL,
    COS_YAW,
    POSITION,
    SIN_PITCH,
    SIN_ROLL,
    SIN_YAW,
    VELOCITY,
    FloatArray,
)

__all__ = ['FloatArray', 'StateView']


@dataclass(frozen=True)
class StateView:
    """Name the pose block of a state array of shape (..., nx); every view shares the array's memory."""

    array: FloatArray

    @property
    def position(self) -> FloatArray:
        """Position of the body [m; world], shape (..., 3)."""
        return self.array[..., POSITION]

    @property
    def velocity(self) -> FloatArray:
        """Linear velocity of the body [m/s; world], shape (..., 3)."""
        return self.array[..., VELOCITY]

    @property
    def roll(self) -> FloatArray:
        """Roll angle [rad], shape (...)."""
        return np.arctan2(self.array[..., SIN_ROLL], self.array[..., COS_ROLL])

    @property
    def pitch(self) -> FloatArray:
        """Pitch angle [rad], shape (...)."""
        return np.arctan2(self.array[..., SIN_PITCH], self.array[..., COS_PITCH])

    @property
    def yaw(self) -> FloatArray:
        """Yaw angle [rad], shape (...)."""
        return np.arctan2(self.array[..., SIN_YAW], self.array[..., COS_YAW])

    @property
    def angular_velocity(self) -> FloatArray:
        """Angular velocity [rad/s; body], shape (..., 3): from the gyro, or from the filter where there is none."""
        return self.array[..., ANGULAR_VELOCITY]
