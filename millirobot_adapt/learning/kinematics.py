"""What the network sees and how its predictions move the state, in PyTorch, for training and for the exported graphs.

Everything is seen from the robot: a *body state* holds what the network looks at (`layout.body_names`), free of place
and heading. Means of height, roll, pitch and battery tell the training terrains apart and are left out on purpose.
"""

from __future__ import annotations

import torch
from torch import Tensor

from millirobot_adapt.core.robot.layout import (
    ANGULAR_VELOCITY,
    COS_YAW,
    DISPLACEMENT_NAMES,
    HEADING,
    HEIGHT,
    MOTION_NAMES,
    PLANE,
    PLANE_VELOCITY,
    SIN_YAW,
    VELOCITY,
    YAW_RATE,
    StateLayout,
)

_MOVED = len(DISPLACEMENT_NAMES)
"""Targets before this one are displacements, those from here on changes of the body state."""
_YAW_CHANGE = slice(DISPLACEMENT_NAMES.index('yaw_change'), DISPLACEMENT_NAMES.index('yaw_change') + 1)
_SPEED, _TURNING, _JOINTS = slice(0, 2), slice(2, 3), len(MOTION_NAMES)
"""Places in a body state; joints from `_JOINTS` on."""


def rotate(vectors: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn plane vectors (..., 2) by the angle whose cosine and sine are given, each of shape (..., 1)."""
    x, y = vectors[..., 0:1], vectors[..., 1:2]
    return torch.cat([cos * x - sin * y, sin * x + cos * y], dim=-1)


def body_state(states: Tensor, layout: StateLayout) -> Tensor:
    """Return what the network looks at, (..., body), `layout.body_names` in SI units, of states (..., nx)."""
    cos, sin = _heading(states)
    parts = [rotate(states[..., PLANE_VELOCITY], cos, -sin), states[..., YAW_RATE]]
    return torch.cat(parts + ([states[..., layout.joint_velocity]] if layout.joints else []), dim=-1)


def change_of_state(states: Tensor, next_states: Tensor, layout: StateLayout) -> Tensor:
    """Compute the targets (core/dynamics/targets.py), (..., targets), of transitions between states (..., nx)."""
    cos, sin = _heading(states)
    displacement = rotate(next_states[..., PLANE] - states[..., PLANE], cos, -sin)
    turn = rotate(torch.cat(_heading(next_states), dim=-1), cos, -sin)
    # atan2 by the half-angle formula: the graphs' operator set has no atan2.
    yaw_change = 2 * torch.atan(turn[..., 1:2] / (1 + turn[..., 0:1]).clamp(min=1e-6))
    return torch.cat([displacement, yaw_change, body_state(next_states, layout) - body_state(states, layout)], dim=-1)


def next_body_state(body: Tensor, change: Tensor) -> Tensor:
    """Apply predicted changes (..., targets) to body states (..., body)."""
    return body + change[..., _MOVED : _MOVED + body.shape[-1]]


def integrate(states: Tensor, changes: Tensor, dt: float, layout: StateLayout) -> Tensor:
    """Apply predicted changes (H, K, targets), one after the other over `dt` [s] each, to states (1 or K, nx).

    The result (H + 1, K, nx) begins with the states given; what is not predicted is held. Every step is in the yaw
    frame of its own start, so that headings are sums of turns, and positions sums of turned displacements.
    """
    cos, sin = _heading(states)
    yaw = changes[..., _YAW_CHANGE].cumsum(0)
    heading = rotate(torch.cat([torch.cos(yaw), torch.sin(yaw)], dim=-1), cos, sin)
    start = torch.zeros_like(changes[:1, :, 0:1]) + states  # once for each of the K
    before = torch.cat([start[..., HEADING], heading[:-1]])
    position = states[..., PLANE] + rotate(changes[..., 0:2], before[..., 0:1], before[..., 1:2]).cumsum(0)
    body = next_body_state(body_state(states, layout), changes.cumsum(0))
    velocity = rotate(body[..., _SPEED], heading[..., 0:1], heading[..., 1:2])
    joints = body[..., _JOINTS:]
    phases = _turned(states, dt * joints.cumsum(0), layout) if layout.phased else []
    held = torch.zeros_like(yaw) + states
    rest = slice(layout.joint_velocity.stop, layout.nx)
    parts = [
        position, held[..., HEIGHT], velocity, held[..., VELOCITY.stop - 1 : HEADING.start], heading,
        held[..., ANGULAR_VELOCITY.start : YAW_RATE.start], body[..., _TURNING], *phases,
        *([joints] if layout.joints else []), *([held[..., rest]] if rest.start < rest.stop else []),
    ]  # fmt: skip
    return torch.cat([start, torch.cat(parts, dim=-1)])


def _turned(states: Tensor, advance: Tensor, layout: StateLayout) -> list[Tensor]:
    """Return cosine and sine of each joint's angle after it has advanced by (H, K, joints) [rad]."""
    advance_cos, advance_sin = torch.cos(advance), torch.sin(advance)
    phases = []
    for place, joint in enumerate(layout.phased):
        first, number = layout.phase.start + 2 * place, slice(joint, joint + 1)
        phases.append(rotate(states[..., first : first + 2], advance_cos[..., number], advance_sin[..., number]))
    return phases


def _heading(states: Tensor) -> tuple[Tensor, Tensor]:
    return states[..., COS_YAW : COS_YAW + 1], states[..., SIN_YAW : SIN_YAW + 1]
