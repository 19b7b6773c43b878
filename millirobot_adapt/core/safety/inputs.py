"""What the gate looks at when it decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.robot.state import FloatArray, StateView


@dataclass(frozen=True)
class Seen:
    """When something was last heard of."""

    arrival: float
    """On the steady clock [s]."""
    delay: float
    """From its stamp to its arrival by the host's clock, as told then [s]; nan where the stamp is no number."""

    def age(self, steady: float) -> float:
        """Return how old it is at `steady` [s].

        A stamp from the future is as suspicious as an old one: its true age cannot be told. The host's clock counts at
        the arrival alone, so a step of it makes one message look old and no more.
        """
        return steady - self.arrival + abs(self.delay)

    def silence(self, steady: float) -> float:
        """Return for how long nothing has come since [s], whatever the stamp said."""
        return steady - self.arrival


@dataclass(frozen=True)
class LegReading:
    """What the legs did between two replies of the robot."""

    told: FloatArray
    """The action that was in effect, as sent, shape (nu,)."""
    turned: FloatArray
    """Mean velocity of each joint [rad/s], shape (joints,)."""
    seconds: float
    """Time between the two replies [s]."""


@dataclass(frozen=True)
class GateInputs:
    """Everything a decision rests on; None stands for never heard of."""

    steady: float
    """Now, steady clock [s]."""
    link_up: bool = False
    """The robot answers."""
    setpoint: FloatArray | None = None
    """The action, shape (nu,), that the owner of it wants."""
    setpoint_seen: Seen | None = None
    setpoint_refused: str = ''
    """Why the newest setpoint of another sender does not count, for people; empty: none was refused lately."""
    state: StateSample | None = None
    """The newest state, with the estimator's word on how far its pose can be trusted."""
    state_seen: Seen | None = None
    telemetry_seen: Seen | None = None
    """The newest reply of the robot that counted."""
    battery: float | None = None
    """Battery voltage of a reply that came since the last decision [V]."""
    legs: LegReading | None = None
    """What the legs did up to a reply that came since the last decision."""
    objection: str | None = None
    """Why the owner of the action (when arming: somebody who is there) may not drive this robot; None: nothing."""


def tilt_of(state: FloatArray) -> float:
    """Return the angle between body z and world z [rad] in a state, shape (nx,)."""
    view = StateView(state)
    return float(np.arccos(np.clip(np.cos(view.roll) * np.cos(view.pitch), -1.0, 1.0)))
