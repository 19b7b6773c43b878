"""The benchmark of the engine: rollouts, adaptation, whole ticks beside peers, int8's error, and quality per sample."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from shutil import which

import numpy as np

from millirobot_adapt.benchmarks.engine.int8_error import measure_int8_error
from millirobot_adapt.benchmarks.engine.planners import PlannerBench, Quality, bench_planners, horizon_of
from millirobot_adapt.benchmarks.engine.planners import steps as planner_steps
from millirobot_adapt.benchmarks.engine.random_model import hidden_layers, walk, write_random_model
from millirobot_adapt.benchmarks.engine.speed import (
    RolloutSpeed,
    measure_adaptation,
    measure_rollouts,
    window_of,
)
from millirobot_adapt.benchmarks.engine.tick import ENGINES_OF, EnginePeer, TickTimes, make_ours, measure_ticks
from millirobot_adapt.benchmarks.process_cost import measure_memory
from millirobot_adapt.core.dynamics.bundle import Bundle, load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.robot.state import FloatArray

HIDDEN = (512, 512, 512)
WINDOWS = (16, 32)
SAMPLES, HORIZON = 1000, 15
"""The paper's size."""


@dataclass(frozen=True)
class EngineBench:
    """How much to measure."""

    robot: str = 'velociroach'
    model: str = 'velociroach_grbal'
    """A trained bundle: its graphs serve the network of the paper's size, its weights tell int8's error."""
    provider: str = 'cpu'
    """What the engines run on; what int8 loses is measured on the CPU alone."""
    threads: int = field(default_factory=lambda: min(2, os.cpu_count() or 1))
    samples: int = 0
    """K of whole ticks; 0: the paper's."""
    chunk: int = 500
    ticks: int = 100
    repeats: int = 20
    """Of each rollout and product; the best counts."""
    grid: tuple[tuple[int, int], ...] = (
        (SAMPLES, HORIZON),
        (200, HORIZON),
        (500, HORIZON),
        (2000, HORIZON),
        (SAMPLES, 5),
    )
    """K and H of the rollouts."""
    quality_minutes: float = 1.0
    """Minutes of the mock that int8's error is measured on; 0: it is not measured."""
    seed: int = 0
    peers: bool = False
    planners: PlannerBench | None = field(default_factory=PlannerBench)
    """How much to measure of the planners; None: nothing."""

    def quick(self) -> EngineBench:
        """Return the same with what takes a minute: one size, fewer ticks, no quality."""
        return replace(
            self, ticks=min(self.ticks, 30), repeats=5, grid=self.grid[:1], quality_minutes=0.0, planners=None
        )

    @property
    def engines(self) -> list[EngineConfig]:
        """The engines of the provider."""
        return [EngineConfig(name, self.provider, self.threads) for name in ENGINES_OF[self.provider]]


@dataclass(frozen=True)
class EngineFigures:
    """What was measured."""

    hidden: tuple[int, ...]
    """Units of each hidden layer of the network that was timed."""
    gemm_gflops: float
    rollouts: list[RolloutSpeed]
    adapt_ms: dict[int, tuple[float, float]]
    """By T1: median and 99th percentile."""
    ticks: TickTimes
    int8_error: FloatArray
    """Of each step of the horizon; empty where it was not measured."""
    memory_mb: dict[str, float]
    planners: list[Quality]
    planner_horizon: int
    """H of their plans."""


def steps(bench: EngineBench) -> int:
    """Return how often `bench_engine` reports progress."""
    planners = planner_steps(bench.planners) if bench.planners else 0
    return 1 + len(WINDOWS) + bench.ticks + 1 + len(bench.engines) + planners


def bench_engine(bench: EngineBench, tell: Callable[[], object]) -> EngineFigures:
    """Measure everything; `tell` is called `steps(bench)` times on the way.

    Raises:
        UserError: no such robot or model; peers are asked for and not installed.
    """
    robot = load_robot(bench.robot)
    hidden = HIDDEN[: hidden_layers(load_bundle(bench.model, robot).theta)]
    with tempfile.TemporaryDirectory() as scratch:
        models = {
            window: write_random_model(Path(scratch) / f'T1_{window}', bench.model, robot, hidden, window)
            for window in WINDOWS
        }
        bundles = {window: load_bundle(str(path), robot) for window, path in models.items()}
        largest = bundles[max(WINDOWS)]
        peers = make_peers(bench, largest, robot) if bench.peers else {}
        walked = list(islice(walk(robot, bench.seed), max(WINDOWS) + 1))
        state = walked[-1][1]
        engines = bench.engines
        peak, speeds = measure_rollouts(largest, state, bench.grid, bench.chunk, engines, bench.repeats)
        tell()
        adapt_ms = {}
        for window, bundle in bundles.items():
            adapt_ms[window] = measure_adaptation(
                bundle, window_of(walked[: window + 1]), engines[0], 5 * bench.repeats
            )
            tell()
        samples = bench.samples or SAMPLES
        ours = make_ours(
            models[max(WINDOWS)], bench.threads, samples, HORIZON, bench.chunk, bench.provider, bench.robot
        )
        ticks = measure_ticks(ours, peers, bench.ticks, bench.seed, tell)
        memory = {}
        for name, assembly in ours.items():
            memory[name] = measure_memory(assembly.config)
            tell()
    error = np.empty(0)
    if bench.quality_minutes and bench.provider == 'cpu':
        error = measure_int8_error(bench.model, robot, HORIZON, bench.chunk, bench.quality_minutes, bench.seed)
    tell()
    quality = bench_planners(bench.planners, tell) if bench.planners else []
    return EngineFigures(
        hidden, peak, speeds, adapt_ms, ticks, error, memory, quality, horizon_of(bench.planners or PlannerBench())
    )


def make_peers(bench: EngineBench, bundle: Bundle, robot: RobotConfig) -> dict[str, EnginePeer]:
    """Make the peers.

    Raises:
        UserError: one of their libraries is not installed.
    """
    for library in ('torch', 'pytorch_mppi'):
        if find_spec(library) is None:
            raise UserError(f"--peers: {library} is not installed: pip install 'millirobot_adapt[bench]'")
    from millirobot_adapt.learning.mppi_peer import PytorchMppi

    def peer(compiled: bool) -> EnginePeer:
        return PytorchMppi(
            bundle.theta, bundle.target_scale, robot, bench.samples or SAMPLES, HORIZON, bench.threads,
            provider=bench.provider, compiled=compiled,
        )  # fmt: skip

    peers = {'pytorch_mppi': peer(compiled=False)}
    # PyTorch compiles for a CPU with the C++ compiler that it finds, and for a GPU with Triton.
    if bench.provider == 'cuda' or which('g++') or which('clang++'):
        peers['pytorch_mppi compiled'] = peer(compiled=True)
    return peers
