"""PyTorch by the names of the array API, without what a captured CUDA graph forbids.

array-api-compat makes a tensor of every number that meets a tensor. On a GPU that is a copy from the host, which waits
for the device; while a graph is captured it is an error. The functions here take numbers as they are.
"""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as standard
import torch
from torch import Tensor

Number = float | int


def maximum(x: Tensor, y: Tensor | Number) -> Tensor:
    """Return the larger one of each pair."""
    return torch.maximum(x, y) if isinstance(y, Tensor) else torch.clamp(x, min=y)


def minimum(x: Tensor, y: Tensor | Number) -> Tensor:
    """Return the smaller one of each pair."""
    return torch.minimum(x, y) if isinstance(y, Tensor) else torch.clamp(x, max=y)


def clip(x: Tensor, low: Number, high: Number) -> Tensor:
    """Return x within two numbers."""
    return torch.clamp(x, low, high)


def where(condition: Tensor, x: Tensor | Number, y: Tensor | Number) -> Tensor:
    """Return x where the condition holds, and y elsewhere; one of them may be a number."""
    if not isinstance(x, Tensor):
        assert isinstance(y, Tensor)
        return torch.masked_fill(y, condition, x)
    return torch.where(condition, x, y) if isinstance(y, Tensor) else torch.masked_fill(x, ~condition, y)


def cumsum(x: Tensor, axis: int) -> Tensor:
    """Add up along an axis, one after the other: PyTorch does not promise equal bits of its own on a GPU."""
    total, *rest = x.unbind(axis)
    sums = [total]
    for each in rest:
        total = total + each
        sums.append(total)
    return torch.stack(sums, dim=axis)


def __getattr__(name: str) -> Any:
    """Return every other function as array-api-compat has it."""
    return getattr(standard, name)
