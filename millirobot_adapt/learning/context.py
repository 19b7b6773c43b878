"""Read a window into a context that the network sees: what rebal and its siblings share, whatever reads the window.

The context stays as it is during the imagined rollout. To the network a constant context is one more input that never
changes, so all it does is to shift the bias of the first layer: rollouts cost what those of the other methods do, and a
context of zero (nothing seen yet) is theta* itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from millirobot_adapt.learning.network import INPUT_CLIP, Theta, forward, masked_loss

Self = TypeVar('Self', bound='Encoder')


class Encoder(Protocol):
    """What reads windows of T1 transitions: a recurrent unit, attention, a product of Gaussians."""

    @classmethod
    def of(cls: type[Self], tensors: Sequence[Tensor]) -> Self:
        """Make it of what `tensors` gave."""

    def tensors(self) -> list[Tensor]:
        """Return all parameters, in a fixed order."""

    def shift(self, inputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return what the contexts of B windows add to the bias of the network's first layer, (B, width1).

        Args:
            inputs: Normalised features, (B, T1, features), oldest first.
            targets: Normalised targets, (B, T1, targets).
            mask: 1 where a row is there, else 0, (B, T1). What missing rows hold does not matter, and an empty window
                shifts nothing.
        """


@dataclass(frozen=True)
class Reading:
    """What an encoder made of B windows."""

    shift: Tensor
    """What the context adds to the bias of the first layer, (B, width1); zero where the context was refused."""
    loss_before: Tensor
    """Mean squared normalised error over the window with theta*, (B,)."""
    loss_after: Tensor
    """The same with what was taken, (B,)."""
    taken: Tensor
    """1 where the context was taken, 0 where it was refused, (B,)."""


def read_windows(theta: Theta, encoder: Encoder, inputs: Tensor, targets: Tensor, mask: Tensor) -> Reading:
    """Adapt the network to windows, given as for `Encoder.shift`.

    A context that does not explain its own window better than none is refused, and so is one that is not finite: what
    the encoder makes of a robot far from its training data is anyone's guess.
    """
    shift = encoder.shift(inputs, targets, mask)
    before = masked_loss(forward(theta, inputs), targets, mask)
    after = masked_loss(forward(shifted(theta, shift), inputs), targets, mask)
    taken = after < before
    shift = torch.where(taken[:, None], shift, torch.zeros_like(shift))
    return Reading(shift, before, torch.where(taken, after, before), taken.to(before.dtype))


def shifted(theta: Theta, shift: Tensor) -> list[Tensor]:
    """Return the network under contexts: its first bias becomes (B, 1, width1), one for each task."""
    weight, bias, *others = theta
    return [weight, bias + shift[:, None], *others]


def seen_rows(inputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return what an encoder sees of each transition, (B, T1, features + targets); missing rows are zero."""
    seen = torch.cat([inputs, targets.clamp(-INPUT_CLIP, INPUT_CLIP)], dim=-1)
    return torch.where(mask[..., None] > 0, seen, torch.zeros_like(seen))


def draw_weights(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> Tensor:
    """Draw weights (inputs, outputs) that keep the size of what passes, times a gain."""
    return torch.randn(inputs, outputs, generator=generator) * gain / inputs**0.5
