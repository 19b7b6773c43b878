"""MB+DE: MB's network, which at run time follows the robot by one plain gradient step a tick and never goes back.

Training is MB's: the same data and seed give the same network. What is left to choose is the rate of the steps, and
whether a guard shortens those that would not help; both are chosen on the validation part, where the weights are
carried along whole stretches as they are on the robot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.graphs import adapt_graph
from millirobot_adapt.learning.inner_step import InnerStep, inner_update
from millirobot_adapt.learning.loss import Losses, losses
from millirobot_adapt.learning.methods.mb import draw_network
from millirobot_adapt.learning.methods.training_interface import BundleParts
from millirobot_adapt.learning.network import LayerStep, Normalisation, layers, numbered, theta_names
from millirobot_adapt.learning.rollout_graph import rollout_graphs
from millirobot_adapt.learning.segments import DataSet, Segments

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class DynamicEvaluationLearner:
    """A network's parameters theta, and how they move."""

    normalisation: Normalisation
    theta: list[Tensor]
    window: int
    """T1: how many of the last transitions a step looks at."""
    rate: float
    """Step size, the same for every tensor."""
    guarded: bool
    """Whether a step that does not lower the window's loss is shortened or left out."""
    disturbed: ClassVar[bool] = False
    meta_trained: ClassVar[bool] = False

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> DynamicEvaluationLearner:
        """Draw the network that MB would draw."""
        theta = draw_network(data.normalisation, config.hidden, generator)
        return cls(data.normalisation, theta, config.window, config.mb_de.rates[0], guarded=False)

    @classmethod
    def restore(cls, normalisation: Normalisation, arrays: Mapping[str, Tensor]) -> DynamicEvaluationLearner:
        """Take network and settings from a run folder."""
        window, rate, guarded = (arrays[name].item() for name in ('window', 'rate', 'guarded'))
        return cls(normalisation, numbered(arrays, 'theta'), window, rate, guarded)

    def arrays(self) -> dict[str, Tensor]:
        """Return network and settings."""
        theta = {f'theta{index}': tensor for index, tensor in enumerate(self.theta)}
        settings = {
            'window': torch.tensor(self.window),
            'rate': torch.tensor(self.rate, dtype=torch.float64),
            'guarded': torch.tensor(self.guarded),
        }
        return theta | settings

    def trained(self) -> list[Tensor]:
        """Train all of the network."""
        return self.theta

    def grid(self, config: TrainConfig) -> list[dict[str, Any]]:
        """Try each rate with and without the guard."""
        return [{'rate': rate, 'guarded': guarded} for guarded, rate in product((False, True), config.mb_de.rates)]

    def score(self, past: Segments, future: Segments, *, adapted: bool = True, mask: Tensor | None = None) -> Losses:
        """Score the weights carried along the past, one step for each of its transitions."""
        return losses(self.carried(past) if adapted else self.theta, self.normalisation, future)

    @torch.no_grad()
    def carried(self, past: Segments) -> list[Tensor]:
        """Return the parameters of B tasks after their pasts: weights (B, inputs, outputs), biases (B, 1, outputs).

        The first windows of a run are short; their missing rows are masked, as on the robot.
        """
        count, length = past.actions.shape[:2]
        missing = self.window - 1
        inputs = _late(self.normalisation.features(past.body[:, :-1], past.actions), missing)
        targets = _late(self.normalisation.targets(past.change), missing)
        mask = _late(torch.ones(count, length), missing)
        theta = [part.expand(count, *part.shape) for part in (_row(tensor) for tensor in self.theta)]
        psi = [torch.tensor(self.rate)] * len(theta)
        for tick in range(length):
            rows = slice(tick, tick + self.window)
            update = inner_update(theta, psi, inputs[:, rows], targets[:, rows], mask[:, rows], guarded=self.guarded)
            theta = _moved(theta, update.step)
        return theta

    def parts(self, window: int, robot: RobotConfig) -> BundleParts:
        """Ship MB's network, its rollouts and the step."""
        theta = dict(zip(theta_names(self.theta), self.theta, strict=True))
        rates = [torch.tensor(self.rate)] * len(self.theta)
        step = adapt_graph(self.theta, self.normalisation, InnerStep(rates, self.guarded), window, robot.layout)
        graphs = rollout_graphs(len(self.theta) // 2, self.normalisation, robot)
        return BundleParts(theta, {**graphs, 'adapt.onnx': step}, {'rate': self.rate, 'guarded': self.guarded})


def _late(rows: Tensor, missing: int) -> Tensor:
    """Put empty rows before (B, N, ...)."""
    return torch.cat([torch.zeros_like(rows[:, :1]).expand(-1, missing, *rows.shape[2:]), rows], dim=1)


def _row(tensor: Tensor) -> Tensor:
    """Let a bias (outputs,) be a row (1, outputs), as those of many tasks are."""
    return tensor.detach() if tensor.dim() == 2 else tensor.detach()[None]


def _moved(theta: Sequence[Tensor], step: Sequence[LayerStep]) -> list[Tensor]:
    """Take the step of each task: W - H^T D, b - its own."""
    moved: list[Tensor] = []
    for (weight, bias), own in zip(layers(theta), step, strict=True):
        moved += [
            torch.baddbmm(weight, own.inputs.transpose(1, 2), own.weight_gradients, alpha=-1),
            bias - own.bias_step,
        ]
    return moved
