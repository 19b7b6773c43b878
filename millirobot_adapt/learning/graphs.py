"""The computations that are traced to ONNX, from and to SI states: adaptation, and both ends of the rollout."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from millirobot_adapt.learning.inner_step import adapted_parameters, inner_update
from millirobot_adapt.learning.kinematics import BODY_NAMES, body_state, change_of_state, integrate
from millirobot_adapt.learning.network import Normalisation


class AdaptGraph(nn.Module):
    """The inner update, from SI.

    (theta..., states (T1, 24), actions (T1, 2), next states (T1, 24), mask (T1,)) to (theta'..., loss before, loss
    after, gradient norm, fraction of the step taken).
    """

    def __init__(self, normalisation: Normalisation, psi: Sequence[Tensor], *, guarded: bool = True):
        super().__init__()
        self.normalisation = normalisation
        self.psi = list(psi)
        self.guarded = guarded

    def forward(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """Adapt."""
        *theta, states, actions, next_states, mask = arguments
        inputs = self.normalisation.features(body_state(states), actions)
        targets = self.normalisation.targets(change_of_state(states, next_states))
        update = inner_update(theta, self.psi, inputs[None], targets[None], mask[None], guarded=self.guarded)
        report = (update.loss_before[0], update.loss_after[0], update.gradient_norm[0], update.fraction[0])
        return (*adapted_parameters(theta, update), *report)


class FeaturesGraph(nn.Module):
    """What the network sees, and what it should have predicted, both normalised.

    (states (T1, 24), actions (T1, 2), next states (T1, 24)) to (features (T1, 7), targets (T1, 8)).
    """

    def __init__(self, normalisation: Normalisation):
        super().__init__()
        self.normalisation = normalisation

    def forward(self, states: Tensor, actions: Tensor, next_states: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise, features clipped."""
        features = self.normalisation.features(body_state(states), actions)
        return features, self.normalisation.targets(change_of_state(states, next_states))


class RolloutStart(nn.Module):
    """What the network sees at first: (state (1 or K, 24), actions (H, K, 2)) to both normalised, (K, 5), (H, K, 2)."""

    def __init__(self, normalisation: Normalisation):
        super().__init__()
        seen = len(BODY_NAMES)
        self.body_mean, self.action_mean = normalisation.feature_mean[:seen], normalisation.feature_mean[seen:]
        self.body_scale, self.action_scale = normalisation.feature_scale[:seen], normalisation.feature_scale[seen:]

    def forward(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise, without clipping."""
        body = (body_state(state) - self.body_mean) / self.body_scale
        return body + torch.zeros_like(actions[0, :, 0:1]), (actions - self.action_mean) / self.action_scale


class RolloutEnd(nn.Module):
    """Where the predictions lead.

    (state (1 or K, 24), normalised setpoints (H, K, 2), changes (H, K, 8) in `units`) to states (H + 1, K, 24).
    """

    def __init__(self, units: Tensor, dt: float):
        super().__init__()
        self.units = units
        self.dt = dt

    def forward(self, state: Tensor, setpoints: Tensor, changes: Tensor) -> Tensor:
        """Integrate."""
        # Clipping and integers make numbers even of setpoints that are none: times zero, those stay what they are.
        changes = changes * self.units + 0.0 * setpoints.sum(-1, keepdim=True)
        return integrate(state, changes, self.dt)
