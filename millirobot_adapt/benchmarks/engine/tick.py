"""Measure whole ticks, ours and those of peers, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from millirobot_adapt.benchmarks.engine.random_model import walk
from millirobot_adapt.core.control.wiring import Assembly, ControllerConfig, assemble
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.dynamics.rollout import ENGINES
from millirobot_adapt.core.planning.objective import TrackingObjective
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.projection import AT_START
from millirobot_adapt.core.robot.state import FloatArray

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

    def ratio(self, peer: str, engine: str) -> tuple[float, float]:
        """Return median and least of peer's time over ours, tick by tick."""
        ratios = np.divide(self.peers[peer], self.ours[engine])
        return float(np.median(ratios)), float(ratios.min())


def make_ours(model: Path, threads: int, samples: int, horizon: int, chunk: int) -> dict[str, Assembly]:
    """Make a control loop for each engine, planning by MPPI as the defaults say, without a deadline in the way."""
    config = ControllerConfig(model=str(model), path='straight', anchor='world')
    planner = replace(config.planner, method='mppi', samples=samples, horizon=horizon, batch=chunk)
    return {
        name: assemble(replace(config, planner=planner, engine=EngineConfig(name=name, threads=threads)))
        for name in ENGINES
    }


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
    times = TickTimes({name: [] for name in ours}, {name: [] for name in ours}, {name: [] for name in peers})
    filling = some.bundle.window + 2
    action = some.robot.action_low
    for tick, (stamp, state, sent) in enumerate(walk(some.robot, seed)):
        for name, loop in loops.items():
            time.sleep(REST)
            start = time.perf_counter()
            result = loop.step(tick, stamp, state, sent, action)
            if tick >= filling:
                times.ours[name].append(1e3 * (time.perf_counter() - start))
                times.adapt[name].append(result.adapt_ms)
        if tick < filling:
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
