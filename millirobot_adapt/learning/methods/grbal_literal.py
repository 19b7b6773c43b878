"""GrBAL to the letter of Algorithm 9 of Clavera's thesis (UCB/EECS-2020-234).

One inner step, second order, learned step sizes. What grbal adds is missing: segments are as they were recorded, inputs
are not clipped, and the step is taken whole, whatever it does to the window's loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from millirobot_adapt.learning.methods.grbal import GrbalLearner
from millirobot_adapt.learning.network import Normalisation
from millirobot_adapt.learning.segments import DataSet

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class GrbalLiteralLearner(GrbalLearner):
    """A network's parameters theta, and how the inner step moves them."""

    disturbed: ClassVar[bool] = False

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> GrbalLearner:
        """Draw the network; its inputs are not clipped, its steps are whole."""
        drawn = super().create(replace(config, guard=False, row_weights=False), data, generator)
        return replace(drawn, normalisation=replace(data.normalisation, clip=math.inf))

    @classmethod
    def restore(cls, normalisation: Normalisation, arrays: Mapping[str, Tensor]) -> GrbalLearner:
        """Take network and step sizes from a run folder."""
        drawn = super().restore(normalisation, arrays)
        return replace(drawn, sizes=replace(drawn.sizes, guarded=False))
