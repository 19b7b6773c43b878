"""MB: one network for all conditions, trained by supervision and never adapted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.loss import Losses, losses
from millirobot_adapt.learning.methods.training_interface import BundleParts
from millirobot_adapt.learning.network import Normalisation, initialise, numbered, theta_names
from millirobot_adapt.learning.rollout_graph import rollout_graphs
from millirobot_adapt.learning.segments import DataSet, Segments

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class ModelBasedLearner:
    """A network's parameters theta."""

    normalisation: Normalisation
    theta: list[Tensor]
    disturbed: ClassVar[bool] = False
    meta_trained: ClassVar[bool] = False

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> ModelBasedLearner:
        """Draw the network."""
        return cls(data.normalisation, draw_network(data.normalisation, config.hidden, generator))

    @classmethod
    def restore(cls, normalisation: Normalisation, arrays: Mapping[str, Tensor]) -> ModelBasedLearner:
        """Take the network from a run folder."""
        return cls(normalisation, numbered(arrays, 'theta'))

    def arrays(self) -> dict[str, Tensor]:
        """Return the network."""
        return {f'theta{index}': tensor for index, tensor in enumerate(self.theta)}

    def trained(self) -> list[Tensor]:
        """Train all of the network."""
        return self.theta

    def grid(self, config: TrainConfig) -> list[dict[str, Any]]:
        """Leave nothing to choose: training finds it all."""
        return []

    def score(self, past: Segments, future: Segments, *, adapted: bool = True, mask: Tensor | None = None) -> Losses:
        """Score the network, which the past does not change."""
        return losses(self.theta, self.normalisation, future)

    def parts(self, window: int, robot: RobotConfig) -> BundleParts:
        """Ship the network and its rollouts."""
        theta = dict(zip(theta_names(self.theta), self.theta, strict=True))
        return BundleParts(theta, rollout_graphs(len(self.theta) // 2, self.normalisation, robot))


def draw_network(normalisation: Normalisation, hidden: tuple[int, ...], generator: torch.Generator) -> list[Tensor]:
    """Draw the parameters of a network from features to targets, ready to be trained."""
    sizes = (len(normalisation.feature_mean), *hidden, len(normalisation.target_mean))
    return [tensor.requires_grad_() for tensor in initialise(sizes, generator)]
