"""RLS: a linear model fitted to the run so far by discounted least squares (core/dynamics/rls.py has the equations).

A network without hidden layers, on the same features: what of adaptation needs no deep model at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.graphs import features_graph
from millirobot_adapt.learning.loss import Losses, losses
from millirobot_adapt.learning.methods.training_interface import BundleParts
from millirobot_adapt.learning.network import Normalisation
from millirobot_adapt.learning.rollout_graph import rollout_graphs
from millirobot_adapt.learning.segments import DataSet, Segments

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class RecursiveLeastSquaresLearner:
    """The prior, fitted to the training data in closed form, and how fast the past is discounted."""

    normalisation: Normalisation
    weights: Tensor
    """W*, shape (8, 8) in double precision: seven features and a 1, to eight targets."""
    information: Tensor
    """R = E[x x^T] over the training data, shape (8, 8)."""
    discount: float
    """lambda: how much a transition counts after one more."""
    prior_weight: float
    """m: how many transitions the prior counts for."""
    disturbed: ClassVar[bool] = False
    meta_trained: ClassVar[bool] = False

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> RecursiveLeastSquaresLearner:
        """Fit the prior; the ridge only keeps features that never vary from making the fit singular."""
        first = data.training.divide(1)[0]
        x, y = _rows(data.normalisation, first)
        x, y = x[:, 0], y[:, 0]
        information = x.T @ x / len(x) + config.rls.ridge * torch.eye(x.shape[-1], dtype=x.dtype)
        weights = torch.linalg.solve(information, x.T @ y / len(x))
        return cls(data.normalisation, weights, information, config.rls.discounts[0], config.rls.prior_weights[0])

    @classmethod
    def restore(cls, normalisation: Normalisation, arrays: Mapping[str, Tensor]) -> RecursiveLeastSquaresLearner:
        """Take prior and settings from a run folder."""
        settings = (arrays[name].item() for name in ('discount', 'prior_weight'))
        return cls(normalisation, arrays['weights'], arrays['information'], *settings)

    def arrays(self) -> dict[str, Tensor]:
        """Return prior and settings."""
        return {
            'weights': self.weights,
            'information': self.information,
            'discount': torch.tensor(self.discount, dtype=torch.float64),
            'prior_weight': torch.tensor(self.prior_weight, dtype=torch.float64),
        }

    def trained(self) -> list[Tensor]:
        """Leave nothing to gradient descent."""
        return []

    def grid(self, config: TrainConfig) -> list[dict[str, Any]]:
        """Try each discount with each weight of the prior."""
        pairs = product(config.rls.discounts, config.rls.prior_weights)
        return [{'discount': discount, 'prior_weight': weight} for discount, weight in pairs]

    def score(self, past: Segments, future: Segments, *, adapted: bool = True, mask: Tensor | None = None) -> Losses:
        """Score the fit to the past."""
        weights = self.fitted(past) if adapted else self.weights.expand(len(past), -1, -1)
        theta = [weights[:, :-1].float(), weights[:, -1:].float()]
        return losses(theta, self.normalisation, future)

    @torch.no_grad()
    def fitted(self, past: Segments) -> Tensor:
        """Return W (B, 8, 8) after each task's past, in one batch instead of by recursion."""
        x, y = _rows(self.normalisation, past)
        ages = torch.arange(x.shape[1] - 1, -1, -1, dtype=x.dtype)
        weighted = (x * (self.discount**ages)[:, None]).transpose(1, 2)
        kept = self.prior_weight * self.information
        return torch.linalg.solve(weighted @ x + kept, weighted @ y + kept @ self.weights)

    def parts(self, window: int, robot: RobotConfig) -> BundleParts:
        """Ship the prior as a network of one layer, what it sees, and the settings of the fit."""
        adaptation = {
            'discount': self.discount,
            'prior_weight': self.prior_weight,
            'information': [[float(value) for value in row] for row in self.information],
        }
        graphs = {
            **rollout_graphs(1, self.normalisation, robot),
            'features.onnx': features_graph(self.normalisation, window, robot.layout),
        }
        return BundleParts({'w0': self.weights[:-1], 'b0': self.weights[-1]}, graphs, adaptation)


def _rows(normalisation: Normalisation, past: Segments) -> tuple[Tensor, Tensor]:
    """Return features with a 1 at their end (B, N, 8) and targets (B, N, 8), in double precision."""
    features = normalisation.features(past.body[:, :-1], past.actions).double()
    x = torch.cat([features, torch.ones_like(features[..., :1])], dim=-1)
    return x, normalisation.targets(past.change).double()
