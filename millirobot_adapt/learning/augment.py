"""Make one robot look like many: disturb whole segments, so that meta-training has something to adapt to.

Each segment gets disturbances of its own, drawn again at every use. They are constant, or change once, as where a robot
breaks while it walks. They stand for no particular terrain or fault, and all are consistent: features, targets and the
open loop see the same disturbed robot.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from millirobot_adapt.core.robot.layout import MOTION_NAMES
from millirobot_adapt.learning.kinematics import rotate
from millirobot_adapt.learning.segments import Segments
from millirobot_adapt.learning.train_config import AugmentConfig


@dataclass(frozen=True)
class _Disturbance:
    """What disturbs B robots; each tensor (B, 1, width), or (B, L + 1, width) where it changes on the way."""

    leg_gain: Tensor
    turn: Tensor
    side: Tensor
    speed_gain: Tensor
    drift: Tensor
    heading: Tensor

    def replaced(self, other: _Disturbance, late: Tensor) -> _Disturbance:
        """Return this disturbance at first and `other` where `late`, shape (B, L + 1, 1), is true."""
        names = (field.name for field in fields(self))
        return _Disturbance(*(torch.where(late, getattr(other, name), getattr(self, name)) for name in names))


def augment(
    segments: Segments, config: AugmentConfig, dt: float, generator: torch.Generator, past: int = 0
) -> Segments:
    """Disturb each segment by constants of its own, some by constants that change on the way.

    Args:
        segments: What is disturbed.
        config: How much.
        dt: Control period [s].
        generator: Draws the disturbances.
        past: T1: a change comes before the transition of this number, so that there is something to adapt to.
    """
    disturbance = _draw(segments, config, generator)
    if config.change and past:
        count, states = segments.body.shape[:2]
        # The first changed state is one of the states 1 to T1; a segment that is not to change does so after its end.
        first = torch.randint(1, past + 1, (count,), generator=generator)
        first = torch.where(torch.rand(count, generator=generator) < config.change, first, states)
        late = torch.arange(states) >= first[:, None]
        disturbance = disturbance.replaced(_draw(segments, config, generator), late[..., None])
    return _disturbed(segments, disturbance, dt)


def _draw(segments: Segments, config: AugmentConfig, generator: torch.Generator) -> _Disturbance:
    count, joints = len(segments), segments.body.shape[-1] - len(MOTION_NAMES)

    def draw(scale: float, width: int = 1) -> Tensor:
        return scale * torch.randn(count, 1, width, generator=generator)

    leg_gain = 1 + draw(config.leg_gain, joints)
    turn, side = draw(config.turn), draw(config.side, joints)
    speed_gain = 1 + draw(config.speed_gain)
    drift = torch.cat([draw(config.forward), draw(config.lateral)], dim=-1)
    return _Disturbance(leg_gain, turn, side, speed_gain, drift, draw(config.heading))


def _disturbed(segments: Segments, by: _Disturbance, dt: float) -> Segments:
    """Return the segments as the disturbed robot would have walked and measured them."""
    moving = len(MOTION_NAMES)
    plane, yaw_rate, joints = segments.body[..., 0:2], segments.body[..., 2:moving], segments.body[..., moving:]
    moved, turned = segments.displacement[..., 0:2], segments.displacement[..., 2:3]
    joints = joints * by.leg_gain
    extra_turn = by.turn + (joints * by.side).sum(-1, keepdim=True)
    cos, sin = torch.cos(by.heading), torch.sin(by.heading)
    body = [rotate(by.speed_gain * plane + by.drift, cos, sin), yaw_rate + extra_turn, joints]
    # What a period adds follows the joints during it, which the state at its end reports; so does what disturbs it.
    # A displacement is seen in the heading that is measured at the start, and a turn holds a jump of that measurement.
    displacement = [
        rotate(_ends(by.speed_gain) * moved + dt * _ends(by.drift), _starts(cos), _starts(sin)),
        turned + dt * _ends(extra_turn) - (_ends(by.heading) - _starts(by.heading)),
    ]
    return Segments(torch.cat(body, dim=-1), segments.actions, torch.cat(displacement, dim=-1))


def _starts(values: Tensor) -> Tensor:
    """Take the value at the start of each transition, (B, L, width), of one for each state, or the constant one."""
    return values if values.shape[1] == 1 else values[:, :-1]


def _ends(values: Tensor) -> Tensor:
    """Take the value at the end of each transition, (B, L, width), of one for each state, or the constant one."""
    return values if values.shape[1] == 1 else values[:, 1:]
