"""GrBAL: meta-learn a network from which one gradient step on the last T1 transitions leads to a good model.

Algorithm 9 of Clavera's thesis (UCB/EECS-2020-234) with three additions, without which a robot far from its training
data is made worse by its step: disturbed segments in training, clipped inputs, and a guard that shortens the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.graphs import adapt_graph
from millirobot_adapt.learning.loss import Losses, adapt, losses
from millirobot_adapt.learning.methods.mb import draw_network
from millirobot_adapt.learning.methods.step_sizes import StepSizes
from millirobot_adapt.learning.methods.training_interface import BundleParts
from millirobot_adapt.learning.network import Normalisation, numbered, theta_names
from millirobot_adapt.learning.rollout_graph import rollout_graphs
from millirobot_adapt.learning.segments import DataSet, Segments

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class GrbalLearner:
    """A network's parameters theta, and how the inner step moves them."""

    normalisation: Normalisation
    theta: list[Tensor]
    sizes: StepSizes
    disturbed: ClassVar[bool] = True
    meta_trained: ClassVar[bool] = True

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> GrbalLearner:
        """Draw the network; every step size starts alike."""
        theta = draw_network(data.normalisation, config.hidden, generator)
        return cls(data.normalisation, theta, StepSizes.create(config, len(theta)))

    @classmethod
    def restore(cls, normalisation: Normalisation, arrays: Mapping[str, Tensor]) -> GrbalLearner:
        """Take network and step sizes from a run folder."""
        return cls(normalisation, numbered(arrays, 'theta'), StepSizes.restore(arrays))

    @property
    def psi(self) -> list[Tensor]:
        """Inner step sizes, one for each tensor of theta."""
        return self.sizes.psi

    def arrays(self) -> dict[str, Tensor]:
        """Return network and step sizes."""
        return {f'theta{index}': tensor for index, tensor in enumerate(self.theta)} | self.sizes.arrays()

    def trained(self) -> list[Tensor]:
        """Train network and step sizes together."""
        return [*self.theta, *self.sizes.trained()]

    def grid(self, config: TrainConfig) -> list[dict[str, Any]]:
        """Leave nothing to choose: training finds it all."""
        return []

    def score(self, past: Segments, future: Segments, *, adapted: bool = True, mask: Tensor | None = None) -> Losses:
        """Score the network after one step on the past; gradients flow through the step (second order)."""
        step = adapt(self.theta, self.sizes.step, self.normalisation, past, mask).step if adapted else None
        return losses(self.theta, self.normalisation, future, step)

    def parts(self, window: int, robot: RobotConfig) -> BundleParts:
        """Ship the network, its rollouts and its step."""
        theta = dict(zip(theta_names(self.theta), self.theta, strict=True))
        step = adapt_graph(self.theta, self.normalisation, self.sizes.step, window, robot.layout)
        graphs = rollout_graphs(len(self.theta) // 2, self.normalisation, robot)
        return BundleParts(theta, {**graphs, 'adapt.onnx': step}, self.sizes.record(list(theta)))
