"""What the network sees and how its predictions move the state, in PyTorch, for training and for the exported graphs.

Everything is seen from the robot: a *body state* holds what the network looks at (BODY_NAMES), free of place and
heading. Means of height, roll, pitch and battery tell the training terrains apart and are left out on purpose.
"""

from __future__ import annotations

import torch
from torch import Tensor

BODY_NAMES: tuple[str, ...] = (
    'forward_velocity', 'lateral_velocity', 'yaw_rate', 'left_velocity', 'right_velocity',
)  # fmt: skip
FEATURE_NAMES: tuple[str, ...] = (*BODY_NAMES, 'left_setpoint', 'right_setpoint')

# Places in the state of 24 numbers (core/robot/state.py).
_POSITION = slice(0, 2)
_VELOCITY = slice(3, 5)
_COS_YAW, _SIN_YAW = 10, 11
_YAW_RATE = slice(14, 15)
_LEGS = slice(19, 21)


def rotate(vectors: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn plane vectors (..., 2) by the angle whose cosine and sine are given, each of shape (..., 1)."""
    x, y = vectors[..., 0:1], vectors[..., 1:2]
    return torch.cat([cos * x - sin * y, sin * x + cos * y], dim=-1)


def body_state(states: Tensor) -> Tensor:
    """Return what the network looks at, (..., 5) in the order and SI units of BODY_NAMES, of states (..., 24)."""
    cos, sin = _heading(states)
    return torch.cat([rotate(states[..., _VELOCITY], cos, -sin), states[..., _YAW_RATE], states[..., _LEGS]], dim=-1)


def change_of_state(states: Tensor, next_states: Tensor) -> Tensor:
    """Compute the eight targets (core/dynamics/targets.py), (..., 8), of transitions between states (..., 24)."""
    cos, sin = _heading(states)
    displacement = rotate(next_states[..., _POSITION] - states[..., _POSITION], cos, -sin)
    turn = rotate(torch.cat(_heading(next_states), dim=-1), cos, -sin)
    # atan2 by the half-angle formula: the graphs' operator set has no atan2.
    yaw_change = 2 * torch.atan(turn[..., 1:2] / (1 + turn[..., 0:1]).clamp(min=1e-6))
    return torch.cat([displacement, yaw_change, body_state(next_states) - body_state(states)], dim=-1)


def next_body_state(body: Tensor, change: Tensor) -> Tensor:
    """Apply predicted changes (..., 8) to body states (..., 5)."""
    return body + change[..., 3:8]


def integrate(states: Tensor, changes: Tensor, dt: float) -> Tensor:
    """Apply predicted changes (H, K, 8), one after the other over `dt` [s] each, to states (1 or K, 24).

    The result (H + 1, K, 24) begins with the states given; what is not predicted is held. Every step is in the yaw
    frame of its own start, so that headings are sums of turns, and positions sums of turned displacements.
    """
    cos, sin = _heading(states)
    yaw = changes[..., 2:3].cumsum(0)
    heading = rotate(torch.cat([torch.cos(yaw), torch.sin(yaw)], dim=-1), cos, sin)
    start = torch.zeros_like(changes[:1, :, 0:1]) + states  # once for each of the K
    before = torch.cat([start[..., _COS_YAW : _SIN_YAW + 1], heading[:-1]])
    position = states[..., _POSITION] + rotate(changes[..., 0:2], before[..., 0:1], before[..., 1:2]).cumsum(0)
    body = next_body_state(body_state(states), changes.cumsum(0))
    velocity = rotate(body[..., 0:2], heading[..., 0:1], heading[..., 1:2])
    legs = body[..., 3:5]
    advance = dt * legs.cumsum(0)
    advance_cos, advance_sin = torch.cos(advance), torch.sin(advance)
    phases = [
        rotate(states[..., 15:17], advance_cos[..., 0:1], advance_sin[..., 0:1]),
        rotate(states[..., 17:19], advance_cos[..., 1:2], advance_sin[..., 1:2]),
    ]
    held = torch.zeros_like(yaw) + states
    parts = [
        position, held[..., 2:3], velocity, held[..., 5:10], heading, held[..., 12:14], body[..., 2:3],
        *phases, legs, held[..., 21:],
    ]  # fmt: skip
    return torch.cat([start, torch.cat(parts, dim=-1)])


def _heading(states: Tensor) -> tuple[Tensor, Tensor]:
    return states[..., _COS_YAW : _COS_YAW + 1], states[..., _SIN_YAW : _SIN_YAW + 1]
