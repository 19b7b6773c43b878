"""Lay out the figures of the engine for a terminal and for JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt.benchmarks.engine import planners_table
from millirobot_adapt.benchmarks.engine.engine_bench import EngineFigures
from millirobot_adapt.benchmarks.engine.speed import RolloutSpeed

SCHEMA = 1
"""Version of the JSON."""


def as_dict(figures: EngineFigures) -> dict[str, Any]:
    """Return the figures for JSON; `engines` and `tick_ms` are of the paper's size, `tick_ms` of the fastest engine."""
    fastest = fastest_engine(figures)
    return {
        'schema': SCHEMA,
        'gemm_gflops': figures.gemm_gflops,
        'engines': {
            name: {
                'gflops': speed.gflops,
                'ratio_to_gemm': speed.gflops / figures.gemm_gflops,
                'rollout_ms': speed.ms,
                'tick_ms': spread(figures.ticks.ours[name]),
                'adapt_in_tick_ms': spread(figures.ticks.adapt[name]),
                'rollouts_in_tick_ms': spread(figures.ticks.rollouts[name]),
                'beside_rollouts_ms': figures.ticks.beside(name),
                'memory_mb': figures.memory_mb[name],
            }
            for name, speed in at_paper_size(figures).items()
        },
        'rollouts': [asdict(speed) for speed in figures.rollouts],
        'adapt_ms': {str(window): median for window, (median, _) in figures.adapt_ms.items()},
        'adapt_p99_ms': {str(window): p99 for window, (_, p99) in figures.adapt_ms.items()},
        'fastest': fastest,
        'tick_ms': spread(figures.ticks.ours[fastest]),
        'peers': {
            name: {
                'tick_ratio': figures.ticks.ratio(name, fastest)[0],
                'least_ratio': figures.ticks.ratio(name, fastest)[1],
                'tick_ms': spread(times),
                'ratios': {
                    engine: dict(zip(('median', 'least'), figures.ticks.ratio(name, engine), strict=True))
                    for engine in figures.ticks.ours
                },
            }
            for name, times in figures.ticks.peers.items()
        },
        'int8_rollout_error_p95': [float(error) for error in figures.int8_error],
        'planners': planners_table.as_rows(figures.planners, figures.planner_horizon),
    }


def at_paper_size(figures: EngineFigures) -> dict[str, RolloutSpeed]:
    """Return the first speed of each engine: that of the paper's K and H."""
    first: dict[str, RolloutSpeed] = {}
    for speed in figures.rollouts:
        first.setdefault(speed.engine, speed)
    return first


def fastest_engine(figures: EngineFigures) -> str:
    """Return the engine with the quickest median tick."""
    return min(figures.ticks.ours, key=lambda name: float(np.median(figures.ticks.ours[name])))


def spread(times: Sequence[float]) -> dict[str, float]:
    """Return median, 99th percentile and worst of times [ms]."""
    return {'p50': float(np.median(times)), 'p99': float(np.percentile(times, 99)), 'max': float(max(times))}


def table(figures: EngineFigures, threads: int) -> str:
    """Lay out the figures for a terminal."""
    content = as_dict(figures)
    lines = [f'{machine()}; {threads} threads', f'fp32 product of 2048 x 2048: {figures.gemm_gflops:.0f} GFLOP/s', '']
    title = f'rollouts, {len(figures.hidden)} x {figures.hidden[0]}'
    lines.append(f'{title:18} {"K":>6} {"H":>4} {"best [ms]":>10} {"GFLOP/s":>9} {"of the product":>15}')
    for speed in figures.rollouts:
        size = f'{speed.engine:18} {speed.samples:6d} {speed.horizon:4d}'
        lines.append(f'{size} {speed.ms:10.1f} {speed.gflops:9.0f} {speed.gflops / figures.gemm_gflops:15.2f}')
    lines += ['', f'{"adaptation":20} {"p50 [ms]":>9} {"p99 [ms]":>9}']
    lines += [f'T1 = {window:<15d} {median:9.2f} {p99:9.2f}' for window, (median, p99) in figures.adapt_ms.items()]
    head = f'{"whole tick":22} {"p50 [ms]":>9} {"p99 [ms]":>9} {"max [ms]":>9} {"adapt [ms]":>11}'
    lines += ['', f'{head} {"rollouts [ms]":>14} {"beside them":>12} {"memory [MB]":>12}']
    for name, engine in content['engines'].items():
        adapt, rollouts = (engine[f'{part}_in_tick_ms']['p50'] for part in ('adapt', 'rollouts'))
        beside, memory = engine['beside_rollouts_ms'], engine['memory_mb']
        times = f'{_times(engine["tick_ms"])} {adapt:11.1f}'
        lines.append(f'{name:22} {times} {rollouts:14.1f} {beside:12.1f} {memory:12.0f}')
    for name, peer in content['peers'].items():
        lines.append(f'{name:22} {_times(peer["tick_ms"])}')
        for engine, ratio in peer['ratios'].items():
            lines.append(
                f'  takes {ratio["median"]:.2f} times as long as {engine} (median of the ratios tick by tick; least '
                f'{ratio["least"]:.2f})'
            )
    if content['peers'] and 'pytorch_mppi compiled' not in content['peers']:
        lines.append('pytorch_mppi compiled: not measured, PyTorch finds no C++ compiler here')
    if len(figures.int8_error):
        errors = ' '.join(f'{100 * error:.2f}' for error in figures.int8_error)
        lines += ['', f'int8 against fp32, error of position over the way gone, 95th percentile by step [%]: {errors}']
    if figures.planners:
        lines += ['', planners_table.table(figures.planners, figures.planner_horizon)]
    return '\n'.join(lines)


def machine() -> str:
    """Name the processor and its cores."""
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        lines = []
    named = next((line.partition(':')[2].strip() for line in lines if line.startswith('model name')), 'a CPU')
    return f'{named}, {os.cpu_count()} cores'


def _times(times: dict[str, float]) -> str:
    return f'{times["p50"]:9.1f} {times["p99"]:9.1f} {times["max"]:9.1f}'
