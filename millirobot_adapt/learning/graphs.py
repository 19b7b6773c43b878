"""Build the graphs that are traced to ONNX, from and to SI states: adaptation, context, features, rollout ends."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from millirobot_adapt.core.robot.layout import StateLayout
from millirobot_adapt.learning.context import Encoder, Reading, read_windows
from millirobot_adapt.learning.inner_step import InnerStep, adapted_parameters
from millirobot_adapt.learning.kinematics import body_state, change_of_state, integrate
from millirobot_adapt.learning.network import Normalisation, Theta, theta_names
from millirobot_adapt.learning.tracing import trace


class WindowGraph(nn.Module):
    """What graphs of a window share: they take it in SI units, and see it normalised."""

    def __init__(self, normalisation: Normalisation, layout: StateLayout):
        super().__init__()
        self.layout = layout
        self.normalisation = normalisation

    def see(self, states: Tensor, actions: Tensor, next_states: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (T1, features), clipped, and targets (T1, targets), both normalised."""
        features = self.normalisation.features(body_state(states, self.layout), actions)
        return features, self.normalisation.targets(change_of_state(states, next_states, self.layout))


class AdaptGraph(WindowGraph):
    """The inner update, from SI.

    (theta..., states (T1, nx), actions (T1, nu), next states (T1, nx), mask (T1,)) to (theta'..., loss before, loss
    after, gradient norm, fraction of the step taken).
    """

    def __init__(self, normalisation: Normalisation, step: InnerStep, layout: StateLayout):
        super().__init__(normalisation, layout)
        self.step = step

    def forward(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """Adapt."""
        *theta, states, actions, next_states, mask = arguments
        inputs, targets = self.see(states, actions, next_states)
        update = self.step.update(theta, inputs[None], targets[None], mask[None])
        report = (update.loss_before[0], update.loss_after[0], update.gradient_norm[0], update.fraction[0])
        return (*adapted_parameters(theta, update), *report)


class FeaturesGraph(WindowGraph):
    """What the network sees, and what it should have predicted, both normalised.

    (states (T1, nx), actions (T1, nu), next states (T1, nx)) to (features (T1, features), targets (T1, targets)).
    """

    def forward(self, states: Tensor, actions: Tensor, next_states: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise."""
        return self.see(states, actions, next_states)


class RolloutStart(nn.Module):
    """What the network sees at first: (state (1 or K, nx), actions (H, K, nu)) to both, normalised."""

    def __init__(self, normalisation: Normalisation, layout: StateLayout):
        super().__init__()
        self.layout = layout
        seen = len(layout.body_names)
        self.body_mean, self.action_mean = normalisation.feature_mean[:seen], normalisation.feature_mean[seen:]
        self.body_scale, self.action_scale = normalisation.feature_scale[:seen], normalisation.feature_scale[seen:]

    def forward(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise, without clipping."""
        body = (body_state(state, self.layout) - self.body_mean) / self.body_scale
        return body + torch.zeros_like(actions[0, :, 0:1]), (actions - self.action_mean) / self.action_scale


class RolloutEnd(nn.Module):
    """Where the predictions lead.

    (state (1 or K, nx), normalised setpoints (H, K, nu), changes (H, K, targets) in `units`) to states (H + 1, K, nx).
    """

    def __init__(self, units: Tensor, dt: float, layout: StateLayout):
        super().__init__()
        self.layout = layout
        self.units = units
        self.dt = dt

    def forward(self, state: Tensor, setpoints: Tensor, changes: Tensor) -> Tensor:
        """Integrate."""
        # Clipping and integers make numbers even of setpoints that are none: times zero, those stay what they are.
        changes = changes * self.units + 0.0 * setpoints.sum(-1, keepdim=True)
        return integrate(state, changes, self.dt, self.layout)


def adapt_graph(theta: Theta, normalisation: Normalisation, step: InnerStep, window: int, layout: StateLayout) -> bytes:
    """Build the graph of the update (learning/graphs.py: AdaptGraph); theta only lends its number of layers.

    Dimensions are named as in the rollout graphs; the window's length is T1.
    """
    dynamic = {name: {0: 'T1'} for name in (*_rows(layout), 'mask')}
    last = len(theta) // 2 - 1
    for layer in range(last + 1):
        dynamic[f'w{layer}'] = {axis: f'width{layer + axis}' for axis in (0, 1) if 0 < layer + axis <= last}
        dynamic[f'b{layer}'] = {0: f'width{layer + 1}'} if layer < last else {}
    model = trace(AdaptGraph(normalisation, step, layout), *_given(theta, window, layout), _adapted(theta), dynamic)
    return bytes(model.SerializeToString())


class ContextGraph(WindowGraph):
    """The encoder of a window, from SI.

    (theta..., states (T1, nx), actions (T1, nu), next states (T1, nx), mask (T1,)) to (b0' (width1,), loss before, loss
    after, 1 if the context was taken and 0 if it was refused).
    """

    def __init__(self, normalisation: Normalisation, encoder: Encoder, layout: StateLayout):
        super().__init__(normalisation, layout)
        self.encoder = type(encoder)
        # Registered, a tensor stands in the graph once; otherwise once for each row of the window.
        self.tensors = nn.ParameterList(encoder.tensors())

    def read(self, theta: Theta, inputs: Tensor, targets: Tensor, mask: Tensor) -> Reading:
        """Read one window, given as for `Encoder.shift` but without the number of windows."""
        return read_windows(theta, self.encoder.of(list(self.tensors)), inputs[None], targets[None], mask[None])

    def forward(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """Adapt."""
        *theta, states, actions, next_states, mask = arguments
        reading = self.read(theta, *self.see(states, actions, next_states), mask)
        return theta[1] + reading.shift[0], reading.loss_before[0], reading.loss_after[0], reading.taken[0]


def context_graph(
    theta: Theta, normalisation: Normalisation, encoder: Encoder, window: int, layout: StateLayout
) -> bytes:
    """Build the graph for windows of T1 rows; the parameters of the encoder are inside."""
    model = trace(
        ContextGraph(normalisation, encoder, layout), *_given(theta, window, layout),
        ['adapted_b0', 'loss_before', 'loss_after', 'step'], {},
    )  # fmt: skip
    return bytes(model.SerializeToString())


class ContextAdaptGraph(ContextGraph):
    """The encoder of a window, then the inner update of the network that it leads to on the same window, from SI.

    (theta..., states (T1, nx), actions (T1, nu), next states (T1, nx), mask (T1,)) to (theta'..., loss of theta*, loss
    of theta', gradient norm, fraction of the step taken). The gradient is that of the network under the context. Where
    the context is refused, the update begins at theta*; where the step is, theta' is the network under the context.
    """

    def __init__(self, normalisation: Normalisation, encoder: Encoder, step: InnerStep, layout: StateLayout):
        super().__init__(normalisation, encoder, layout)
        self.step = step

    def forward(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """Adapt."""
        *theta, states, actions, next_states, mask = arguments
        inputs, targets = self.see(states, actions, next_states)
        # Both guards count the rows alike, so that the losses of the report can be compared.
        reading = self.read(theta, inputs, targets, self.step.counted(mask))
        under = [theta[0], theta[1] + reading.shift[0], *theta[2:]]
        update = self.step.update(under, inputs[None], targets[None], mask[None])
        report = (reading.loss_before[0], update.loss_after[0], update.gradient_norm[0], update.fraction[0])
        return (*adapted_parameters(under, update), *report)


def context_adapt_graph(
    theta: Theta, normalisation: Normalisation, encoder: Encoder, step: InnerStep, window: int, layout: StateLayout
) -> bytes:
    """Build the graph for windows of T1 rows; the parameters of the encoder and the step sizes are inside."""
    model = trace(
        ContextAdaptGraph(normalisation, encoder, step, layout), *_given(theta, window, layout), _adapted(theta), {}
    )
    return bytes(model.SerializeToString())


def features_graph(normalisation: Normalisation, window: int, layout: StateLayout) -> bytes:
    """Build the graph (learning/graphs.py: FeaturesGraph) for windows of any length T1."""
    rows = _rows(layout)
    arguments = [torch.zeros(window, width) for width in rows.values()]
    dynamic = {name: {0: 'T1'} for name in rows}
    model = trace(FeaturesGraph(normalisation, layout), arguments, list(rows), ['features', 'targets'], dynamic)
    return bytes(model.SerializeToString())


def _given(theta: Theta, window: int, layout: StateLayout) -> tuple[list[Tensor], list[str]]:
    """Return what a graph of theta and a window of T1 rows is traced with, and the names of it."""
    rows = _rows(layout)
    arguments = [*theta, *(torch.zeros(window, width) for width in rows.values()), torch.ones(window)]
    return arguments, [*theta_names(theta), *rows, 'mask']


def _adapted(theta: Theta) -> list[str]:
    """Return the names of what an inner update gives."""
    return [*(f'adapted_{name}' for name in theta_names(theta)), 'loss_before', 'loss_after', 'gradient_norm', 'step']


def _rows(layout: StateLayout) -> dict[str, int]:
    """Return the arrays of a window and their widths."""
    return {'states': layout.nx, 'actions': layout.nu, 'next_states': layout.nx}
