"""Run ONNX graphs: onnxruntime sessions whose threads are always set, never left to a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import ExecutionMode, InferenceSession, OrtValue, SessionOptions

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.dynamics.device_providers import DEVICE_PROVIDERS
from millirobot_adapt.core.errors import UserError


class EngineConfig(Config):
    """How the network is evaluated. It is recorded: results repeat bit for bit only under equal settings."""

    name: str = param(
        'fp32', 'Arithmetic of the rollout; int8 needs a CPU with VNNI, tf32 and bf16 a GPU.',
        choices=('fp32', 'int8', 'tf32', 'bf16'),
    )  # fmt: skip
    provider: str = param(
        'cpu', 'What adapts, rolls out and scores; cuda needs the extra gpu, torch-cpu is the same code for tests.',
        choices=('cpu', *DEVICE_PROVIDERS),
    )  # fmt: skip
    threads: int = param(2, 'Threads of the rollout on the CPU; adaptation is small and takes one.', low=1, high=64)

    def __post_init__(self) -> None:
        if self.name == 'int8' and self.provider != 'cpu':
            raise UserError('name = int8 runs on the CPU alone; choose provider: cpu, or name: fp32, tf32 or bf16')
        if self.name in ('tf32', 'bf16') and self.provider == 'cpu':
            raise UserError(f'name = {self.name} runs on a GPU alone; choose provider: cuda, or name: fp32 or int8')


def make_session(graph: bytes, dimensions: Mapping[str, int]) -> InferenceSession:
    """Load a graph that runs on the thread that calls it.

    Work is divided by candidates, one call for each thread (rollout.py), so threads wait for each other once per
    horizon. onnxruntime's own threads would do so at every layer of every step, and would spin between ticks on a core
    that others need.

    Args:
        graph: ONNX model.
        dimensions: Sizes of the graph's named dimensions, as far as they are known.
    """
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.add_session_config_entry('session.inter_op.allow_spinning', '0')
    options.log_severity_level = 3
    for name, size in dimensions.items():
        options.add_free_dimension_override_by_name(name, size)
    return InferenceSession(graph, options, providers=['CPUExecutionProvider'])


def to_engine(array: NDArray[np.floating]) -> OrtValue:
    """Convert an array to a value of onnxruntime in single precision."""
    return OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def run_graph(session: InferenceSession, inputs: Mapping[str, Any]) -> Sequence[OrtValue]:
    """Evaluate all outputs. Values stay in onnxruntime, so parameters go from graph to graph without a copy."""
    values: Sequence[OrtValue] = session.run_with_ort_values(None, dict(inputs))
    return values
