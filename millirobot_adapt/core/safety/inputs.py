"""What the gate looks at when it decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.robot.state import FloatArray


@dataclass(frozen=True)
class Seen:
    """When something was last heard of: arrival on the steady clock [s], stamp on the host's [s since the epoch]."""

    arrival: float
    stamp: float

    def age(self, steady: float, host: float) -> float:
        """Return the larger age by the two clocks [s].

        A stamp from the future is as suspicious as an old one: its true age cannot be told. A stamp that is not a
        number gives an age that is none (Python's max would drop it).
        """
        return float(np.maximum(steady - self.arrival, abs(host - self.stamp)))


@dataclass(frozen=True)
class GateInputs:
    """Everything a decision rests on; None stands for never heard of."""

    steady: float
    """Now, steady clock [s]."""
    host: float
    """Now, host clock [s since the epoch]."""
    link_up: bool = False
    """The robot answers."""
    setpoint: FloatArray | None = None
    """Wanted leg velocities [rad/s], shape (2,)."""
    setpoint_seen: Seen | None = None
    pose_seen: Seen | None = None
    """The newest pose from motion capture."""
    odometry_seen: Seen | None = None
    """The newest estimate; position and tilt are its own."""
    position: FloatArray | None = None
    """Estimated position [m; world], shape (3,)."""
    tilt: float | None = None
    """Angle between the body's z axis and the world's [rad]."""
    telemetry_seen: Seen | None = None
    """The newest reply of the robot that counted."""
    battery_counts: int | None = None
    """Raw battery reading of a reply that came since the last decision [counts]."""
    objection: str | None = None
    """Why whoever sends the setpoints may not drive this robot; None: no objection."""


def tilt_of(quaternion: FloatArray) -> float:
    """Return the angle between body z and world z [rad] of an orientation xyzw, shape (4,)."""
    x, y, _, _ = quaternion / np.linalg.norm(quaternion)
    return float(np.arccos(np.clip(1 - 2 * (x * x + y * y), -1.0, 1.0)))
