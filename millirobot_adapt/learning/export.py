"""Write a model bundle: model.yaml, theta.npz and the ONNX graphs, each with its hash."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor

from millirobot_adapt.core.dynamics.bundle import SCHEMA
from millirobot_adapt.core.dynamics.targets import TARGET_NAMES, TARGET_UNITS
from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.core.state import ACTION_NAMES, ACTION_UNITS, NU, NX, STATE_NAMES, STATE_UNITS
from millirobot_adapt.learning.graphs import AdaptGraph
from millirobot_adapt.learning.network import Normalisation, Theta
from millirobot_adapt.learning.rollout_graph import rollout_graph
from millirobot_adapt.learning.tracing import trace


def theta_names(theta: Theta) -> list[str]:
    """Name the parameters in order: w0, b0, w1, b1, ..."""
    return [f'{kind}{layer}' for layer in range(len(theta) // 2) for kind in ('w', 'b')]


def adapt_graph(theta: Theta, normalisation: Normalisation, psi: Sequence[Tensor], window: int) -> bytes:
    """Build adapt.onnx (learning/graphs.py: AdaptGraph), for windows and hidden layers of any size.

    Dimensions are named as in the rollout graphs; the window's length is T1.
    """
    names = theta_names(theta)
    rows = {'states': NX, 'actions': NU, 'next_states': NX}
    arguments = [*theta, *(torch.zeros(window, width) for width in rows.values()), torch.ones(window)]
    dynamic = {name: {0: 'T1'} for name in (*rows, 'mask')}
    last = len(theta) // 2 - 1
    for layer in range(last + 1):
        dynamic[f'w{layer}'] = {axis: f'width{layer + axis}' for axis in (0, 1) if 0 < layer + axis <= last}
        dynamic[f'b{layer}'] = {0: f'width{layer + 1}'} if layer < last else {}
    model = trace(
        AdaptGraph(normalisation, psi), arguments,
        [*names, *rows, 'mask'],
        [*(f'adapted_{name}' for name in names), 'loss_before', 'loss_after', 'gradient_norm', 'step'], dynamic,
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
    layers = len(theta) // 2
    files['rollout.onnx'] = rollout_graph(layers, normalisation, robot.dt)
    files['rollout_int8.onnx'] = rollout_graph(layers, normalisation, robot.dt, int8=True)
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


def _npz(arrays: dict[str, Any]) -> bytes:
    """Serialise named arrays; numpy writes the same bytes for the same arrays (fixed time stamps)."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()
