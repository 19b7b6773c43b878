"""ReBAL's learner: a gated recurrent unit (GRU) reads the window; its last state is a context that the network sees.

The update rule is the recurrence itself (ReBAL, arXiv 1803.11347, section 4.2): the unit sees one transition at a time,
what the network saw and what then changed. A unit that goes on reading its own predictions in the imagined rollout
gained little open loop, and asks for a pass of the unit at every step of every candidate (learning/context.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from millirobot_adapt.learning.context import draw_weights
from millirobot_adapt.learning.network import INPUT_CLIP, Theta


@dataclass(frozen=True)
class Recurrence:
    """Parameters of a recurrent unit of C numbers; gates stand in the order reset, update, candidate."""

    from_transition: Tensor
    """Weights from features and targets to the gates, (15, 3 C)."""
    from_context: Tensor
    """Weights from the context to the gates, (C, 3 C)."""
    bias: Tensor
    """Bias of the gates, (3 C,)."""
    to_network: Tensor
    """Weights from the context to the network's first layer, (C, width1)."""

    @classmethod
    def of(cls, tensors: Sequence[Tensor]) -> Recurrence:
        """Make a unit of its parameters, in the order of the fields."""
        return cls(*tensors)

    def tensors(self) -> list[Tensor]:
        """Return all parameters, in the order of the fields."""
        return [self.from_transition, self.from_context, self.bias, self.to_network]

    def shift(self, inputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return what the contexts add to the first bias, (B, width1); the arguments are those of `warm_up`."""
        return warm_up(self, inputs, targets, mask) @ self.to_network


def initialise_recurrence(units: int, theta: Theta, generator: torch.Generator) -> Recurrence:
    """Draw a recurrent unit for a network; its influence starts near zero."""
    seen, width = len(theta[0]) + len(theta[-1]), theta[0].shape[1]
    return Recurrence(
        from_transition=draw_weights(seen, 3 * units, 1.0, generator),
        from_context=draw_weights(units, 3 * units, 1.0, generator),
        bias=torch.zeros(3 * units),
        to_network=draw_weights(units, width, 0.1, generator),
    )


def warm_up(recurrence: Recurrence, inputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Read windows of T1 transitions, oldest first, from a context of zero; return the contexts (B, C).

    `inputs` (B, T1, 7) and `targets` (B, T1, 8) are normalised; rows with mask (B, T1) 0 leave the context as it is.
    The unit is that of Cho et al. 2014 (arXiv 1406.1078), with the reset gate behind the product as libraries have it.
    """
    seen = torch.cat([inputs, targets.clamp(-INPUT_CLIP, INPUT_CLIP)], dim=-1)
    driven = seen @ recurrence.from_transition + recurrence.bias
    units = len(recurrence.from_context)
    context = torch.zeros_like(driven[:, 0, :units])
    for row, there in zip(driven.unbind(1), (mask > 0).unbind(1), strict=True):
        own = context @ recurrence.from_context
        reset, update = torch.sigmoid((row + own)[:, : 2 * units]).split(units, dim=-1)
        candidate = torch.tanh(row[:, 2 * units :] + reset * own[:, 2 * units :])
        context = torch.where(there[:, None], candidate + update * (context - candidate), context)
    return context
