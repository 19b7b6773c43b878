"""GrBAL under a context: meta-learn a recurrent unit, a network that sees its context, and a gradient step from there.

The unit reads the window as in rebal. Then the network that it leads to takes grbal's guarded step on the same window.
Meta-training goes through both: the unit learns what one step cannot reach, the step what the unit leaves over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from typing_extensions import Self

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.context import shifted
from millirobot_adapt.learning.graphs import context_adapt_graph
from millirobot_adapt.learning.loss import Losses, losses
from millirobot_adapt.learning.methods.rebal import RebalLearner
from millirobot_adapt.learning.methods.step_sizes import StepSizes
from millirobot_adapt.learning.methods.training_interface import BundleParts
from millirobot_adapt.learning.network import Normalisation, theta_names
from millirobot_adapt.learning.rollout_graph import rollout_graphs
from millirobot_adapt.learning.segments import DataSet, Segments

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class GrbalContextLearner(RebalLearner):
    """A network's parameters theta, the recurrent unit whose context it sees, and how the inner step moves theta."""

    sizes: StepSizes

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> Self:
        """Draw network and recurrent unit; every step size starts alike."""
        drawn = RebalLearner.create(config, data, generator)
        return cls(drawn.normalisation, drawn.theta, drawn.encoder, StepSizes.create(config, len(drawn.theta)))

    @classmethod
    def restore(cls, normalisation: Normalisation, arrays: Mapping[str, Tensor]) -> Self:
        """Take network, recurrent unit and step sizes from a run folder."""
        kept = RebalLearner.restore(normalisation, arrays)
        return cls(normalisation, kept.theta, kept.encoder, StepSizes.restore(arrays))

    @property
    def psi(self) -> list[Tensor]:
        """Inner step sizes, one for each tensor of theta."""
        return self.sizes.psi

    def arrays(self) -> dict[str, Tensor]:
        """Return network, recurrent unit and step sizes."""
        return super().arrays() | self.sizes.arrays()

    def trained(self) -> list[Tensor]:
        """Train network, recurrent unit and step sizes together."""
        return [*super().trained(), *self.sizes.trained()]

    def read(self, inputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the shifts; a transition counts for the context's guard as much as for the step's."""
        return super().read(inputs, targets, self.sizes.step.counted(mask))

    def score_under(self, shift: Tensor, inputs: Tensor, targets: Tensor, mask: Tensor, future: Segments) -> Losses:
        """Score the network under contexts after one step on the window; gradients flow through both (second order)."""
        network = shifted(self.theta, shift)
        update = self.sizes.step.update(network, inputs, targets, mask)
        return losses(network, self.normalisation, future, update.step)

    def parts(self, window: int, robot: RobotConfig) -> BundleParts:
        """Ship the network, its rollouts and, in one graph, the recurrent unit and the step."""
        theta = dict(zip(theta_names(self.theta), self.theta, strict=True))
        graphs = rollout_graphs(len(self.theta) // 2, self.normalisation, robot)
        adapt = context_adapt_graph(self.theta, self.normalisation, self.encoder, self.sizes.step, window, robot.layout)
        return BundleParts(theta, {**graphs, 'context_adapt.onnx': adapt}, self.sizes.record(list(theta)))
