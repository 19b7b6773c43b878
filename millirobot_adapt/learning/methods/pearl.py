"""PEARL: meta-learn beliefs about a latent z that each transition gives, and a network that sees z.

After PEARL (arXiv 1903.08254), see learning/gaussian_context.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from millirobot_adapt.learning.context import Encoder, shifted
from millirobot_adapt.learning.gaussian_context import GaussianContext, initialise_gaussian_context
from millirobot_adapt.learning.loss import Losses, losses
from millirobot_adapt.learning.methods.context_learner import ContextLearner
from millirobot_adapt.learning.network import Theta
from millirobot_adapt.learning.segments import Segments

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class PearlLearner(ContextLearner):
    """A network's parameters theta, and those of the encoder of the latent that it sees."""

    encoder: GaussianContext
    kind: ClassVar[type[Encoder]] = GaussianContext

    @classmethod
    def draw_encoder(cls, config: TrainConfig, theta: Theta, generator: torch.Generator) -> GaussianContext:
        """Draw the encoder: `context` hidden units, and an eighth as many numbers in z."""
        return initialise_gaussian_context(config.context, max(1, config.context // 8), theta, generator)

    def training_score(self, inputs: Tensor, targets: Tensor, mask: Tensor, future: Segments) -> Losses:
        """Score the network under a z drawn from each belief, and add the belief's divergence from the prior.

        Its weight makes the one-step error and it the negative evidence lower bound of the H transitions that follow,
        with errors of unit variance.
        """
        belief = self.encoder.believe(inputs, targets, mask)
        shift = belief.draw(standard_noise(*belief.mean.shape)) @ self.encoder.to_network
        found = losses(shifted(self.theta, shift), self.normalisation, future)
        weight = 2.0 / (future.actions.shape[1] * targets.shape[-1])
        return replace(found, penalty=weight * belief.divergence().mean())


def standard_noise(count: int, units: int) -> Tensor:
    """Return the same standard normal numbers (B, C) for every batch; who stands where in a batch is random anyway."""
    return torch.randn(count, units, generator=torch.Generator().manual_seed(0))
