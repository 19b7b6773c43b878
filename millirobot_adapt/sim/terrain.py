"""What the ground is like under the feet."""

from __future__ import annotations

from millirobot_adapt.core.config import Config, param


class Terrain(Config):
    """Contact and resistance of one kind of floor; the defaults are carpet's."""

    friction: float = param(0.8, 'Coulomb friction of a new foot.', low=0.05, high=2.0)
    contact_time: float = param(
        0.006, "Time in which a contact pushes back, MuJoCo's solref[0]; longer is softer.",
        unit='s', low=0.003, high=0.1,
    )  # fmt: skip
    forward_drag: float = param(0.22, 'Resistance to sliding over it.', unit='N s/m', low=0.0, high=2.0)
    yaw_drag: float = param(1.4e-3, 'Resistance to turning on it.', unit='N m s/rad', low=0.0, high=0.02)
    yaw_push: float = param(0.85, 'Strength of its random torques (times `step_noise`).', low=0.0, high=3.0)
    side_push: float = param(0.65, 'Strength of its random pushes to the side, as above.', low=0.0, high=3.0)
    forward_push: float = param(0.5, 'Strength of its random pushes forward and back, as above.', low=0.0, high=3.0)
    veer: float = param(
        5.5e-4, 'Steady torque to the left at a mean leg rate of 5.5 rev/s; it grows with the leg rate.',
        unit='N m', low=-0.02, high=0.02,
    )  # fmt: skip


TERRAINS: dict[str, Terrain] = {
    'carpet': Terrain(),
    'styrofoam': Terrain(
        friction=0.60,
        contact_time=0.0095,
        forward_drag=0.37,
        yaw_drag=1.1e-3,
        yaw_push=0.67,
        side_push=0.87,
        forward_push=0.6,
        veer=7.0e-4,
    ),
    'turf': Terrain(
        friction=0.52,
        contact_time=0.0085,
        forward_drag=0.365,
        yaw_drag=5e-4,
        yaw_push=0.22,
        side_push=0.84,
        forward_push=0.55,
        veer=1.05e-4,
    ),
}
"""The floors by name, tuned so that the mock walks about as the real robot does (`millirobot calibrate`)."""
