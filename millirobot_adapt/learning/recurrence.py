"""ReBAL's learner: a gated recurrent unit (GRU) reads the window; its last state is a context that the network sees.

The update rule is the recurrence itself (ReBAL, arXiv 1803.11347, section 4.2): the unit sees one transition at a time,
what the network saw and what then changed. The context stays as it is during the imagined rollout: a unit that goes on
reading its own predictions gained little open loop, and asks for a pass of the unit at every step of every candidate.
To the network a constant context is one more input that never changes, so all it does is to shift the bias of the first
layer: rollouts cost what those of the other methods do, and a context of zero (nothing seen yet) is theta* itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from millirobot_adapt.learning.network import INPUT_CLIP, Theta, forward, masked_loss


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

    def tensors(self) -> list[Tensor]:
        """Return all parameters, in the order of the fields."""
        return [self.from_transition, self.from_context, self.bias, self.to_network]


@dataclass(frozen=True)
class Reading:
    """What the unit made of B windows."""

    shift: Tensor
    """What the context adds to the bias of the first layer, (B, width1); zero where the context was refused."""
    loss_before: Tensor
    """Mean squared normalised error over the window with theta*, (B,)."""
    loss_after: Tensor
    """The same with what was taken, (B,)."""
    taken: Tensor
    """1 where the context was taken, 0 where it was refused, (B,)."""


def initialise_recurrence(units: int, theta: Theta, generator: torch.Generator) -> Recurrence:
    """Draw a recurrent unit for a network; its influence starts near zero."""
    seen, width = len(theta[0]) + len(theta[-1]), theta[0].shape[1]

    def draw(inputs: int, outputs: int, gain: float) -> Tensor:
        return torch.randn(inputs, outputs, generator=generator) * gain / inputs**0.5

    return Recurrence(
        from_transition=draw(seen, 3 * units, 1.0),
        from_context=draw(units, 3 * units, 1.0),
        bias=torch.zeros(3 * units),
        to_network=draw(units, width, 0.1),
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


def read_windows(theta: Theta, recurrence: Recurrence, inputs: Tensor, targets: Tensor, mask: Tensor) -> Reading:
    """Adapt the network to windows, given as for `warm_up`.

    A context that does not explain its own window better than none is refused, and so is one that is not finite: what
    the unit makes of a robot far from its training data is anyone's guess.
    """
    shift = warm_up(recurrence, inputs, targets, mask) @ recurrence.to_network
    before = masked_loss(forward(theta, inputs), targets, mask)
    after = masked_loss(forward(shifted(theta, shift), inputs), targets, mask)
    taken = after < before
    shift = torch.where(taken[:, None], shift, torch.zeros_like(shift))
    return Reading(shift, before, torch.where(taken, after, before), taken.to(before.dtype))


def shifted(theta: Theta, shift: Tensor) -> list[Tensor]:
    """Return the network under contexts: its first bias becomes (B, 1, width1), one for each task."""
    weight, bias, *others = theta
    return [weight, bias + shift[:, None], *others]
