"""Build the rollout graphs: one Scan over the horizon, with the network in 32-bit floating point or in 8-bit integers.

Inside the loop there is nothing but the network: it sees the robot's body state alone, free of place and heading, so
that positions, headings and leg phases are integrated afterwards, for all steps and candidates at once.

A graph serves networks of any width and any number of candidates and steps: its dimensions have names (`width1`, K, H),
which the runtime sets to what theta.npz holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import torch
from onnx import TensorProto, compose, helper, numpy_helper

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import StateLayout
from millirobot_adapt.learning.graphs import RolloutEnd, RolloutStart
from millirobot_adapt.learning.network import Normalisation
from millirobot_adapt.learning.tracing import OPSET, trace

ONNXRUNTIME = 'com.microsoft'
"""Domain of onnxruntime's own operators."""


def rollout_graphs(layers: int, normalisation: Normalisation, robot: RobotConfig) -> dict[str, bytes]:
    """Build the graphs of both engines, by file name."""
    return {
        'rollout.onnx': rollout_graph(layers, normalisation, robot),
        'rollout_int8.onnx': rollout_graph(layers, normalisation, robot, int8=True),
    }


def rollout_graph(layers: int, normalisation: Normalisation, robot: RobotConfig, *, int8: bool = False) -> bytes:
    """Build the graph (theta..., state (1 or K, nx), actions (H, K, nu)) to states (H + 1, K, nx).

    Args:
        layers: Number of weight matrices.
        normalisation: What stands between SI units and the network.
        robot: Layout and control period.
        int8: Take the weights between hidden layers as integers `w1` with scales `s1` [1 per output], and their inputs
            as integers too, with a scale of their own in every call (DynamicQuantizeMatMul).
    """
    layout, nx, nu = robot.layout, robot.layout.nx, robot.layout.nu
    start = trace(
        RolloutStart(normalisation, layout), [torch.zeros(1, nx), torch.zeros(2, 3, nu)],
        ['state', 'actions'], ['body', 'setpoints'], {'state': {0: 'S'}, 'actions': {0: 'H', 1: 'K'}},
    ).graph  # fmt: skip
    end = trace(
        RolloutEnd(_units(normalisation, layout), robot.dt, layout),
        [torch.zeros(1, nx), torch.zeros(2, 3, nu), torch.zeros(2, 3, len(normalisation.target_mean))],
        ['state', 'setpoints', 'outputs'], ['states'],
        {'state': {0: 'S'}, 'setpoints': {0: 'H', 1: 'K'}, 'outputs': {0: 'H', 1: 'K'}},
    ).graph  # fmt: skip
    start, end = (_prefixed(graph, prefix) for graph, prefix in ((start, 'start_'), (end, 'end_')))
    loop = helper.make_node(
        'Scan',
        ['body', 'setpoints'],
        ['last', 'outputs'],
        body=_step(layers, normalisation, layout, int8),
        num_scan_inputs=1,
    )
    last = layers - 1
    scaled = [
        helper.make_node('Mul', [f'w{last}', 'gain'], ['w_out']),
        helper.make_node('Mul', [f'b{last}', 'gain'], ['b_scaled']),
        helper.make_node('Add', ['b_scaled', 'offset'], ['b_out']),
    ]
    units = _units(normalisation, layout)
    constants = {'gain': normalisation.target_scale / units, 'offset': normalisation.target_mean / units}
    graph = helper.make_graph(
        [*start.node, *scaled, loop, *end.node],
        'rollout',
        [*_parameters(layers, normalisation, int8), _value('state', ['S', nx]), _value('actions', ['H', 'K', nu])],
        [_value('states', ['H1', 'K', nx])],
        [
            *start.initializer,
            *end.initializer,
            *(numpy_helper.from_array(value.numpy(), name) for name, value in constants.items()),
        ],
    )
    operators = [helper.make_opsetid('', OPSET), *([helper.make_opsetid(ONNXRUNTIME, 1)] if int8 else [])]
    model = helper.make_model(graph, opset_imports=operators, ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _step(layers: int, normalisation: Normalisation, layout: StateLayout, int8: bool) -> onnx.GraphProto:
    """Build the body of the loop: body state (K, body) and one setpoint (K, nu), normalised, to the next and outputs.

    The parameters come from the graph around it. Changes of the body state are the last outputs.
    """
    seen = len(layout.body_names)
    clip = {'low': -normalisation.clip, 'high': normalisation.clip}
    places = {'first': [-seen], 'end': [len(normalisation.target_mean)], 'axis': [-1]}
    nodes = [
        helper.make_node('Concat', ['before', 'setpoint'], ['raw'], axis=-1),
        helper.make_node('Clip', ['raw', 'low', 'high'], ['hidden0']),
    ]
    for layer in range(layers):
        nodes += _layer(layer, layers, int8)
    nodes += [
        helper.make_node('Slice', ['output', 'first', 'end', 'axis'], ['change']),
        helper.make_node('Add', ['before', 'change'], ['after']),
    ]
    return helper.make_graph(
        nodes,
        'step',
        [_value('before', ['K', seen]), _value('setpoint', ['K', layout.nu])],
        [_value('after', ['K', seen]), _value('output', ['K', len(normalisation.target_mean)])],
        [
            *(numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in clip.items()),
            *(numpy_helper.from_array(np.asarray(value, np.int64), name) for name, value in places.items()),
        ],
    )


def _layer(layer: int, layers: int, int8: bool) -> list[onnx.NodeProto]:
    """Build one layer, hidden{layer} to hidden{layer + 1}; the last one gives `output`."""
    inputs, outputs = f'hidden{layer}', f'sum{layer}'
    if layer == layers - 1:
        return [helper.make_node('Gemm', [inputs, 'w_out', 'b_out'], ['output'])]
    if int8 and layer > 0:
        names = [inputs, f'w{layer}', f's{layer}', '', f'b{layer}']
        product = helper.make_node('DynamicQuantizeMatMul', names, [outputs], domain=ONNXRUNTIME)
    else:
        product = helper.make_node('Gemm', [inputs, f'w{layer}', f'b{layer}'], [outputs])
    return [product, helper.make_node('Relu', [outputs], [f'hidden{layer + 1}'])]


def _units(normalisation: Normalisation, layout: StateLayout) -> torch.Tensor:
    """Return the units of the loop's outputs (targets,): those of the body state where it is what changes.

    The last layer is scaled to them once, before the loop, instead of every output in it.
    """
    seen = len(layout.body_names)
    return torch.cat([normalisation.target_scale[:-seen], normalisation.feature_scale[:seen]])


def _parameters(layers: int, normalisation: Normalisation, int8: bool) -> list[onnx.ValueInfoProto]:
    """List the parameters as inputs of the graph."""
    ends = {0: len(normalisation.feature_mean), layers: len(normalisation.target_mean)}
    widths = [ends.get(layer, f'width{layer}') for layer in range(layers + 1)]
    values = []
    for layer in range(layers):
        quantised = int8 and 0 < layer < layers - 1
        kind = TensorProto.INT8 if quantised else TensorProto.FLOAT
        values.append(helper.make_tensor_value_info(f'w{layer}', kind, widths[layer : layer + 2]))
        if quantised:
            values.append(_value(f's{layer}', [widths[layer + 1]]))
        values.append(_value(f'b{layer}', [widths[layer + 1]]))
    return values


def _prefixed(graph: onnx.GraphProto, prefix: str) -> onnx.GraphProto:
    """Give what is inside a traced graph names of its own; inputs and outputs, which join graphs, keep theirs."""
    return compose.add_prefix_graph(graph, prefix, rename_inputs=False, rename_outputs=False)


def _value(name: str, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
