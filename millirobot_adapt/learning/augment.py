"""Make one robot look like many: disturb whole segments, so that meta-training has something to adapt to.

Each segment gets its own constant disturbances, drawn again at every use. They stand for no particular terrain or
fault, and all are consistent: features, targets and the open loop see the same disturbed robot.
"""

from __future__ import annotations

import torch
from torch import Tensor

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.robot.layout import MOTION_NAMES
from millirobot_adapt.learning.kinematics import rotate
from millirobot_adapt.learning.segments import Segments


class AugmentConfig(Config):
    """Standard deviations of the disturbances; all 0 switches augmentation off."""

    heading: float = param(0.2, 'Constant error of the measured heading.', unit='rad', low=0.0, high=1.5)
    forward: float = param(0.05, 'Constant forward velocity added.', unit='m/s', low=0.0, high=1.0)
    lateral: float = param(0.05, 'Constant lateral velocity added.', unit='m/s', low=0.0, high=1.0)
    speed_gain: float = param(0.15, 'Relative change of all velocity.', low=0.0, high=1.0)
    turn: float = param(0.5, 'Constant yaw rate added.', unit='rad/s', low=0.0, high=5.0)
    side: float = param(
        0.02,
        "Yaw rate added for each rad/s of a joint, such as a side's legs.",
        unit='(rad/s)/(rad/s)',
        low=0.0,
        high=1.0,
    )
    leg_gain: float = param(0.05, "Relative change of a joint's velocity.", low=0.0, high=1.0)


def augment(segments: Segments, config: AugmentConfig, dt: float, generator: torch.Generator) -> Segments:
    """Disturb each segment by constants of its own; `dt` is the control period [s]."""
    count = len(segments)

    def draw(scale: float, width: int = 1) -> Tensor:
        return scale * torch.randn(count, 1, width, generator=generator)

    moving = len(MOTION_NAMES)
    plane, yaw_rate, joints = segments.body[..., 0:2], segments.body[..., 2:moving], segments.body[..., moving:]
    moved, turned = segments.displacement[..., 0:2], segments.displacement[..., 2:3]

    joints = joints * (1 + draw(config.leg_gain, joints.shape[-1]))
    extra_turn = draw(config.turn) + (joints * draw(config.side, joints.shape[-1])).sum(-1, keepdim=True)
    gain = 1 + draw(config.speed_gain)
    drift = torch.cat([draw(config.forward), draw(config.lateral)], dim=-1)
    angle = draw(config.heading)
    cos, sin = torch.cos(angle), torch.sin(angle)

    body = [rotate(gain * plane + drift, cos, sin), yaw_rate + extra_turn, joints]
    # What a period adds follows the joints during it, which the state at its end reports.
    displacement = [rotate(gain * moved + dt * drift, cos, sin), turned + dt * extra_turn[:, 1:]]
    return Segments(torch.cat(body, dim=-1), segments.actions, torch.cat(displacement, dim=-1))
