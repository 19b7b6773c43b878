"""What meta-training learns of an inner step besides the network: step sizes, and how much each transition counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from millirobot_adapt.learning.inner_step import InnerStep
from millirobot_adapt.learning.network import numbered

if TYPE_CHECKING:
    from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class StepSizes:
    """Logarithms of what is positive, so that gradient descent is free to move them."""

    log_psi: list[Tensor]
    """Of the step size of each tensor of theta."""
    guarded: bool = True
    """See `InnerStep`."""
    log_weights: Tensor | None = None
    """Of how much each transition of the window counts, oldest first, shape (T1,); None: all count alike."""

    @classmethod
    def create(cls, config: TrainConfig, count: int) -> StepSizes:
        """Begin with equal sizes for `count` tensors, and with equal weights."""
        start = torch.tensor(config.inner_rate).log()
        weights = torch.zeros(config.window).requires_grad_() if config.row_weights else None
        return cls([start.clone().requires_grad_() for _ in range(count)], config.guard, weights)

    @classmethod
    def restore(cls, arrays: Mapping[str, Tensor]) -> StepSizes:
        """Take them from a run folder; runs of earlier versions do not say whether the step is guarded: it is."""
        guarded = bool(arrays['guarded']) if 'guarded' in arrays else True
        return cls(numbered(arrays, 'log_psi'), guarded, arrays.get('log_weights'))

    @property
    def psi(self) -> list[Tensor]:
        """Step size of each tensor of theta."""
        return [value.exp() for value in self.log_psi]

    @property
    def weights(self) -> Tensor | None:
        """How much each transition counts, shape (T1,), with mean 1; None: all count alike."""
        return None if self.log_weights is None else torch.softmax(self.log_weights, dim=0) * len(self.log_weights)

    @property
    def step(self) -> InnerStep:
        """The inner step as it is now; gradients flow to what is learned."""
        return InnerStep(self.psi, self.guarded, self.weights)

    def arrays(self) -> dict[str, Tensor]:
        """Return all that a run folder must keep, by name."""
        arrays = {f'log_psi{index}': tensor for index, tensor in enumerate(self.log_psi)}
        arrays['guarded'] = torch.tensor(self.guarded)
        return arrays if self.log_weights is None else {**arrays, 'log_weights': self.log_weights}

    def trained(self) -> list[Tensor]:
        """Return what gradient descent moves."""
        return self.log_psi if self.log_weights is None else [*self.log_psi, self.log_weights]

    def record(self, names: Sequence[str]) -> dict[str, Any]:
        """Return psi of each tensor of theta, by name, and the weights of the transitions, for model.yaml."""
        psi = {name: float(f'{float(value):.4g}') for name, value in zip(names, self.psi, strict=True)}
        weights = self.weights
        rows = {} if weights is None else {'row_weights': [float(f'{float(value):.4g}') for value in weights]}
        return {'psi': psi, **rows}
