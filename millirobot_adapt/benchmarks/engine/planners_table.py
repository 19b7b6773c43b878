"""Lay out the quality of planners for a terminal, for JSON, and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt.analysis.statistics import Comparison, Interval
from millirobot_adapt.benchmarks.engine.planners import BASELINE, PLANNERS, Quality, against_baseline


def as_rows(found: Sequence[Quality], horizon: int) -> list[dict[str, Any]]:
    """Return a row for each planner and number of samples.

    Keys: planner, samples, samples_x_horizon, plan_cost; plan_difference and plan_interval: plan cost minus that of
    random shooting with 2000 samples, paired walk by walk, and its 95 % interval; walk_cost, walk_ratio, walk_interval:
    cost of a step in closed loop, its ratio to that of the same (geometric mean of the pairs), and the interval. What
    was not walked is null, as is the interval of a single walk.
    """
    rows = []
    for quality in found:
        plans, walks = against_baseline(found, quality)
        rows.append(
            {
                'planner': quality.planner,
                'samples': quality.samples,
                'samples_x_horizon': quality.samples * horizon,
                'plan_cost': float(quality.plan_cost.mean()),
                'plan_difference': plans.difference,
                'plan_interval': plans.difference_interval,
                'walk_cost': float(quality.walk_cost.mean()) if walks else None,
                'walk_ratio': walks.ratio if walks else None,
                'walk_interval': walks.ratio_interval if walks else None,
            }
        )
    return rows


def fewest_samples(found: Sequence[Quality]) -> dict[str, int | None]:
    """Return for each planner the fewest samples whose plans cost no more than the baseline's, on average."""
    return {
        planner: min(
            (
                each.samples
                for each in found
                if each.planner == planner and against_baseline(found, each)[0].difference <= 0
            ),
            default=None,
        )
        for planner in PLANNERS
    }


def table(found: Sequence[Quality], horizon: int) -> str:
    """Lay out the rows for a terminal."""
    walked = len(found[0].walk_cost) > 0
    head = f'{"planner":24} {"K":>5} {"K x H":>7} {"cost of a plan":>15} {"against":>9}  {"95 % interval":16}'
    lines = [head + (f' {"cost of a step":>15} {"ratio":>7}  {"95 % interval":16}' if walked else '')]
    for quality in found:
        plans, walks = against_baseline(found, quality)
        line = f'{quality.planner:24} {quality.samples:5d} {quality.samples * horizon:7d} '
        line += f'{quality.plan_cost.mean():15.2f} {plans.difference:+9.2f}  {_interval(plans.difference_interval):16}'
        lines.append(line + ('' if walks is None else _walked(quality, walks)))
    planner, samples = BASELINE
    lines.append(f'against, ratio: {planner} with K = {samples}; {len(found[0].plan_cost)} walks, paired')
    for name, fewest in fewest_samples(found).items():
        lines.append(f'{name} reaches its cost of a plan with K = {fewest or "(none of these)"}')
    return '\n'.join(lines)


def _walked(quality: Quality, walks: Comparison) -> str:
    return f' {quality.walk_cost.mean():15.2f} {walks.ratio:7.2f}  {_interval(walks.ratio_interval):16}'


def _interval(ends: Interval | None) -> str:
    return f'[{ends[0]:.2f}, {ends[1]:.2f}]' if ends else '-'


def draw(path: Path, found: Sequence[Quality]) -> None:
    """Save a picture: cost of a plan against the number of samples, one line a planner, with the paired intervals."""
    from millirobot_adapt.analysis.figure_style import DASHED, HEIGHT, INK, new_figure, save_png, styled

    with styled():
        figure, (axes,) = new_figure(1.3 * HEIGHT)
        for planner in PLANNERS:
            own = [each for each in found if each.planner == planner]
            plans = [against_baseline(found, each)[0] for each in own]
            differences = np.array([each.difference for each in plans])
            low, high = np.array([each.difference_interval or (each.difference,) * 2 for each in plans]).T
            samples = [each.samples for each in own]
            axes.errorbar(
                samples, differences, (differences - low, high - differences), marker='o', capsize=3, label=planner
            )
        axes.axhline(0.0, color=INK, linewidth=0.8, linestyle=DASHED)
        axes.set(
            xscale='log',
            xlabel='candidates a tick, K',
            ylabel=f'cost of a plan minus that of {BASELINE[0]}, {BASELINE[1]}',
        )
        axes.legend(frameon=False)
        save_png(figure, path)
