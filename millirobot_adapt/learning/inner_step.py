"""GrBAL's inner update: one guarded gradient step on the window (GrBAL paper, arXiv 1803.11347, equation 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from millirobot_adapt.learning.network import LayerStep, Theta, backpropagate, forward, layers, masked_loss, mean_square

FRACTIONS = (1.0, 0.5, 0.25)
"""Fractions of the nominal step that the guard tries in turn; when none lowers the window's loss, no step is taken."""


@dataclass(frozen=True)
class InnerUpdate:
    """The outcome of one inner update of B tasks; every tensor has shape (B,)."""

    step: list[LayerStep]
    loss_before: Tensor
    loss_after: Tensor
    gradient_norm: Tensor
    fraction: Tensor


@dataclass(frozen=True)
class InnerStep:
    """How an inner update steps."""

    psi: Sequence[Tensor]
    """Step size of each tensor of theta."""
    guarded: bool = True
    """Whether a step that does not lower the window's loss is shortened or left out."""
    weights: Tensor | None = None
    """How much each row of the window counts, oldest first, shape (T1,) with mean 1; None: all alike."""

    def update(self, theta: Theta, inputs: Tensor, targets: Tensor, mask: Tensor) -> InnerUpdate:
        """Do the update; the arguments are those of `inner_update`."""
        return inner_update(theta, self.psi, inputs, targets, self.counted(mask), guarded=self.guarded)

    def counted(self, mask: Tensor) -> Tensor:
        """Return how much each row counts, (B, T1), where `mask` is 1 for rows that are there and else 0."""
        return mask if self.weights is None else mask * self.weights


def inner_update(
    theta: Theta, psi: Sequence[Tensor], inputs: Tensor, targets: Tensor, mask: Tensor, *, guarded: bool = True
) -> InnerUpdate:
    """Step from theta along the gradient of the window's loss, by psi (one step size for each tensor of theta).

    `inputs` (B, T1, features) and `targets` (B, T1, targets) are normalised, `mask` is (B, T1): 0 where a row is
    missing, else 1, or how much the row counts. The loss is summed over the rows that are there and
    divided by T1, not by their number: a window with few rows moves the parameters in proportion. Without the guard the
    whole step is taken, whatever it does to the loss, unless the window is empty.
    """
    gradients, error = backpropagate(theta, inputs, targets, mask / mask.shape[-1])
    with torch.no_grad():  # the guard chooses; what it chose counts as given in the meta-gradient
        before = mean_square(error, mask)
        # All fractions at once, as rows of the same products: one after the other, each would read every weight again.
        tried = torch.tensor(FRACTIONS if guarded else FRACTIONS[:1])[:, None] * torch.ones_like(before)
        losses = masked_loss(forward(theta, inputs, scaled_step(gradients, psi, tried)), targets, mask)
        fraction, after = torch.zeros_like(before), before
        for part, loss in zip(tried, losses, strict=True):
            take = (fraction == 0) & ((loss < before) if guarded else (mask.sum(-1) > 0))
            fraction, after = torch.where(take, part, fraction), torch.where(take, loss, after)
    return InnerUpdate(scaled_step(gradients, psi, fraction), before, after, gradient_norm(gradients), fraction)


def scaled_step(gradients: Sequence[tuple[Tensor, Tensor]], psi: Sequence[Tensor], fraction: Tensor) -> list[LayerStep]:
    """Scale the gradients by the step sizes and by the guard's fraction (..., B)."""
    part = fraction[..., None, None]
    return [
        LayerStep(inputs, part * psi_weight * delta, part * psi_bias * delta.sum(1, keepdim=True))
        for (inputs, delta), psi_weight, psi_bias in zip(gradients, psi[0::2], psi[1::2], strict=True)
    ]


def adapted_parameters(theta: Theta, update: InnerUpdate) -> list[Tensor]:
    """Form theta' for a single task (B = 1); without a step it is theta itself, whatever the gradient held (NaN)."""
    moved = update.fraction > 0
    adapted: list[Tensor] = []
    for (weight, bias), step in zip(layers(theta), update.step, strict=True):
        # Chosen on the window's rows, which are few, and written as one product and sum: a fraction of the time.
        inputs, downhill, bias_step = (
            torch.where(moved, part, torch.zeros_like(part))
            for part in (step.inputs[0], -step.weight_gradients[0], step.bias_step[0, 0])
        )
        adapted += [torch.addmm(weight, inputs.T, downhill), bias - bias_step]
    return adapted


def gradient_norm(gradients: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Return the norm of the whole gradient, (B,): |H^T D|^2 is the sum over (H H^T) * (D D^T)."""
    total = torch.zeros_like(gradients[0][0][:, 0, 0])
    for inputs, delta in gradients:
        weights = (inputs @ inputs.transpose(1, 2)) * (delta @ delta.transpose(1, 2))
        total = total + weights.sum((1, 2)) + delta.sum(1).square().sum(1)
    return total.clamp(min=0.0).sqrt()
