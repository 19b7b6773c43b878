"""ReBAL: meta-learn a recurrent unit that reads the last T1 transitions, and a network that sees what it made of them.

ReBAL (arXiv 1803.11347, section 4.2), see learning/recurrence.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from millirobot_adapt.learning.context import Encoder
from millirobot_adapt.learning.methods.context_learner import ContextLearner
from millirobot_adapt.learning.network import Theta
from millirobot_adapt.learning.recurrence import Recurrence, initialise_recurrence

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class RebalLearner(ContextLearner):
    """A network's parameters theta, and those of the recurrent unit whose context it sees."""

    kind: ClassVar[type[Encoder]] = Recurrence
    prefix: ClassVar[str] = 'recurrence'

    @classmethod
    def draw_encoder(cls, config: TrainConfig, theta: Theta, generator: torch.Generator) -> Recurrence:
        """Draw the recurrent unit."""
        return initialise_recurrence(config.context, theta, generator)
