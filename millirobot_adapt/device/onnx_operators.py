"""The operators of ONNX that bundles use: numbers by PyTorch, what follows from shapes by numpy on the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor

from millirobot_adapt.device.library import cumsum

Value = Any
"""A tensor of the device, or an array of numpy: integers and whatever follows from them."""


def on_host(values: Sequence[Value]) -> bool:
    """Tell whether none of the values is a tensor of the device."""
    return not any(isinstance(value, Tensor) for value in values)


def _pair(host: Callable[..., Any], device: Callable[..., Any]) -> Callable[[list[Value], Mapping[str, Any]], Value]:
    """Return an operator of numbers: by numpy on the host, else by PyTorch."""
    return lambda given, _: (host if on_host(given) else device)(*given)


def _axes(given: list[Value], attributes: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the axes of a reduction, which newer operators have as an input."""
    axes = given[1] if len(given) > 1 and given[1] is not None else attributes.get('axes')
    return tuple(int(axis) for axis in axes) if axes is not None else tuple(range(given[0].ndim))


def _reduce(name: str) -> Callable[[list[Value], Mapping[str, Any]], Value]:
    def reduce(given: list[Value], attributes: Mapping[str, Any]) -> Value:
        axes, keep = _axes(given, attributes), bool(attributes.get('keepdims', 1))
        if isinstance(given[0], Tensor):
            return getattr(torch, name)(given[0], dim=axes, keepdim=keep)
        return getattr(np, name)(given[0], axis=axes, keepdims=keep)

    return reduce


def _slice(given: list[Value], _: Mapping[str, Any]) -> Value:
    data, starts, ends = given[:3]
    axes = given[3] if len(given) > 3 and given[3] is not None else range(len(starts))
    steps = given[4] if len(given) > 4 and given[4] is not None else [1] * len(starts)
    index = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        index[int(axis)] = slice(int(start), min(int(end), data.shape[int(axis)]), int(step))
    return data[tuple(index)]


def _gather(given: list[Value], attributes: Mapping[str, Any]) -> Value:
    data, indices = given
    axis = attributes.get('axis', 0)
    if not isinstance(data, Tensor):
        return np.take(data, indices, axis=axis)
    if np.ndim(indices) == 0:
        return data.select(axis, int(indices))
    picked = [data.select(axis, int(index)) for index in np.ravel(indices)]
    return torch.stack(picked, dim=axis).reshape(*data.shape[:axis], *np.shape(indices), *data.shape[axis + 1 :])


def _concat(given: list[Value], attributes: Mapping[str, Any]) -> Value:
    join = np.concatenate if on_host(given) else torch.cat
    return join(given, attributes['axis'])


def _cast(given: list[Value], attributes: Mapping[str, Any]) -> Value:
    kind = onnx.helper.tensor_dtype_to_np_dtype(attributes['to'])
    if isinstance(given[0], Tensor):
        return given[0].to(getattr(torch, kind.name))
    return np.asarray(given[0]).astype(kind)


def _clip(given: list[Value], _: Mapping[str, Any]) -> Value:
    data, *limits = given
    low, high = (*limits, None, None)[:2]
    if not isinstance(data, Tensor):
        return np.clip(data, low, high)
    return torch.clamp(data, min=low, max=high)


def _gemm(given: list[Value], attributes: Mapping[str, Any]) -> Tensor:
    """Multiply and add. Where the weights are of half precision, so is the product, and the sum is of single."""
    a, b, *rest = given
    a = a.T if attributes.get('transA', 0) else a
    b = b.T if attributes.get('transB', 0) else b
    alpha, beta = attributes.get('alpha', 1.0), attributes.get('beta', 1.0)
    if b.dtype != torch.float32:
        product = (a.to(b.dtype) @ b).float()
        return product + rest[0] if rest else product
    if not rest:
        return alpha * (a @ b)
    return torch.addmm(rest[0], a, b, alpha=alpha, beta=beta)


def _cumsum(given: list[Value], _: Mapping[str, Any]) -> Value:
    return cumsum(given[0], int(given[1]))


def _split(given: list[Value], attributes: Mapping[str, Any]) -> list[Value]:
    data, axis = given[0], attributes.get('axis', 0)
    sizes = [int(size) for size in given[1]]
    if isinstance(data, Tensor):
        return list(torch.split(data, sizes, dim=axis))
    return list(np.split(data, np.cumsum(sizes)[:-1], axis=axis))


def _unsqueeze(given: list[Value], _: Mapping[str, Any]) -> Value:
    data, axes = given
    for axis in sorted(int(axis) for axis in axes):
        data = data.unsqueeze(axis) if isinstance(data, Tensor) else np.expand_dims(data, axis)
    return data


def _squeeze(given: list[Value], _: Mapping[str, Any]) -> Value:
    data = given[0]
    axes = [int(axis) % data.ndim for axis in given[1]] if len(given) > 1 else range(data.ndim)
    for axis in sorted(axes, reverse=True):
        data = data.squeeze(axis)
    return data


def _reshape(given: list[Value], _: Mapping[str, Any]) -> Value:
    data, shape = given
    sizes = [data.shape[axis] if size == 0 else int(size) for axis, size in enumerate(shape)]
    return data.reshape(sizes)


def _transpose(given: list[Value], attributes: Mapping[str, Any]) -> Value:
    order = attributes.get('perm') or list(range(given[0].ndim))[::-1]
    return given[0].permute(*order) if isinstance(given[0], Tensor) else np.transpose(given[0], order)


def _expand(given: list[Value], _: Mapping[str, Any]) -> Value:
    data, shape = given
    sizes = np.broadcast_shapes(tuple(data.shape), tuple(int(size) for size in shape))
    return data.expand(sizes) if isinstance(data, Tensor) else np.broadcast_to(data, sizes)


def _divide(a: Value, b: Value) -> Value:
    """Divide on the host, integers as ONNX does: without a remainder."""
    return a // b if np.asarray(a).dtype.kind in 'iu' else a / b


HOST_ARGUMENTS = {
    'Slice', 'Gather', 'ConstantOfShape', 'CumSum', 'Split', 'Unsqueeze', 'Squeeze', 'Reshape', 'Expand', 'ReduceSum',
    'ReduceMean', 'Shape', 'Scan',
}  # fmt: skip
"""Operators whose other arguments than the first say how, and stay on the host."""

OPERATORS: dict[str, Callable[[list[Value], Mapping[str, Any]], Value]] = {
    'Add': _pair(np.add, torch.add),
    'And': _pair(np.logical_and, torch.logical_and),
    'Atan': _pair(np.arctan, torch.atan),
    'Cast': _cast,
    'Clip': _clip,
    'Concat': _concat,
    'Cos': _pair(np.cos, torch.cos),
    'CumSum': _cumsum,
    'Div': _pair(_divide, torch.div),
    'Equal': _pair(np.equal, torch.eq),
    'Exp': _pair(np.exp, torch.exp),
    'Expand': _expand,
    'Gather': _gather,
    'Gemm': _gemm,
    'Greater': _pair(np.greater, torch.gt),
    'Identity': lambda given, _: given[0],
    'Less': _pair(np.less, torch.lt),
    'MatMul': lambda given, _: given[0] @ given[1],
    'Mul': _pair(np.multiply, torch.mul),
    'Neg': _pair(np.negative, torch.neg),
    'Not': _pair(np.logical_not, torch.logical_not),
    'Or': _pair(np.logical_or, torch.logical_or),
    'Pow': _pair(np.power, torch.pow),
    'Reciprocal': _pair(np.reciprocal, torch.reciprocal),
    'ReduceMean': _reduce('mean'),
    'ReduceSum': _reduce('sum'),
    'Relu': lambda given, _: torch.relu(given[0]),
    'Reshape': _reshape,
    'Shape': lambda given, _: np.array(given[0].shape, dtype=np.int64),
    'Sigmoid': lambda given, _: torch.sigmoid(given[0]),
    'Sin': _pair(np.sin, torch.sin),
    'Slice': _slice,
    'Softmax': lambda given, attributes: torch.softmax(given[0], dim=attributes.get('axis', -1)),
    'Softplus': lambda given, _: torch.nn.functional.softplus(given[0]),
    'Split': _split,
    'Sqrt': _pair(np.sqrt, torch.sqrt),
    'Squeeze': _squeeze,
    'Sub': _pair(np.subtract, torch.sub),
    'Tanh': lambda given, _: torch.tanh(given[0]),
    'Transpose': _transpose,
    'Unsqueeze': _unsqueeze,
    'Where': _pair(np.where, torch.where),
}  # fmt: skip
