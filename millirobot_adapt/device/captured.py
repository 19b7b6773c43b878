"""Run a function of tensors as one CUDA graph: no launch of single kernels, no allocation, fixed shapes.

A function is captured at its second call with the same shapes; the first one runs as it is, which also lets libraries
set themselves up. A controller's warm-up makes these calls before it walks. Without CUDA the function always runs as it
is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

Function = Callable[[Mapping[str, Tensor]], list[Tensor]]
"""Tensors by name in, tensors out. It must not wait for the device, nor keep what it makes."""

Key = tuple[tuple[str, tuple[int, ...], torch.dtype], ...]


@dataclass
class _Capture:
    """A captured call: what it reads, what it writes, and how to run it again."""

    graph: torch.cuda.CUDAGraph
    inputs: dict[str, Tensor]
    outputs: list[Tensor]


@dataclass
class Captured:
    """A function that is captured for each set of shapes. Results are copies: the next call leaves them alone."""

    function: Function
    device: torch.device
    _captures: dict[Key, _Capture] = field(default_factory=dict)
    _seen: set[Key] = field(default_factory=set)

    def __call__(self, **inputs: Tensor) -> list[Tensor]:
        """Run the function."""
        with torch.inference_mode():
            if self.device.type != 'cuda':
                return self.function(inputs)
            key = tuple((name, tuple(value.shape), value.dtype) for name, value in inputs.items())
            capture = self._captures.get(key)
            if capture is None:
                if key not in self._seen:
                    self._seen.add(key)
                    return self.function(inputs)
                capture = self._captures[key] = self._capture(inputs)
            for name, value in inputs.items():
                capture.inputs[name].copy_(value)
            capture.graph.replay()
            return [output.clone() for output in capture.outputs]

    def _capture(self, inputs: Mapping[str, Tensor]) -> _Capture:
        own = {name: value.clone() for name, value in inputs.items()}
        aside = torch.cuda.Stream(self.device)
        aside.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(aside):
            for _ in range(3):
                self.function(own)
        torch.cuda.current_stream(self.device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outputs = self.function(own)
        return _Capture(graph, own, outputs)
