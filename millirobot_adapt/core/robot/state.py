"""The state of the robot at one instant: 24 numbers in a fixed order, with named views.

SI units; position and velocity in the frame `world` (z up), angular velocity in the body frame (x forward, y left,
z up, REP 103), leg phases and velocities positive when the robot walks forward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

STATE_NAMES: tuple[str, ...] = (
    'x', 'y', 'z',
    'vx', 'vy', 'vz',
    'cos_roll', 'sin_roll', 'cos_pitch', 'sin_pitch', 'cos_yaw', 'sin_yaw',
    'wx', 'wy', 'wz',
    'cos_left', 'sin_left', 'cos_right', 'sin_right',
    'left_velocity', 'right_velocity',
    'left_back_emf', 'right_back_emf',
    'battery',
)  # fmt: skip
STATE_UNITS: tuple[str, ...] = (
    ('m',) * 3 + ('m/s',) * 3 + ('1',) * 6 + ('rad/s',) * 3 + ('1',) * 4 + ('rad/s',) * 2 + ('V',) * 3
)
ACTION_NAMES: tuple[str, ...] = ('left', 'right')
ACTION_UNITS: tuple[str, ...] = ('rad/s', 'rad/s')
NX = len(STATE_NAMES)
NU = len(ACTION_NAMES)

POSITION = slice(0, 3)
VELOCITY = slice(3, 6)
TURN = slice(6, 12)
"""Cosine and sine of roll, pitch, yaw."""
ANGULAR_VELOCITY = slice(12, 15)
LEG_PHASE = slice(15, 19)
"""Cosine and sine of the left and the right leg's phase."""
LEG_VELOCITY = slice(19, 21)
BACK_EMF = slice(21, 23)
BATTERY = 23


@dataclass(frozen=True)
class StateView:
    """Name the parts of a state array of shape (..., 24); every view shares the array's memory."""

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
        return np.arctan2(self.array[..., 7], self.array[..., 6])

    @property
    def pitch(self) -> FloatArray:
        """Pitch angle [rad], shape (...)."""
        return np.arctan2(self.array[..., 9], self.array[..., 8])

    @property
    def yaw(self) -> FloatArray:
        """Yaw angle [rad], shape (...)."""
        return np.arctan2(self.array[..., 11], self.array[..., 10])

    @property
    def angular_velocity(self) -> FloatArray:
        """Angular velocity from the gyro [rad/s; body], shape (..., 3)."""
        return self.array[..., ANGULAR_VELOCITY]

    @property
    def leg_velocity(self) -> FloatArray:
        """Mean leg velocity left, right since the previous telemetry [rad/s], shape (..., 2)."""
        return self.array[..., LEG_VELOCITY]

    @property
    def back_emf(self) -> FloatArray:
        """Back-EMF of the left and right motor [V], shape (..., 2)."""
        return self.array[..., BACK_EMF]

    @property
    def battery(self) -> FloatArray:
        """Battery voltage [V], shape (...)."""
        return self.array[..., BATTERY]


def assemble_state(
    position: FloatArray,
    velocity: FloatArray,
    roll_pitch_yaw: FloatArray,
    angular_velocity: FloatArray,
    leg_phase: FloatArray,
    leg_velocity: FloatArray,
    back_emf: FloatArray,
    battery: float,
) -> FloatArray:
    """Put one state together, shape (24,): angles [rad] become cosine and sine; the rest is copied in its place."""
    state = np.empty(NX)
    state[POSITION] = position
    state[VELOCITY] = velocity
    state[6:12:2], state[7:12:2] = np.cos(roll_pitch_yaw), np.sin(roll_pitch_yaw)
    state[ANGULAR_VELOCITY] = angular_velocity
    state[15:19:2], state[16:19:2] = np.cos(leg_phase), np.sin(leg_phase)
    state[LEG_VELOCITY] = leg_velocity
    state[BACK_EMF] = back_emf
    state[BATTERY] = battery
    return state
