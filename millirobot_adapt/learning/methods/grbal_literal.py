"""GrBAL to the letter of Algorithm 9 of Clavera's thesis (UCB/EECS-2020-234).

One inner step, second order, learned step sizes. What grbal adds is missing: segments are as they were recorded, inputs
are not clipped, and the step is taken whole, whatever it does to the window's loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import torch

from millirobot_adapt.learning.methods.grbal import GrbalLearner
from millirobot_adapt.learning.segments import DataSet

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class GrbalLiteralLearner(GrbalLearner):
    """A network's parameters theta, and the logarithm of the inner step size of each of its tensors."""

    disturbed: ClassVar[bool] = False
    guarded: ClassVar[bool] = False

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> GrbalLearner:
        """Draw the network; its inputs are not clipped."""
        drawn = super().create(config, data, generator)
        return replace(drawn, normalisation=replace(data.normalisation, clip=math.inf))
