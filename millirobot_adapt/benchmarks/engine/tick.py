"""Measure whole ticks, ours and those of peers, in turns, and after each of ours its rollouts alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from millirobot_adapt.benchmarks.engine.random_model import candidates, walk
from millirobot_adapt.core.arrays import on_host
from millirobot_adapt.core.control.tick_result import TickResult
from millirobot_adapt.core.control.wiring import Assembly, ControllerConfig, assemble
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.dynamics.provider import place_of
from millirobot_adapt.core.dynamics.rollout import ENGINES
from millirobot_adapt.core.planning.objective import TrackingObjective
from millirobot_adapt.core.planning.optimize import SearchSize
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.projection import AT_START
from millirobot_adapt.core.robot.state import FloatArray

ENGINES_OF = {'cpu': tuple(ENGINES), 'cuda': ('fp32', 'tf32', 'bf16'), 'torch-cpu': ('fp32', 'bf16')}
"""The engines of each provider."""
WARM = 3
"""Ticks of a peer before it is timed: it compiles, if it does, at the first."""
REST = 0.03
"""Pause before each measurement, in which the threads of the one before fall asleep [s]."""


class EnginePeer(Protocol):
    """Another implementation of adaptation and planning."""

    def tick(self, state: FloatArray, window: Window, objective: TrackingObjective) -> FloatArray:
        """Adapt and plan; return the next action."""


@dataclass(frozen=True)
class TickTimes:
    """Times of whole ticks, all in the same order of ticks."""

    ours: dict[str, list[float]]
    """By engine [ms]: state in, adaptation, plan out."""
    adapt: dict[str, list[float]]
    """By engine: the part of the adaptation, with the quantisation of the weights [ms]."""
    peers: dict[str, list[float]] = field(default_factory=dict)
    """By peer [ms]."""
    rollouts: dict[str, list[float]] = field(default_factory=dict)
    """By engine: as many candidates rolled out once more, by the model and in the batches of the tick before [ms]."""

    def ratio(self, peer: str, engine: str) -> tuple[float, float]:
        """Return median and least of peer's time over ours, tick by tick."""
        ratios = np.divide(self.peers[peer], self.ours[engine])
        return float(np.median(ratios)), float(ratios.min())

    def beside(self, engine: str) -> float:
        """Return what a tick takes beside its rollouts, the median of the differences tick by tick [ms]."""
        return float(np.median(np.subtract(self.ours[engine], self.rollouts[engine])))


def make_ours(
    model: Path, threads: int, samples: int, horizon: int, chunk: int, provider: str = 'cpu', robot: str = 'velociroach'
) -> dict[str, Assembly]:
    """Make a control loop for each engine, planning by MPPI as the defaults say, without a deadline in the way."""
    config = ControllerConfig(robot=robot, model=str(model), path='straight', anchor='world')
    planner = replace(config.planner, method='mppi', samples=samples, horizon=horizon, batch=chunk)
    engines = {name: EngineConfig(name=name, provider=provider, threads=threads) for name in ENGINES_OF[provider]}
    return {name: assemble(replace(config, planner=planner, engine=engine)) for name, engine in engines.items()}


def measure_ticks(
    ours: dict[str, Assembly], peers: dict[str, EnginePeer], ticks: int, seed: int, tell: Callable[[], object]
) -> TickTimes:
    """Time `ticks` ticks with a full window; `tell` is called after each."""
    loops = {name: assembly.loop for name, assembly in ours.items()}
    some = next(iter(ours.values()))
    path = make_path('straight')
    objective = TrackingObjective(some.config.objective, path, AT_START, some.robot.dt)
    for loop in loops.values():
        loop.restart(path)
    again = {name: make_rollouts(assembly) for name, assembly in ours.items()}
    mine: list[dict[str, list[float]]] = [{name: [] for name in ours} for _ in range(3)]
    times = TickTimes(mine[0], mine[1], {name: [] for name in peers}, mine[2])
    filling = some.bundle.window + 2
    # What executes in a tick is what was sent when the next one comes, as in a live run.
    for tick, ((stamp, state, sent), (_, _, executing)) in enumerate(pairwise(walk(some.robot, seed))):
        for name, loop in loops.items():
            time.sleep(REST)
            start = time.perf_counter()
            result = loop.step(tick, stamp, state, sent, executing)
            if tick >= filling:
                times.ours[name].append(1e3 * (time.perf_counter() - start))
                times.adapt[name].append(result.adapt_ms)
                start = time.perf_counter()
                again[name](result)
                times.rollouts[name].append(1e3 * (time.perf_counter() - start))
        if tick < filling:
            if tick >= filling - WARM:
                for peer in peers.values():
                    peer.tick(state, result.window, objective)
            continue
        for name, peer in peers.items():
            time.sleep(REST)
            start = time.perf_counter()
            peer.tick(state, result.window, objective)
            times.peers[name].append(1e3 * (time.perf_counter() - start))
        tell()
        if tick + 1 == filling + ticks:
            return times
    raise AssertionError('the walk has an end')


def make_rollouts(assembly: Assembly) -> Callable[[TickResult], object]:
    """Return a call that rolls out as many candidates as a tick does, in the same batches, where the engine runs."""
    planner, layout, place = assembly.config.planner, assembly.robot.layout, place_of(assembly.config.engine)
    size = SearchSize(planner.samples, 1, planner.batch)
    batches = [place.put(candidates(layout, planner.horizon, count)) for count, _ in size.batches()]

    def call(result: TickResult) -> object:
        return [on_host(result.adaptation.model.rollout(result.state, each)[-1, :1]) for each in batches]

    return call
