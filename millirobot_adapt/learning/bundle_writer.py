"""Write a model bundle: model.yaml, theta.npz and the ONNX graphs, each with its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
import yaml

from millirobot_adapt.core.dynamics.bundle import SCHEMA
from millirobot_adapt.core.files import write_together
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.learner_file import FILE, learner_parts, npz
from millirobot_adapt.learning.methods.training_interface import Model


def write_bundle(
    folder: Path,
    model: Model,
    *,
    method: str,
    robot: RobotConfig,
    window: int,
    data: dict[str, Any],
    training: dict[str, Any],
    lineage: dict[str, Any] | None = None,
) -> None:
    """Write the bundle into `folder` (made if missing); the last three say where the model comes from."""
    with torch.no_grad():
        parts = model.parts(window, robot)
    theta = {name: tensor.detach().float().numpy() for name, tensor in parts.theta.items()}
    layout = robot.layout
    kept, shared = learner_parts(model, theta)
    files = {'theta.npz': npz(theta), **parts.graphs, FILE: npz(kept)}
    manifest = {
        'schema': SCHEMA,
        'method': method,
        'robot': robot.name,
        'dt': robot.dt,
        'window': window,
        'state': {'names': list(layout.state_names), 'units': list(layout.state_units)},
        'action': {
            'names': list(layout.action_names),
            'units': list(layout.action_units),
            'low': [float(value) for value in robot.action_low],
            'high': [float(value) for value in robot.action_high],
        },
        'targets': {
            'names': list(layout.target_names),
            'units': list(layout.target_units),
            'scale': [float(value) for value in model.normalisation.target_scale],
        },
        **({'adaptation': dict(parts.adaptation)} if parts.adaptation else {}),
        'data': data,
        'training': training,
        **({'lineage': lineage} if lineage else {}),
        'learner': shared,
        'files': {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(manifest, sort_keys=False, default_flow_style=None, width=118)
    write_together(folder, {**files, 'model.yaml': text.encode('utf-8')})
