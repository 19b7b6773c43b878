"""The network: a multilayer perceptron with its normalisation, and one gradient step on it written out.

The inner step of GrBAL is written as explicit backpropagation instead of a call to autograd. That has three uses:
autograd differentiates through it for the meta-gradient (second order), the exporter traces it into adapt.onnx like any
other code, and in training the adapted weights W - a H^T D are never formed, because a window has far fewer rows than a
layer has units: x W - a (x H^T) D.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

INPUT_CLIP = 3.0
"""Normalised inputs are clipped here [standard deviations]: far outside the data a gradient step overshoots."""


@dataclass(frozen=True)
class Normalisation:
    """Mean and scale of the features (features,) and targets (targets,), fixed once from the training data."""

    feature_mean: Tensor
    feature_scale: Tensor
    target_mean: Tensor
    target_scale: Tensor
    clip: float = INPUT_CLIP
    """Largest magnitude of a normalised input; infinite for a model that clips nothing."""

    def features(self, body: Tensor, actions: Tensor) -> Tensor:
        """Make network inputs (..., features) of body states (..., body) and actions (..., nu)."""
        raw = torch.cat([body, actions], dim=-1)
        scaled = (raw - self.feature_mean) / self.feature_scale
        return scaled.clamp(-self.clip, self.clip) if math.isfinite(self.clip) else scaled

    def targets(self, change: Tensor) -> Tensor:
        """Normalise changes of state (..., targets)."""
        return (change - self.target_mean) / self.target_scale

    def change(self, targets: Tensor) -> Tensor:
        """Turn network outputs (..., targets) back into changes of state in SI units."""
        return targets * self.target_scale + self.target_mean


Theta = Sequence[Tensor]
"""Parameters w0, b0, w1, b1, ...: weights (inputs, outputs) and biases (outputs,) of each layer."""


@dataclass(frozen=True)
class LayerStep:
    """The inner step of one layer for B tasks, already scaled by the step size."""

    inputs: Tensor
    """H, shape (B, T1, inputs)."""
    weight_gradients: Tensor
    """D, shape (B, T1, outputs)."""
    bias_step: Tensor
    """Shape (B, 1, outputs)."""


def initialise(sizes: Sequence[int], generator: torch.Generator) -> list[Tensor]:
    """Draw parameters for layers of the given sizes (He initialisation; the last layer starts near zero)."""
    theta: list[Tensor] = []
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        gain = 2**0.5 if layer < len(sizes) - 2 else 0.1
        theta += [torch.randn(inputs, outputs, generator=generator) * gain / inputs**0.5, torch.zeros(outputs)]
    return theta


def theta_names(theta: Theta) -> list[str]:
    """Name the parameters in order: w0, b0, w1, b1, ..."""
    return [f'{kind}{layer}' for layer in range(len(theta) // 2) for kind in ('w', 'b')]


def numbered(arrays: Mapping[str, Tensor], kind: str) -> list[Tensor]:
    """Take the arrays kind0, kind1, ... in order, as a run folder keeps lists of tensors."""
    count = sum(name.removeprefix(kind).isdigit() for name in arrays if name.startswith(kind))
    return [arrays[f'{kind}{index}'] for index in range(count)]


def layers(theta: Theta) -> list[tuple[Tensor, Tensor]]:
    """Pair up weights and biases."""
    return list(zip(theta[0::2], theta[1::2], strict=True))


def forward(theta: Theta, inputs: Tensor, step: Sequence[LayerStep] | None = None) -> Tensor:
    """Evaluate the network, (..., features) to (..., targets); with `step`, as it is after each task's inner step.

    Where each task has parameters of its own, weights are (B, inputs, outputs) and biases (B, 1, outputs).
    """
    hidden = inputs
    last = len(theta) // 2 - 1
    for index, (weight, bias) in enumerate(layers(theta)):
        output = hidden @ weight + bias
        if step is not None:
            own = step[index]
            output = output - (hidden @ own.inputs.transpose(-1, -2)) @ own.weight_gradients - own.bias_step
        hidden = torch.relu(output) if index < last else output
    return hidden


def backpropagate(
    theta: Theta, inputs: Tensor, targets: Tensor, row_weight: Tensor
) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """Return each layer's inputs H (..., T1, inputs) and output gradients D (..., T1, outputs), and the error.

    The loss is the sum over rows of row_weight (..., T1) times the mean squared error of the normalised targets
    (..., T1, targets). The gradient of a layer's weights is H^T D, that of its bias the column sum of D. The error is
    that of the normalised targets, outputs minus targets.
    """
    stack = [inputs]
    for weight, bias in layers(theta)[:-1]:
        stack.append(torch.relu(stack[-1] @ weight + bias))
    weight, bias = layers(theta)[-1]
    error = stack[-1] @ weight + bias - targets
    delta = 2.0 / targets.shape[-1] * row_weight.unsqueeze(-1) * error
    deltas = [delta]
    for (weight, _), hidden in zip(layers(theta)[:0:-1], stack[:0:-1], strict=True):
        delta = (delta @ weight.transpose(-1, -2)) * (hidden > 0)
        deltas.insert(0, delta)
    return list(zip(stack, deltas, strict=True)), error


def masked_loss(outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error (..., B) of (..., B, T1, targets) over the rows with mask (B, T1) 1; zero if there is none."""
    return mean_square(outputs - targets, mask)


def mean_square(error: Tensor, mask: Tensor) -> Tensor:
    """Mean square (..., B) of (..., B, T1, targets) over the rows with mask (B, T1) 1; zero if there is none."""
    return (error.square().mean(-1) * mask).sum(-1) / mask.sum(-1).clamp(min=1.0)
