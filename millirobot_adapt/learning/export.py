"""Write a model bundle: model.yaml, theta.npz and the ONNX graphs, each with its hash.

The graphs use operator set 17 and IR 8, so that onnxruntime from 1.17 on loads them. PyTorch's tracing exporter writes
exactly that; its successor would write operator set 18 and rely on a conversion back.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import yaml
from onnx import TensorProto, helper
from torch import Tensor, nn

from millirobot_adapt.core.dynamics.bundle import SCHEMA
from millirobot_adapt.core.dynamics.targets import TARGET_NAMES, TARGET_UNITS
from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.core.state import ACTION_NAMES, ACTION_UNITS, NU, NX, STATE_NAMES, STATE_UNITS
from millirobot_adapt.learning.graphs import AdaptGraph, StepGraph
from millirobot_adapt.learning.network import Normalisation, Theta

OPSET = 17


def theta_names(theta: Theta) -> list[str]:
    """Name the parameters in order: w0, b0, w1, b1, ..."""
    return [f'{kind}{layer}' for layer in range(len(theta) // 2) for kind in ('w', 'b')]


def rollout_graph(theta: Theta, normalisation: Normalisation, dt: float) -> bytes:
    """Build rollout.onnx: (theta..., state (1 or K, 24), actions (H, K, 2)) to states (H + 1, K, 24), for any H and K.

    It is the step graph as the body of a Scan over the actions; the body sees the parameters from outside.
    """
    names = theta_names(theta)
    body = _trace(
        StepGraph(normalisation, dt), [*theta, torch.zeros(3, NX), torch.zeros(3, NU)],
        [*names, 'before', 'action'], ['after'], {'before': {0: 'K'}, 'action': {0: 'K'}, 'after': {0: 'K'}},
    ).graph  # fmt: skip
    body.name = 'step'
    parameters = [value for value in body.input if value.name in names]
    for value in parameters:
        body.input.remove(value)
    # A Scan body gives its carried state first, then what is stacked: the next state is both.
    body.node.append(helper.make_node('Identity', ['after'], ['after_row']))
    body.output.append(helper.make_tensor_value_info('after_row', TensorProto.FLOAT, ['K', NX]))
    nodes = [
        helper.make_node('Shape', ['actions'], ['candidates'], start=1, end=2),
        helper.make_node('Concat', ['candidates', 'nx'], ['batch'], axis=0),
        helper.make_node('Expand', ['state', 'batch'], ['first']),
        helper.make_node('Scan', ['first', 'actions'], ['last', 'later'], body=body, num_scan_inputs=1),
        helper.make_node('Unsqueeze', ['first', 'zero'], ['first_row']),
        helper.make_node('Concat', ['first_row', 'later'], ['states'], axis=0),
    ]
    graph = helper.make_graph(
        nodes,
        'rollout',
        [*parameters, _value('state', ['S', NX]), _value('actions', ['H', 'K', NU])],
        [_value('states', ['H1', 'K', NX])],
        [
            helper.make_tensor('nx', TensorProto.INT64, [1], [NX]),
            helper.make_tensor('zero', TensorProto.INT64, [1], [0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def adapt_graph(theta: Theta, normalisation: Normalisation, psi: Sequence[Tensor], window: int) -> bytes:
    """Build adapt.onnx (learning/graphs.py: AdaptGraph) for windows of `window` = T1 rows."""
    names = theta_names(theta)
    arguments = [
        *theta, torch.zeros(window, NX), torch.zeros(window, NU), torch.zeros(window, NX), torch.ones(window)
    ]  # fmt: skip
    model = _trace(
        AdaptGraph(normalisation, psi), arguments,
        [*names, 'states', 'actions', 'next_states', 'mask'],
        [*(f'adapted_{name}' for name in names), 'loss_before', 'loss_after', 'gradient_norm', 'step'], {},
    )  # fmt: skip
    return bytes(model.SerializeToString())


def write_bundle(
    folder: Path,
    *,
    method: str,
    robot: RobotConfig,
    window: int,
    theta: Theta,
    psi: Sequence[Tensor],
    normalisation: Normalisation,
    data: dict[str, Any],
    training: dict[str, Any],
) -> None:
    """Write the bundle into `folder` (made if missing); `data` and `training` say where the model comes from."""
    theta = [tensor.detach().float() for tensor in theta]
    files = {'theta.npz': _npz({name: tensor.numpy() for name, tensor in zip(theta_names(theta), theta, strict=True)})}
    files['rollout.onnx'] = rollout_graph(theta, normalisation, robot.dt)
    if method == 'grbal':
        files['adapt.onnx'] = adapt_graph(theta, normalisation, [step.detach().float() for step in psi], window)
    manifest = {
        'schema': SCHEMA,
        'method': method,
        'robot': robot.name,
        'dt': robot.dt,
        'window': window,
        'state': {'names': list(STATE_NAMES), 'units': list(STATE_UNITS)},
        'action': {
            'names': list(ACTION_NAMES),
            'units': list(ACTION_UNITS),
            'low': [float(value) for value in robot.action_low],
            'high': [float(value) for value in robot.action_high],
        },
        'targets': {
            'names': list(TARGET_NAMES),
            'units': list(TARGET_UNITS),
            'scale': [float(value) for value in normalisation.target_scale],
        },
        'data': data,
        'training': training,
        'files': {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    text = yaml.safe_dump(manifest, sort_keys=False, default_flow_style=None, width=118)
    (folder / 'model.yaml').write_text(text, encoding='utf-8')


def _trace(
    module: nn.Module,
    arguments: Sequence[Tensor],
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: dict[str, dict[int, str]],
) -> onnx.ModelProto:
    """Trace a module to an ONNX model whose constants are all inside."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # the tracing exporter announces its successor on every call
        torch.onnx.export(
            module, tuple(arguments), stream,
            input_names=list(inputs), output_names=list(outputs),
            dynamic_axes=dynamic, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    model = onnx.load_from_string(stream.getvalue())
    onnx.checker.check_model(model)
    return model


def _value(name: str, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def _npz(arrays: dict[str, Any]) -> bytes:
    """Serialise named arrays; numpy writes the same bytes for the same arrays (fixed time stamps)."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()
