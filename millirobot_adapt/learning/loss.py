"""The loss of all methods: one-step errors and the open-loop error of the pose over the planning horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from millirobot_adapt.learning.inner_step import InnerStep, InnerUpdate
from millirobot_adapt.learning.kinematics import next_body_state, rotate
from millirobot_adapt.learning.network import LayerStep, Normalisation, Theta, forward
from millirobot_adapt.learning.segments import Segments


@dataclass(frozen=True)
class Losses:
    """Errors over the H transitions after the window, averaged over the tasks."""

    one_step: Tensor
    """Mean squared normalised error of one-step predictions."""
    open_loop: Tensor
    """Mean squared pose error, each step's in units of its number times the one-step scale."""
    position: Tensor
    """Root mean square position error at the horizon [m]."""
    heading: Tensor
    """Root mean square heading error at the horizon [rad]."""
    penalty: Tensor | float = 0.0
    """What training adds for the state of the model itself, such as how far a belief is from its prior."""


def adapt(
    theta: Theta, step: InnerStep, normalisation: Normalisation, past: Segments, mask: Tensor | None = None
) -> InnerUpdate:
    """Do the inner update of every task on its T1 past transitions; `mask` (B, T1) is 0 where one is missing."""
    inputs = normalisation.features(past.body[:, :-1], past.actions)
    targets = normalisation.targets(past.change)
    return step.update(theta, inputs, targets, torch.ones(inputs.shape[:2]) if mask is None else mask)


def losses(
    theta: Theta, normalisation: Normalisation, future: Segments, step: Sequence[LayerStep] | None = None
) -> Losses:
    """Score theta, or what `step` makes of it, on the H future transitions of each task."""
    outputs = forward(theta, normalisation.features(future.body[:, :-1], future.actions), step)
    one_step = (outputs - normalisation.targets(future.change)).square().mean()
    predicted = open_loop(theta, normalisation, future.body[:, :1], future.actions, step)
    error = poses(predicted) - poses(future.displacement)
    # A persistent error of the displacement grows with the number of steps: in these units it weighs the same at each.
    steps = torch.arange(1, error.shape[1] + 1)[:, None]
    scale = normalisation.target_scale[[0, 0, 2]]
    return Losses(
        one_step,
        (error / (steps * scale)).square().mean(),
        error[:, -1, 0:2].square().sum(-1).mean().sqrt(),
        error[:, -1, 2].square().mean().sqrt(),
    )


def open_loop(
    theta: Theta, normalisation: Normalisation, body: Tensor, actions: Tensor, step: Sequence[LayerStep] | None
) -> Tensor:
    """Predict the displacements (B, H, 3) from body states (B, 1, body) under actions (B, H, nu), without looking."""
    displacements = []
    for action in actions.split(1, dim=1):
        change = normalisation.change(forward(theta, normalisation.features(body, action), step))
        body = next_body_state(body, change)
        displacements.append(change[..., 0:3])
    return torch.cat(displacements, dim=1)


def poses(displacement: Tensor) -> Tensor:
    """Add displacements (B, H, 3), each in the yaw frame of its own start, to poses x, y, yaw (B, H, 3)."""
    yaw = displacement[..., 2:3].cumsum(1)
    before = yaw - displacement[..., 2:3]
    return torch.cat([rotate(displacement[..., 0:2], torch.cos(before), torch.sin(before)).cumsum(1), yaw], dim=-1)
