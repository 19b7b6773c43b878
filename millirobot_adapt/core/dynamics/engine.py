"""Run ONNX graphs: onnxruntime sessions whose provider and threads are always set, never left to a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime import ExecutionMode, InferenceSession, OrtValue, SessionOptions

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.errors import UserError

PROVIDERS = {'cpu': 'CPUExecutionProvider', 'cuda': 'CUDAExecutionProvider'}


class EngineConfig(Config):
    """How the network is evaluated. It is recorded: results repeat bit for bit only under equal settings."""

    name: str = param('fp32', 'Arithmetic of the rollout; int8 needs a CPU with VNNI.', choices=('fp32', 'int8'))
    provider: str = param('cpu', 'What runs the rollout; cuda needs onnxruntime-gpu.', choices=tuple(PROVIDERS))
    threads: int = param(2, 'Threads of the rollout; adaptation is small and takes one.', low=1, high=64)

    def __post_init__(self) -> None:
        if self.name == 'int8' and self.provider != 'cpu':
            raise UserError('name = int8 runs on the CPU alone; choose provider: cpu, or name: fp32')


def make_session(graph: bytes, provider: str, dimensions: Mapping[str, int]) -> InferenceSession:
    """Load a graph that runs on the thread that calls it.

    Work is divided by candidates, one call for each thread (rollout.py), so threads wait for each other once per
    horizon. onnxruntime's own threads would do so at every layer of every step, and would spin between ticks on a core
    that others need.

    Args:
        graph: ONNX model.
        provider: A key of `PROVIDERS`.
        dimensions: Sizes of the graph's named dimensions, as far as they are known.

    Raises:
        UserError: this onnxruntime has no such provider.
    """
    _check_provider(provider, onnxruntime.get_available_providers())
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.add_session_config_entry('session.inter_op.allow_spinning', '0')
    options.log_severity_level = 3
    for name, size in dimensions.items():
        options.add_free_dimension_override_by_name(name, size)
    session = InferenceSession(graph, options, providers=[PROVIDERS[provider]])
    # When the libraries of the provider do not load, onnxruntime falls back to the CPU silently.
    _check_provider(provider, session.get_providers())
    return session


def _check_provider(provider: str, available: Sequence[str]) -> None:
    if PROVIDERS[provider] not in available:
        raise UserError(
            f'engine.provider = {provider}: this onnxruntime has no {PROVIDERS[provider]} that works (it has '
            f'{", ".join(available)}); install onnxruntime-gpu and CUDA, or choose engine.provider: cpu'
        )


def to_engine(array: NDArray[np.floating]) -> OrtValue:
    """Convert an array to a value of onnxruntime in single precision."""
    return OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def run_graph(session: InferenceSession, inputs: dict[str, OrtValue]) -> Sequence[OrtValue]:
    """Evaluate all outputs. Values stay in onnxruntime, so parameters go from graph to graph without a copy."""
    values: Sequence[OrtValue] = session.run_with_ort_values(None, inputs)
    return values
