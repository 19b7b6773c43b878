"""What the ground is like under the feet."""

from __future__ import annotations

from dataclasses import dataclass

from millirobot_adapt.core.config import Config, param


@dataclass(frozen=True)
class Terrain(Config):
    """Contact and resistance of one kind of floor; what is not given is carpet's."""

    friction: float = param(0.8, 'Coulomb friction of a new foot.', low=0.05, high=2.0)
    contact_time: float = param(
        0.006, "Time in which a contact pushes back, MuJoCo's solref[0]; longer is softer.",
        unit='s', low=0.003, high=0.1,
    )  # fmt: skip
    forward_drag: float = param(0.22, 'Resistance to sliding over it.', unit='N s/m', low=0.0, high=2.0)
    yaw_drag: float = param(1.6e-3, 'Resistance to turning on it.', unit='N m s/rad', low=0.0, high=0.02)
    roughness: float = param(
        1.0, 'Strength of the random pushes of the ground (times `step_noise`), 1 on carpet.', low=0.0, high=3.0
    )


TERRAINS: dict[str, Terrain] = {
    'carpet': Terrain(),
    'styrofoam': Terrain(friction=0.59, contact_time=0.0143, forward_drag=0.40, yaw_drag=1.3e-3, roughness=0.8),
    'turf': Terrain(friction=0.58, contact_time=0.0214, forward_drag=0.38, yaw_drag=9e-4, roughness=0.35),
}
"""The floors by name, tuned so that the mock walks about as the real robot does (`millirobot calibrate`)."""
