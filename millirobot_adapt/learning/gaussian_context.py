"""PEARL's learner: each transition gives a Gaussian belief about a latent z, and the beliefs are multiplied.

After PEARL (arXiv 1903.08254, section 4.1). A product does not depend on the order of its factors. It starts from the
prior, a standard normal, so that a window without a transition gives z = 0, which is theta*. Training draws z from the
belief; planning takes its mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from millirobot_adapt.learning.context import draw_weights, seen_rows
from millirobot_adapt.learning.network import Theta


@dataclass(frozen=True)
class Belief:
    """Independent Gaussians over z for B windows."""

    mean: Tensor
    """Shape (B, C)."""
    variance: Tensor
    """Shape (B, C)."""

    def draw(self, noise: Tensor) -> Tensor:
        """Return z (B, C) for standard normal noise (B, C)."""
        return self.mean + self.variance.sqrt() * noise

    def divergence(self) -> Tensor:
        """Return the Kullback-Leibler divergence from the standard normal [nat], (B,)."""
        return 0.5 * (self.variance + self.mean.square() - 1.0 - self.variance.log()).sum(-1)


@dataclass(frozen=True)
class GaussianContext:
    """Parameters of an encoder of a latent of C numbers."""

    from_transition: Tensor
    """Weights from features and targets to W hidden units, (features + targets, W)."""
    bias: Tensor
    """Shape (W,)."""
    between: Tensor
    """Weights of the second layer, (W, W)."""
    between_bias: Tensor
    """Shape (W,)."""
    to_factor: Tensor
    """Weights to the mean of each factor and to what its precision is made of, (W, 2 C)."""
    factor_bias: Tensor
    """Shape (2 C,)."""
    to_network: Tensor
    """Weights from z to the network's first layer, (C, width1)."""

    @classmethod
    def of(cls, tensors: Sequence[Tensor]) -> GaussianContext:
        """Make an encoder of its parameters, in the order of the fields."""
        return cls(*tensors)

    def tensors(self) -> list[Tensor]:
        """Return all parameters, in the order of the fields."""
        return [
            *(self.from_transition, self.bias, self.between, self.between_bias),
            *(self.to_factor, self.factor_bias, self.to_network),
        ]

    def believe(self, inputs: Tensor, targets: Tensor, mask: Tensor) -> Belief:
        """Multiply the prior with the factor of each transition; the arguments are those of `Encoder.shift`."""
        hidden = torch.relu(seen_rows(inputs, targets, mask) @ self.from_transition + self.bias)
        hidden = torch.relu(hidden @ self.between + self.between_bias)
        mean, raw = (hidden @ self.to_factor + self.factor_bias).chunk(2, dim=-1)
        precision = torch.nn.functional.softplus(raw) * mask[..., None]
        total = 1.0 + precision.sum(1)
        return Belief((precision * mean).sum(1) / total, 1.0 / total)

    def shift(self, inputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return what z adds to the first bias at the mean of the belief, (B, width1): see `Encoder`."""
        return self.believe(inputs, targets, mask).mean @ self.to_network


def initialise_gaussian_context(width: int, latent: int, theta: Theta, generator: torch.Generator) -> GaussianContext:
    """Draw an encoder with `width` hidden units, of a latent of `latent` numbers, for a network.

    Its influence starts near zero.
    """
    seen = len(theta[0]) + len(theta[-1])
    return GaussianContext(
        from_transition=draw_weights(seen, width, 1.0, generator),
        bias=torch.zeros(width),
        between=draw_weights(width, width, 2**0.5, generator),
        between_bias=torch.zeros(width),
        to_factor=draw_weights(width, 2 * latent, 1.0, generator),
        factor_bias=torch.zeros(2 * latent),
        to_network=draw_weights(latent, theta[0].shape[1], 0.1, generator),
    )
