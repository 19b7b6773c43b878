"""What the trainer, the run folder and the exporter know of a method: what is trained, how it is scored and shipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import torch
from torch import Tensor

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.loss import Losses
from millirobot_adapt.learning.network import Normalisation
from millirobot_adapt.learning.segments import DataSet, Segments

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass(frozen=True)
class BundleParts:
    """What a method puts into its bundle."""

    theta: Mapping[str, Tensor]
    """theta*, named as the graphs name it."""
    graphs: Mapping[str, bytes]
    """ONNX graphs by file name."""
    adaptation: Mapping[str, Any] = field(default_factory=dict)
    """Numbers that the runtime needs, or that tell how the model was tuned; for model.yaml."""


class Model(Protocol):
    """One method's model; a method is a class in this folder, named in `METHODS`."""

    normalisation: Normalisation
    disturbed: ClassVar[bool]
    """Whether segments are disturbed (learning/augment.py) in training, and half of them in validation."""
    meta_trained: ClassVar[bool]
    """Whether training looks at the loss after adaptation; else at that of the model as it is."""

    @classmethod
    def create(cls, config: TrainConfig, data: DataSet, generator: torch.Generator) -> Model:
        """Make the model that training begins with."""

    @classmethod
    def restore(cls, normalisation: Normalisation, arrays: Mapping[str, Tensor]) -> Model:
        """Make a trained model again of what `arrays` gave."""

    def arrays(self) -> dict[str, Tensor]:
        """Return all that a run folder must keep, by name."""

    def trained(self) -> list[Tensor]:
        """Return what gradient descent moves; empty for a method that is fitted otherwise."""

    def grid(self, config: TrainConfig) -> list[dict[str, Any]]:
        """Return the settings of which the best is chosen after training; empty where there is nothing to choose."""

    def score(self, past: Segments, future: Segments, *, adapted: bool = True, mask: Tensor | None = None) -> Losses:
        """Score predictions of `future` after adapting to `past`, which ends where `future` begins.

        With `adapted` false the model stays as it is.

        The past is T1 transitions long or longer: methods that carry what they learn along a run use all of it. `mask`,
        shape (B, T1), is 0 where the window of a task misses a row; None: nothing is missing. Methods that are not
        meta-trained leave it alone.
        """

    def parts(self, window: int, robot: RobotConfig) -> BundleParts:
        """Return what a bundle holds, for windows of T1 rows and the layout and control period of `robot`."""
