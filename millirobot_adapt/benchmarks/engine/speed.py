"""Measure how fast products, rollouts and adaptations are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from onnxruntime import InferenceSession, SessionOptions

from millirobot_adapt.benchmarks.engine.random_model import candidates, multiply_adds
from millirobot_adapt.core.arrays import namespace, on_host
from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.dynamics.provider import place_of
from millirobot_adapt.core.dynamics.rollout import make_engine
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.layout import FloatArray

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


def device_gemm(config: EngineConfig) -> Callable[[], object]:
    """Return a call that multiplies two square matrices in fp32 on a device."""
    place, rng = place_of(config), generator(0)
    a, b = (place.put(rng.normal(size=(SIDE, SIDE))) for _ in 'ab')
    xp = namespace(a)
    a, b = xp.astype(a, xp.float32), xp.astype(b, xp.float32)
    return lambda: on_host((a @ b)[:1, :1])


def measure_rollouts(
    bundle: Bundle,
    state: FloatArray,
    sizes: Sequence[tuple[int, int]],
    chunk: int,
    engines: Sequence[EngineConfig],
    repeats: int,
) -> tuple[float, list[RolloutSpeed]]:
    """Return the peak of fp32 [GFLOP/s] and the speed of every engine at each (K, H), in chunks as a planner asks.

    Everything takes turns, so that whatever else the machine does falls on all alike; the best of each counts.
    """
    first = engines[0]
    product = gemm(first.threads) if first.provider == 'cpu' else device_gemm(first)
    calls = {}
    for config in engines:
        engine, place = make_engine(bundle, config), place_of(config)
        model = engine.load({name: engine.value(array) for name, array in bundle.theta.items()})
        for samples, horizon in sizes:
            counts = [min(chunk, samples - start) for start in range(0, samples, chunk)]
            chunks = [place.put(candidates(bundle.layout, horizon, count)) for count in counts]
            # The last state of one candidate is read: until then a device may still be at work.
            calls[config.name, samples, horizon] = lambda model=model, chunks=chunks: [
                on_host(model.rollout(state, actions)[-1, :1]) for actions in chunks
            ]
            for _ in range(2 * (config.provider != 'cpu')):  # a device captures at the second call
                calls[config.name, samples, horizon]()
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


def measure_adaptation(bundle: Bundle, window: Window, engine: EngineConfig, repeats: int) -> tuple[float, float]:
    """Return median and 99th percentile [ms] of one adaptation; on the CPU it takes one thread."""
    method = make_method(bundle, engine, 'grbal')
    for _ in range(3):
        method.adapt(window)
    times = [1e3 * seconds(lambda: method.adapt(window)) for _ in range(repeats)]
    return float(np.median(times)), float(np.percentile(times, 99))


def window_of(steps: Sequence[tuple[float, FloatArray, FloatArray]]) -> Window:
    """Make a full window of a walk's steps (`engine_model.walk`), one more than it has rows."""
    states = np.array([state for _, state, _ in steps])
    actions = np.array([action for _, _, action in steps[1:]])
    return Window(states[:-1], actions, states[1:], np.ones(len(actions)))
