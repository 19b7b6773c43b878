"""Run an ONNX graph of a bundle with PyTorch, operator by operator, so that a bundle's graphs stay its only truth.

Run like this, a graph is slow; captured (`captured.py`) it is as fast as its kernels. A `Scan` is written out. Numbers
that follow from shapes stay on the host, as arrays of numpy: nothing waits for the device, as capturing demands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.device.onnx_operators import HOST_ARGUMENTS, OPERATORS, Value, on_host


@dataclass(frozen=True)
class _Node:
    """One operator of a graph."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    body: _Graph | None
    """What a Scan repeats."""


@dataclass(frozen=True)
class _Graph:
    """A graph as this module runs it."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Value]
    nodes: tuple[_Node, ...]


class OnnxGraph:
    """A graph that is ready to run on `device`.

    Raises:
        UserError: it has an operator that is not known here.
    """

    def __init__(self, content: bytes, device: torch.device) -> None:
        self._device = device
        self._moved: dict[tuple[str, tuple[int, ...], bytes], Tensor] = {}
        self._graph = self._read(onnx.load_from_string(content).graph)

    def __call__(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the outputs in their order, for tensors by the names of the inputs."""
        return self._run(self._graph, {}, inputs)

    def _read(self, graph: onnx.GraphProto) -> _Graph:
        constants = {each.name: self._constant(each) for each in graph.initializer}
        nodes = []
        for node in graph.node:
            attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            if node.op_type == 'Constant':
                constants[node.output[0]] = self._constant(attributes['value'])
                continue
            if node.op_type not in (*OPERATORS, 'ConstantOfShape', 'Scan'):
                raise UserError(
                    f'a graph of the model has the operator {node.op_type}, which is not known on a device; choose '
                    'engine.provider: cpu'
                )
            body = self._read(attributes['body']) if node.op_type == 'Scan' else None
            nodes.append(_Node(node.op_type, tuple(node.input), tuple(node.output), attributes, body))
        names = [tuple(value.name for value in values) for values in (graph.input, graph.output)]
        return _Graph(names[0], names[1], constants, tuple(nodes))

    def _constant(self, tensor: onnx.TensorProto) -> Value:
        """Return a constant: on the device where it is of floating point, else on the host."""
        array = np.array(numpy_helper.to_array(tensor))
        return torch.from_numpy(array).to(self._device) if array.dtype.kind == 'f' else array

    def _run(self, graph: _Graph, outer: Mapping[str, Value], inputs: Mapping[str, Value]) -> list[Value]:
        values: dict[str, Value] = {**outer, **graph.constants, **inputs}
        for node in graph.nodes:
            given = [values[name] if name else None for name in node.inputs]
            if node.body is not None:
                result: Value = self._scan(node.body, node.attributes['num_scan_inputs'], given, values)
            elif node.kind == 'ConstantOfShape':
                result = self._filled(given[0], node.attributes)
            else:
                result = OPERATORS[node.kind](self._together(node.kind, given), node.attributes)
            values.update(zip(node.outputs, result if isinstance(result, list) else [result], strict=True))
        return [values[name] for name in graph.outputs]

    def _filled(self, shape: Value, attributes: Mapping[str, Any]) -> Value:
        value = numpy_helper.to_array(attributes['value']) if 'value' in attributes else np.zeros(1, np.float32)
        sizes = [int(size) for size in shape]
        if value.dtype.kind == 'f':
            return torch.full(sizes, float(value[0]), dtype=torch.float32, device=self._device)
        return np.full(sizes, value[0])

    def _together(self, kind: str, given: list[Value]) -> list[Value]:
        """Bring what is on the host to the device where an operator of numbers has both."""
        if kind in HOST_ARGUMENTS or on_host(given):
            return given
        return [self._move(each) if isinstance(each, np.ndarray | np.generic) else each for each in given]

    def _move(self, array: Value) -> Tensor:
        """Return a tensor of numbers that the host has.

        Equal numbers give the same tensor, so that nothing is copied to the device while a graph is captured.
        """
        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._moved:
            self._moved[key] = torch.from_numpy(array.copy()).to(self._device)
        return self._moved[key]

    def _scan(self, body: _Graph, scanned: int, given: Sequence[Value], outer: Mapping[str, Value]) -> list[Value]:
        """Write the loop out: the first values are carried from step to step, the last ones are read row by row."""
        carried, rows = list(given[: len(given) - scanned]), given[len(given) - scanned :]
        collected: list[list[Tensor]] = [[] for _ in range(len(body.outputs) - len(carried))]
        for step in range(len(rows[0])):
            taken = (*carried, *(each[step] for each in rows))
            results = self._run(body, outer, dict(zip(body.inputs, taken, strict=True)))
            carried = results[: len(carried)]
            for collection, result in zip(collected, results[len(carried) :], strict=True):
                collection.append(result)
        return [*carried, *(torch.stack(each) for each in collected)]
