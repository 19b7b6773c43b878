"""What the ground is like under the feet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Terrain:
    """Contact and resistance of one kind of floor; tuned so that the mock walks about as the real robot does."""

    friction: float
    """Coulomb friction of a new foot."""
    contact_time: float
    """Time in which a contact pushes back, MuJoCo's solref[0] [s]: longer is softer."""
    forward_drag: float
    """Resistance to sliding over it [N s/m]."""
    yaw_drag: float
    """Resistance to turning on it [N m s/rad]."""
    roughness: float = 1.0
    """Strength of the random pushes of the ground (`Condition.step_noise`), 1 on carpet."""


TERRAINS: dict[str, Terrain] = {
    'carpet': Terrain(friction=0.8, contact_time=0.006, forward_drag=0.22, yaw_drag=1.6e-3),
    'styrofoam': Terrain(friction=0.59, contact_time=0.0143, forward_drag=0.40, yaw_drag=1.3e-3, roughness=0.8),
    'turf': Terrain(friction=0.58, contact_time=0.0214, forward_drag=0.38, yaw_drag=9e-4, roughness=0.35),
}
"""The floors by name, as `Condition.terrain` names them."""
