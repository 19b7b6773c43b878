"""How ONNX graphs are run: onnxruntime sessions with explicit threads that sleep instead of spinning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnxruntime import ExecutionMode, InferenceSession, OrtValue, SessionOptions

from millirobot_adapt.core.config import Config, param


@dataclass(frozen=True)
class EngineConfig(Config):
    """How the network is evaluated; recorded, as results repeat bit for bit only under equal settings."""

    threads: int = param(2, 'Threads of the rollout; adaptation, which is small, takes one.', low=1, high=64)


def make_session(graph: bytes, threads: int) -> InferenceSession:
    """Load a graph on the CPU with so many threads."""
    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ExecutionMode.ORT_SEQUENTIAL
    # Spinning threads burn a core between ticks and miss deadlines on a loaded machine.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.add_session_config_entry('session.inter_op.allow_spinning', '0')
    options.log_severity_level = 3
    return InferenceSession(graph, options, providers=['CPUExecutionProvider'])


def to_engine(array: NDArray[np.floating]) -> OrtValue:
    """Hand an array to onnxruntime, in single precision."""
    return OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def run(session: InferenceSession, inputs: dict[str, OrtValue]) -> Sequence[OrtValue]:
    """Evaluate all outputs; values stay with onnxruntime, so parameters pass from graph to graph without a copy."""
    values: Sequence[OrtValue] = session.run_with_ort_values(None, inputs)
    return values
