"""Adapt and roll out on a device, by the graphs of the bundle: the engines fp32, tf32 and bf16."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from millirobot_adapt.core.arrays import Array
from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.graph_check import GraphTrial
from millirobot_adapt.core.dynamics.method_interface import Graph, Value
from millirobot_adapt.core.dynamics.rollout import rollout_trials
from millirobot_adapt.device.captured import Captured
from millirobot_adapt.device.onnx_graph import OnnxGraph


@dataclass(frozen=True)
class DeviceValue:
    """A tensor of the device, as methods hand values from graph to graph."""

    tensor: Tensor = field(repr=False)

    def numpy(self) -> NDArray[np.float32]:
        """Return the numbers, on the host."""
        return np.asarray(self.tensor.cpu().numpy())


class DeviceEngine:
    """Run the graphs of a bundle on a device.

    `fp32` computes as the processor does. `tf32` lets the device shorten the factors of its products to 10 bits of
    mantissa, `bf16` gives it the weights and activations between the hidden layers as 16-bit numbers of 8 bits. The
    first and the last layer, everything after them, and the adaptation stay in fp32 but for the products of `tf32`.
    """

    def __init__(self, bundle: Bundle, name: str, device: torch.device) -> None:
        self._bundle, self._name, self._device = bundle, name, device
        layers = len(bundle.theta) // 2
        self._halved = {f'w{layer}' for layer in range(1, layers - 1)} if name == 'bf16' else set()
        trials = rollout_trials(bundle.theta, bundle.layout)
        self._rollout = self._captured('rollout.onnx', trials)

    def value(self, array: NDArray[np.floating]) -> Value:
        """Return an array in single precision as a value that this engine's graphs take."""
        return DeviceValue(torch.as_tensor(np.asarray(array, dtype=np.float32), device=self._device))

    def graph(self, name: str, trials: Sequence[GraphTrial]) -> Graph:
        """Return another graph of the bundle, ready to run where this engine runs.

        Raises:
            UserError: the bundle has no such graph, or one that does not fit the trials or this device.
        """
        captured = self._captured(name, trials)

        def run(inputs: Mapping[str, Value]) -> list[Value]:
            return [DeviceValue(each) for each in captured(**{key: self._tensor(each) for key, each in inputs.items()})]

        return run

    def load(self, theta: Mapping[str, Value]) -> DeviceModel:
        """Return the model with these parameters, which may come from the processor as well."""
        parameters = {
            name: self._tensor(value).to(torch.bfloat16 if name in self._halved else torch.float32)
            for name, value in theta.items()
        }
        return DeviceModel(self._rollout, parameters, self._device)

    def _captured(self, name: str, trials: Sequence[GraphTrial]) -> Captured:
        self._bundle.session(name, trials)  # the checks of a foreign graph, on the processor
        graph = OnnxGraph(self._bundle.files[name], self._device)

        def function(inputs: Mapping[str, Tensor]) -> list[Tensor]:
            with _shortened_factors(self._name == 'tf32'):
                return graph(inputs)

        return Captured(function, self._device)

    def _tensor(self, value: Value) -> Tensor:
        if isinstance(value, DeviceValue):
            return value.tensor
        return torch.as_tensor(value.numpy(), device=self._device)


@dataclass(frozen=True)
class DeviceModel:
    """A network with its parameters on the device."""

    graph: Callable[..., list[Tensor]] = field(repr=False)
    theta: Mapping[str, Tensor] = field(repr=False)
    device: torch.device

    def rollout(self, state: NDArray[np.floating], actions: Array) -> Array:
        """Roll K sequences of H actions (H, K, nu) [rad/s] to states (H + 1, K, nx); `AdaptedModel.rollout`.

        Actions that are tensors give states that are; they stay on the device.
        """
        begin = torch.as_tensor(np.atleast_2d(np.asarray(state, dtype=np.float32)), device=self.device)
        taken = torch.as_tensor(actions, device=self.device).to(torch.float32)
        (states,) = self.graph(**self.theta, state=begin, actions=taken)
        return states if isinstance(actions, Tensor) else states.cpu().numpy()


@contextmanager
def _shortened_factors(short: bool) -> Iterator[None]:
    """Let products of single precision use TF32, or forbid it; what others have set comes back."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = short
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
