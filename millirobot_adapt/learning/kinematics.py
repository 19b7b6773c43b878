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

# Places in the state of 24 numbers (core/state.py).
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


def next_state(states: Tensor, change: Tensor, dt: float) -> Tensor:
    """Apply predicted changes (..., 8) to states (..., 24) over `dt` [s]; what is not predicted is held."""
    cos, sin = _heading(states)
    position = states[..., _POSITION] + rotate(change[..., 0:2], cos, sin)
    turn_cos, turn_sin = torch.cos(change[..., 2:3]), torch.sin(change[..., 2:3])
    heading = rotate(torch.cat([cos, sin], dim=-1), turn_cos, turn_sin)
    body = next_body_state(body_state(states), change)
    velocity = rotate(body[..., 0:2], heading[..., 0:1], heading[..., 1:2])
    legs = body[..., 3:5]
    left, right = states[..., 15:17], states[..., 17:19]
    advance_cos, advance_sin = torch.cos(dt * legs), torch.sin(dt * legs)
    phases = [
        rotate(left, advance_cos[..., 0:1], advance_sin[..., 0:1]),
        rotate(right, advance_cos[..., 1:2], advance_sin[..., 1:2]),
    ]
    parts = [
        position, states[..., 2:3], velocity, states[..., 5:10], heading, states[..., 12:14], body[..., 2:3],
        *phases, legs, states[..., 21:],
    ]  # fmt: skip
    return torch.cat(parts, dim=-1)


def _heading(states: Tensor) -> tuple[Tensor, Tensor]:
    return states[..., _COS_YAW : _COS_YAW + 1], states[..., _SIN_YAW : _SIN_YAW + 1]
