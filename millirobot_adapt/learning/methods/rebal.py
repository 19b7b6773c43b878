"""ReBAL: meta-learn a recurrent unit that reads the last T1 transitions, and a network that sees what it made of them.

ReBAL (arXiv 1803.11347, section 4.2), see learning/recurrence.py. Meta-training is grbal's: the same disturbed segments
and the same loss on what follows the window; only the way from the window to the model differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.graphs import context_graph
from millirobot_adapt.learning.loss import Losses, losses
from millirobot_adapt.learning.methods.mb import draw_network
from millirobot_adapt.learning.methods.training_interface import BundleParts
from millirobot_adapt.learning.network import Normalisation, numbered, theta_names
from millirobot_adapt.learning.recurrence import Recurrence, initialise_recurrence, read_windows, shifted, warm_up
from millirobot_adapt.learning.rollout_graph import rollout_graphs
from millirobot_adapt.learning.segments import DataSet, Segments
from millirobot_adapt.learning.short_windows import short_windows

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig

SHORT_PART = 0.3
"""Part of a training batch whose windows are short, where the parameters of training ask for none."""


@dataclass
class RebalLearner:
    """A network's parameters theta, and those of the recurrent unit whose context it sees."""

    normalisation: Normalisation
    theta: list[Tensor]
    recurrence: Recurrence
    disturbed: ClassVar[bool] = True
    meta_trained: ClassVar[bool] = True

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> RebalLearner:
        """Draw network and unit."""
        theta = draw_network(data.normalisation, config.hidden, generator)
        recurrence = initialise_recurrence(config.context, theta, generator)
        for tensor in recurrence.tensors():
            tensor.requires_grad_()
        return cls(data.normalisation, theta, recurrence)

    @classmethod
    def restore(cls, normalisation: Normalisation, arrays: Mapping[str, Tensor]) -> RebalLearner:
        """Take network and unit from a run folder."""
        return cls(normalisation, numbered(arrays, 'theta'), Recurrence(*numbered(arrays, 'recurrence')))

    def arrays(self) -> dict[str, Tensor]:
        """Return network and unit."""
        kinds = {'theta': self.theta, 'recurrence': self.recurrence.tensors()}
        return {f'{kind}{index}': tensor for kind, tensors in kinds.items() for index, tensor in enumerate(tensors)}

    def trained(self) -> list[Tensor]:
        """Train network and unit together."""
        return [*self.theta, *self.recurrence.tensors()]

    def grid(self, config: TrainConfig) -> list[dict[str, Any]]:
        """Leave nothing to choose: training finds it all."""
        return []

    def score(self, past: Segments, future: Segments, *, adapted: bool = True, mask: Tensor | None = None) -> Losses:
        """Score the network under the context of the past; gradients flow through the whole window."""
        if not adapted:
            return losses(self.theta, self.normalisation, future)
        inputs = self.normalisation.features(past.body[:, :-1], past.actions)
        targets = self.normalisation.targets(past.change)
        if torch.is_grad_enabled():  # training: no context is refused, or the unit would not learn to do better
            mask = short_windows(len(inputs), inputs.shape[1], SHORT_PART) if mask is None else mask
            shift = warm_up(self.recurrence, inputs, targets, mask) @ self.recurrence.to_network
        else:
            mask = torch.ones(inputs.shape[:2]) if mask is None else mask
            shift = read_windows(self.theta, self.recurrence, inputs, targets, mask).shift
        return losses(shifted(self.theta, shift), self.normalisation, future)

    def parts(self, window: int, robot: RobotConfig) -> BundleParts:
        """Ship the network, its rollouts and, in a graph of its own, the unit."""
        theta = dict(zip(theta_names(self.theta), self.theta, strict=True))
        graphs = rollout_graphs(len(self.theta) // 2, self.normalisation, robot)
        context = context_graph(self.theta, self.normalisation, self.recurrence, window, robot.layout)
        return BundleParts(theta, {**graphs, 'context.onnx': context})
