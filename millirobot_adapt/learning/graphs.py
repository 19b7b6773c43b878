"""The computations that are exported to ONNX, with normalisation, features and integration inside."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from millirobot_adapt.learning.inner_step import adapted_parameters, inner_update
from millirobot_adapt.learning.kinematics import body_state, change_of_state, next_state
from millirobot_adapt.learning.network import Normalisation, Theta, forward


class StepGraph(nn.Module):
    """One control period: (theta..., states (K, 24), actions (K, 2)) to next states (K, 24)."""

    def __init__(self, normalisation: Normalisation, dt: float):
        super().__init__()
        self.normalisation = normalisation
        self.dt = dt

    def forward(self, *arguments: Tensor) -> Tensor:
        """Predict."""
        *theta, states, actions = arguments
        return predict(theta, self.normalisation, states, actions, self.dt)


class AdaptGraph(nn.Module):
    """The inner update, from SI.

    (theta..., states (T1, 24), actions (T1, 2), next states (T1, 24), mask (T1,)) to (theta'..., loss before, loss
    after, gradient norm, fraction of the step taken).
    """

    def __init__(self, normalisation: Normalisation, psi: Sequence[Tensor]):
        super().__init__()
        self.normalisation = normalisation
        self.psi = list(psi)

    def forward(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """Adapt."""
        *theta, states, actions, next_states, mask = arguments
        inputs = self.normalisation.features(body_state(states), actions)
        targets = self.normalisation.targets(change_of_state(states, next_states))
        update = inner_update(theta, self.psi, inputs[None], targets[None], mask[None])
        report = (update.loss_before[0], update.loss_after[0], update.gradient_norm[0], update.fraction[0])
        return (*adapted_parameters(theta, update), *report)


def predict(theta: Theta, normalisation: Normalisation, states: Tensor, actions: Tensor, dt: float) -> Tensor:
    """Predict the states (..., 24) one control period `dt` [s] after `states` under the setpoints (..., 2)."""
    outputs = forward(theta, normalisation.features(body_state(states), actions))
    return next_state(states, normalisation.change(outputs), dt)
