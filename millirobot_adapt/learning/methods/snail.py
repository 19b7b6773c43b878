"""SNAIL: meta-learn an encoder that attends to the last T1 transitions, and a network that sees what it made of them.

After SNAIL (arXiv 1707.03141), see learning/attention.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.attention import HEADS, Attention, initialise_attention
from millirobot_adapt.learning.context import Encoder
from millirobot_adapt.learning.methods.context_learner import ContextLearner
from millirobot_adapt.learning.network import Theta

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class SnailLearner(ContextLearner):
    """A network's parameters theta, and those of the attention whose context it sees."""

    kind: ClassVar[type[Encoder]] = Attention

    @classmethod
    def draw_encoder(cls, config: TrainConfig, theta: Theta, generator: torch.Generator) -> Attention:
        """Draw the attention.

        Raises:
            UserError: its width is no multiple of the number of heads.
        """
        if config.context % HEADS:
            raise UserError(f'context {config.context} is no multiple of {HEADS}, the heads of snail; set another one')
        return initialise_attention(config.context, config.window, theta, generator)
