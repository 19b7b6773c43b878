"""Measure how fast products, rollouts and adaptations are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from onnxruntime import InferenceSession, SessionOptions

from millirobot_adapt.benchmarks.engine.random_model import multiply_adds
from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig, to_engine
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.dynamics.rollout import ENGINES, make_engine
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout

SIDE = 2048
"""Size of the square matrices whose product measures the peak of fp32."""
MATMUL = bytes.fromhex(
    '080812003a5b0a110a01610a016212016322064d61744d756c1201675a150a016112100a0e0801120a0a0312014d0a0312014b5a150a016212'
    '100a0e0801120a0a0312014b0a0312014e62150a016312100a0e0801120a0a0312014d0a0312014e42040a001011'
)
"""ONNX model of one operator: c (M, N) = MatMul(a (M, K), b (K, N)); operator set 17, IR 8."""


@dataclass(frozen=True)
class RolloutSpeed:
    """How fast an engine rolls out, best of all repeats."""

    engine: str
    samples: int
    horizon: int
    ms: float
    gflops: float
    """Of the operations done, multiply-adds counting two; the first step, which all candidates share, counts once."""


def seconds(call: Callable[[], object]) -> float:
    """Time one call [s]."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def gemm(threads: int) -> Callable[[], object]:
    """Return a call that multiplies two square matrices in fp32 by onnxruntime on this many threads."""
    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    session = InferenceSession(MATMUL, options, providers=['CPUExecutionProvider'])
    rng = generator(0)
    inputs = {name: rng.normal(size=(SIDE, SIDE)).astype(np.float32) for name in 'ab'}
    return lambda: session.run(None, inputs)


def measure_rollouts(
    bundle: Bundle, state: FloatArray, sizes: Sequence[tuple[int, int]], chunk: int, threads: int, repeats: int
) -> tuple[float, list[RolloutSpeed]]:
    """Return the peak of fp32 [GFLOP/s] and the speed of every engine at each (K, H), in chunks as a planner asks.

    Everything takes turns, so that whatever else the machine does falls on all alike; the best of each counts.
    """
    product = gemm(threads)
    calls = {}
    for name in ENGINES:
        engine = make_engine(bundle, EngineConfig(name=name, threads=threads))
        model = engine.load({name: to_engine(array) for name, array in bundle.theta.items()})
        for samples, horizon in sizes:
            chunks = [
                _candidates(bundle.layout, horizon, min(chunk, samples - start)) for start in range(0, samples, chunk)
            ]
            calls[name, samples, horizon] = lambda model=model, chunks=chunks: [
                model.rollout(state, actions) for actions in chunks
            ]
    best = dict.fromkeys([None, *calls], np.inf)
    for _ in range(repeats):
        best[None] = min(best[None], seconds(product))
        for key, call in calls.items():
            best[key] = min(best[key], seconds(call))
    work = 2 * multiply_adds([array.shape for array in bundle.theta.values()])
    speeds = []
    for name, samples, horizon in calls:
        done = work * (samples * (horizon - 1) + -(-samples // chunk))
        took = best[name, samples, horizon]
        speeds.append(RolloutSpeed(name, samples, horizon, 1e3 * took, done / took / 1e9))
    return 2 * SIDE**3 / best[None] / 1e9, speeds


def _candidates(layout: StateLayout, horizon: int, count: int) -> FloatArray:
    """Draw actions (H, K, nu) whose first row is the same for all."""
    low, high = layout.action_low, layout.action_high
    actions = generator(count).uniform(low, high, (horizon, count, layout.nu))
    actions[0] = (low + high) / 2
    return actions


def measure_adaptation(bundle: Bundle, window: Window, repeats: int) -> tuple[float, float]:
    """Return median and 99th percentile [ms] of one adaptation on one thread."""
    method = make_method(bundle, EngineConfig(threads=1), 'grbal')
    method.adapt(window)
    times = [1e3 * seconds(lambda: method.adapt(window)) for _ in range(repeats)]
    return float(np.median(times)), float(np.percentile(times, 99))


def window_of(steps: Sequence[tuple[float, FloatArray, FloatArray]]) -> Window:
    """Make a full window of a walk's steps (`engine_model.walk`), one more than it has rows."""
    states = np.array([state for _, state, _ in steps])
    actions = np.array([action for _, _, action in steps[1:]])
    return Window(states[:-1], actions, states[1:], np.ones(len(actions)))
