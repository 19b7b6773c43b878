"""What methods share that meta-learn an encoder of the window and a network that sees its context.

Meta-training is grbal's: the same disturbed segments and the same loss on what follows the window; only the way from
the window to the model differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import Self

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.context import Encoder, read_windows, shifted
from millirobot_adapt.learning.graphs import context_graph
from millirobot_adapt.learning.loss import Losses, losses
from millirobot_adapt.learning.methods.mb import draw_network
from millirobot_adapt.learning.methods.training_interface import BundleParts
from millirobot_adapt.learning.network import Normalisation, Theta, numbered, theta_names
from millirobot_adapt.learning.rollout_graph import rollout_graphs
from millirobot_adapt.learning.segments import DataSet, Segments
from millirobot_adapt.learning.short_windows import short_windows

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig

SHORT_PART = 0.3
"""Part of a training batch whose windows are short, where the parameters of training ask for none."""


@dataclass
class ContextLearner:
    """A network's parameters theta, and the encoder whose context it sees."""

    normalisation: Normalisation
    theta: list[Tensor]
    encoder: Encoder
    disturbed: ClassVar[bool] = True
    meta_trained: ClassVar[bool] = True
    kind: ClassVar[type[Encoder]]
    """The class of the encoder."""
    prefix: ClassVar[str] = 'encoder'
    """What a run folder calls the encoder's arrays."""

    @classmethod
    def draw_encoder(cls, config: TrainConfig, theta: Theta, generator: torch.Generator) -> Encoder:
        """Draw the encoder that training begins with."""
        raise NotImplementedError

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> Self:
        """Draw network and encoder."""
        theta = draw_network(data.normalisation, config.hidden, generator)
        encoder = cls.draw_encoder(config, theta, generator)
        for tensor in encoder.tensors():
            tensor.requires_grad_()
        return cls(data.normalisation, theta, encoder)

    @classmethod
    def restore(cls, normalisation: Normalisation, arrays: Mapping[str, Tensor]) -> Self:
        """Take network and encoder from a run folder."""
        return cls(normalisation, numbered(arrays, 'theta'), cls.kind.of(numbered(arrays, cls.prefix)))

    def arrays(self) -> dict[str, Tensor]:
        """Return network and encoder."""
        kinds = {'theta': self.theta, self.prefix: self.encoder.tensors()}
        return {f'{kind}{index}': tensor for kind, tensors in kinds.items() for index, tensor in enumerate(tensors)}

    def trained(self) -> list[Tensor]:
        """Train network and encoder together."""
        return [*self.theta, *self.encoder.tensors()]

    def grid(self, config: TrainConfig) -> list[dict[str, Any]]:
        """Leave nothing to choose: training finds it all."""
        return []

    def score(self, past: Segments, future: Segments, *, adapted: bool = True, mask: Tensor | None = None) -> Losses:
        """Score the network under the context of the past; gradients flow through the whole window."""
        if not adapted:
            return losses(self.theta, self.normalisation, future)
        inputs = self.normalisation.features(past.body[:, :-1], past.actions)
        targets = self.normalisation.targets(past.change)
        if torch.is_grad_enabled():  # training: no context is refused, or the encoder would not learn to do better
            mask = short_windows(len(inputs), inputs.shape[1], SHORT_PART) if mask is None else mask
            return self.training_score(inputs, targets, mask, future)
        mask = torch.ones(inputs.shape[:2]) if mask is None else mask
        return self.score_under(self.read(inputs, targets, mask), inputs, targets, mask, future)

    def read(self, inputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the shifts (B, width1) by the contexts of windows, as planning takes them: zero where refused."""
        return read_windows(self.theta, self.encoder, inputs, targets, mask).shift

    def training_score(self, inputs: Tensor, targets: Tensor, mask: Tensor, future: Segments) -> Losses:
        """Score the network under the contexts of windows, given as for `Encoder.shift`, in training."""
        return self.score_under(self.encoder.shift(inputs, targets, mask), inputs, targets, mask, future)

    def score_under(self, shift: Tensor, inputs: Tensor, targets: Tensor, mask: Tensor, future: Segments) -> Losses:
        """Score the network whose first bias contexts have shifted, (B, width1); windows are as for `Encoder.shift`."""
        return losses(shifted(self.theta, shift), self.normalisation, future)

    def parts(self, window: int, robot: RobotConfig) -> BundleParts:
        """Ship the network, its rollouts and, in a graph of its own, the encoder."""
        theta = dict(zip(theta_names(self.theta), self.theta, strict=True))
        graphs = rollout_graphs(len(self.theta) // 2, self.normalisation, robot)
        context = context_graph(self.theta, self.normalisation, self.encoder, window, robot.layout)
        return BundleParts(theta, {**graphs, 'context.onnx': context})
