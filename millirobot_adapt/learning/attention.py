"""SNAIL's learner: causal attention over the window, read out where the newest transition stands.

After SNAIL (arXiv 1707.03141): an encoder attends from the current input to what came before it. Here the current input
is the newest transition, whose outcome is the state that the robot is in. Its blocks are those of a transformer (arXiv
1706.03762) instead of SNAIL's dilated convolutions, and the age of a row is given by a learned vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from millirobot_adapt.learning.context import draw_weights, seen_rows
from millirobot_adapt.learning.network import Theta

BLOCKS, HEADS = 2, 4
_ABSENT = -1e4
"""Logit of a row that may not be attended to: its weight underflows to zero in single precision."""


@dataclass(frozen=True)
class AttentionBlock:
    """Parameters of one block of width C: attention over earlier rows, then a layer for each row; both are added."""

    projections: Tensor
    """Weights to queries, keys and values, (C, 3 C)."""
    attended: Tensor
    """Weights from what was attended to, (C, C)."""
    up: Tensor
    """Weights of the layer for each row, (C, 2 C)."""
    bias: Tensor
    """Its bias, (2 C,)."""
    down: Tensor
    """Weights back, (2 C, C)."""

    def tensors(self) -> list[Tensor]:
        """Return all parameters, in the order of the fields."""
        return [self.projections, self.attended, self.up, self.bias, self.down]

    def apply(self, rows: Tensor, visible: Tensor) -> Tensor:
        """Return new rows (B, T1, C); row i attends to rows j where `visible` (B, T1, T1) holds at [i, j]."""
        count, length, width = rows.shape
        parts = (rows @ self.projections).reshape(count, length, 3, HEADS, width // HEADS)
        queries, keys, values = (part.transpose(1, 2) for part in parts.unbind(2))
        logits = queries @ keys.transpose(2, 3) * (HEADS / width) ** 0.5
        logits = torch.where(visible[:, None], logits, torch.full_like(logits, _ABSENT))
        mixed = (torch.softmax(logits, dim=-1) @ values).transpose(1, 2).reshape(count, length, width)
        rows = rows + mixed @ self.attended
        return rows + torch.relu(rows @ self.up + self.bias) @ self.down


@dataclass(frozen=True)
class Attention:
    """Parameters of an encoder of width C."""

    from_transition: Tensor
    """Weights from features and targets to rows, (features + targets, C)."""
    age: Tensor
    """What is added to each row of the window, oldest first, (T1, C)."""
    to_network: Tensor
    """Weights from the newest row to the network's first layer, (C, width1)."""
    blocks: tuple[AttentionBlock, ...]

    @classmethod
    def of(cls, tensors: Sequence[Tensor]) -> Attention:
        """Make an encoder of its parameters: the three of its own, then those of each block."""
        from_transition, age, to_network, *others = tensors
        size = len(others) // BLOCKS
        blocks = tuple(AttentionBlock(*others[start : start + size]) for start in range(0, len(others), size))
        return cls(from_transition, age, to_network, blocks)

    def tensors(self) -> list[Tensor]:
        """Return all parameters: the three of its own, then those of each block."""
        blocks = [tensor for block in self.blocks for tensor in block.tensors()]
        return [self.from_transition, self.age, self.to_network, *blocks]

    def shift(self, inputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return what the contexts add to the first bias, (B, width1): see `Encoder`.

        Of longer pasts than T1 the newest T1 transitions count.
        """
        length = min(len(self.age), inputs.shape[1])
        inputs, targets, mask = inputs[:, -length:], targets[:, -length:], mask[:, -length:]
        rows = seen_rows(inputs, targets, mask) @ self.from_transition + self.age[-length:]
        earlier = torch.tensor(np.tri(length, dtype=bool))
        visible = earlier & (mask > 0)[:, None]
        for block in self.blocks:
            rows = block.apply(rows, visible)
        return rows[:, -1] @ self.to_network * (mask.sum(1, keepdim=True) > 0)


def initialise_attention(units: int, window: int, theta: Theta, generator: torch.Generator) -> Attention:
    """Draw an encoder of width `units`, a multiple of 4, for a network and windows of T1 rows.

    Its influence starts near zero.
    """
    seen, width = len(theta[0]) + len(theta[-1]), theta[0].shape[1]
    blocks = tuple(
        AttentionBlock(
            projections=draw_weights(units, 3 * units, 1.0, generator),
            attended=draw_weights(units, units, 0.3, generator),
            up=draw_weights(units, 2 * units, 1.0, generator),
            bias=torch.zeros(2 * units),
            down=draw_weights(2 * units, units, 0.3, generator),
        )
        for _ in range(BLOCKS)
    )
    return Attention(
        from_transition=draw_weights(seen, units, 1.0, generator),
        age=0.3 * torch.randn(window, units, generator=generator),
        to_network=draw_weights(units, width, 0.1, generator),
        blocks=blocks,
    )
