"""A model of the paper's size with random weights, and a walk to plan on, for measuring time: PyTorch is not needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml

from millirobot_adapt.core.dynamics.bundle import MANIFEST, load_bundle
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout


def write_random_model(folder: Path, source: str, robot: RobotConfig, hidden: Sequence[int], window: int) -> Path:
    """Write a bundle with the graphs of the GrBAL bundle `source`, a random network, and T1 = `window`.

    The graphs serve every width and window, but `hidden` has to have as many layers as theirs. Weights are scaled so
    that signals neither grow nor vanish and predicted changes stay small; time does not depend on them.

    Raises:
        UserError: there is no such bundle, or it does not fit the robot.
    """
    bundle = load_bundle(source, robot)
    inputs, outputs = len(bundle.theta['w0']), len(bundle.target_scale)
    rng = generator(0, *hidden)
    theta = {}
    for layer, (width, following) in enumerate(pairwise((inputs, *hidden, outputs))):
        gain = 0.1 if layer == len(hidden) else 1.0
        theta[f'w{layer}'] = rng.normal(scale=gain * np.sqrt(2 / width), size=(width, following)).astype(np.float32)
        theta[f'b{layer}'] = np.zeros(following, dtype=np.float32)
    folder.mkdir(parents=True)
    for name, content in bundle.files.items():
        (folder / name).write_bytes(content)
    np.savez(folder / 'theta.npz', **theta)  # type: ignore[arg-type]
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in bundle.files}
    manifest = {**bundle.manifest, 'window': window, 'files': hashes}
    (folder / MANIFEST).write_text(yaml.safe_dump(manifest), encoding='utf-8')
    return folder


def hidden_layers(theta: Iterable[str]) -> int:
    """Return how many hidden layers a network has, from the names of its parameters."""
    return sum(name.startswith('w') for name in theta) - 1


def multiply_adds(theta_shapes: Sequence[tuple[int, ...]]) -> int:
    """Return the multiply-adds of one prediction, from the shapes of theta's arrays."""
    return sum(shape[0] * shape[1] for shape in theta_shapes if len(shape) == 2)


def candidates(layout: StateLayout, horizon: int, count: int) -> FloatArray:
    """Draw actions (H, K, nu) whose first row is the same for all."""
    low, high = layout.action_low, layout.action_high
    actions = generator(count).uniform(low, high, (horizon, count, layout.nu))
    actions[0] = (low + high) / 2
    return actions


def walk(robot: RobotConfig, seed: int) -> Iterator[tuple[float, FloatArray, FloatArray]]:
    """Yield for each tick its time [s], the state of a robot that goes along a noisy line, and the action before."""
    rng = generator(seed)
    layout = robot.layout
    state = np.zeros(layout.nx)
    position, yaw = np.zeros(3), 0.0
    for tick in range(10**6):
        action = rng.uniform(robot.action_low, robot.action_high)
        speed = float(layout.speed_gains @ action)
        turn = float(layout.turn_gains @ action) + rng.normal(scale=0.5)
        joints = np.zeros(len(layout.joints))
        for number, joint in layout.followers:
            joints[joint] = action[number]
        yaw += 0.1 * robot.dt * turn
        velocity = speed * np.array([np.cos(yaw), np.sin(yaw), 0.0])
        position = position + robot.dt * velocity
        angles, rates = np.array([0.0, 0.0, yaw]), np.array([0.0, 0.0, turn])
        still = np.zeros_like(joints)
        state = layout.assemble(position, velocity, angles, rates, still, joints, still, 3.9)
        yield tick * robot.dt, state, action
