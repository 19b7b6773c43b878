"""Sum up what the methods predicted: means, 95 % intervals over rollouts, ratios to mb; as rows, table and CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt.analysis.statistics import Interval, mean_interval, shifted
from millirobot_adapt.core.files import whole_text
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.learning.log_rollouts import Log
from millirobot_adapt.learning.log_study import BASELINE, Result

UNBOUNDED: Interval = (-np.inf, np.inf)
Row = dict[str, Any]


def summarise_logs(results: Sequence[Result], horizons: Sequence[int]) -> list[Row]:
    """Return a row for each test, shift, method and horizon; a mean of a method is one over seeds and rollouts."""
    rows = []
    for (test, shift), cell in _cells(results).items():
        for index, horizon in enumerate(horizons):
            baseline = _mean_over_seeds(cell[BASELINE], index)
            for method, found in cell.items():
                mine = _mean_over_seeds(found, index)
                row: Row = {'test': test, 'shift': shift, 'method': method, 'horizon': horizon}
                row |= {'seeds': len(found), 'rollouts': int((~np.isnan(mine['position_after'])).sum())}
                for name, values in mine.items():
                    row[name], row[f'{name}_interval'] = _mean(values)
                row['ratio'], row['ratio_interval'] = _ratio(mine['position_after'], baseline['position_after'])
                rows.append(row)
    return rows


def log_table(rows: Sequence[Row]) -> str:
    """Lay the rows out as a markdown table for each test and shift; one line a method, one column a horizon."""
    horizons = list(dict.fromkeys(row['horizon'] for row in rows))
    heads = [
        *(f'position H = {horizon} [mm], before -> after' for horizon in horizons),
        *(f'/ {BASELINE}, H = {horizon}' for horizon in horizons),
        *(f'heading H = {horizon} [rad]' for horizon in horizons),
    ]
    lines: list[str] = []
    for test, shift in dict.fromkeys((row['test'], row['shift']) for row in rows):
        there = [row for row in rows if (row['test'], row['shift']) == (test, shift)]
        lines += [f'**{test}, {shift}** ({there[0]["rollouts"]} rollouts)', '']
        lines += [f'| method | {" | ".join(heads)} |', '|---' * (len(heads) + 1) + '|']
        for method in dict.fromkeys(row['method'] for row in there):
            mine = [row for row in there if row['method'] == method]
            cells = [*map(_position, mine), *map(_ratio_cell, mine), *map(_heading, mine)]
            lines.append(f'| {method} | {" | ".join(cells)} |')
        lines.append('')
    return '\n'.join([*lines, 'In brackets: 95 % intervals over rollouts.'])


def write_rollouts(path: Path, results: Sequence[Result], logs: Mapping[str, Log], horizons: Sequence[int]) -> None:
    """Write the long form: a line for each rollout, method, seed and horizon; numbers in full precision."""
    with whole_text(path) as file:
        writer = csv.writer(file, lineterminator='\n')
        names = ('position_before', 'position_after', 'heading_before', 'heading_after')
        writer.writerow(('test', 'shift', 'method', 'seed', 'rollout', 'session', 'horizon', *names))
        for result in results:
            for rollout, session in enumerate(logs[result.test].sessions):
                for index, horizon in enumerate(horizons):
                    values = (*result.errors.position[:, rollout, index], *result.errors.heading[:, rollout, index])
                    place = (result.test, result.shift, result.method, result.seed, rollout, session, horizon)
                    writer.writerow((*place, *values))


def _cells(results: Sequence[Result]) -> dict[tuple[str, str], dict[str, list[Result]]]:
    """Group by test and shift, then by method; tests stay together."""
    keys = sorted({(result.test, result.shift): None for result in results}, key=_order(results))
    cells: dict[tuple[str, str], dict[str, list[Result]]] = {key: {} for key in keys}
    for result in results:
        cells[result.test, result.shift].setdefault(result.method, []).append(result)
    return cells


def _order(results: Sequence[Result]) -> Any:
    tests = list(dict.fromkeys(result.test for result in results))
    shifts = list(dict.fromkeys(result.shift for result in results))
    return lambda key: (tests.index(key[0]), shifts.index(key[1]))


def _mean_over_seeds(found: Sequence[Result], index: int) -> dict[str, FloatArray]:
    """Return the errors of each rollout (N,), named kind_when."""
    kinds = {
        'position': np.mean([result.errors.position[..., index] for result in found], axis=0),
        'heading': np.mean([result.errors.heading[..., index] for result in found], axis=0),
    }
    return {f'{kind}_{when}': kinds[kind][row] for kind in kinds for row, when in enumerate(('before', 'after'))}


def _mean(values: FloatArray) -> tuple[float, Interval]:
    """Return the mean over rollouts and its interval; unbounded where an error is infinite or one rollout is all."""
    values = values[~np.isnan(values)]
    return float(values.mean()), mean_interval(values) or UNBOUNDED


def _ratio(values: FloatArray, baseline: FloatArray) -> tuple[float, Interval]:
    """Return the ratio of two means over the same rollouts, and its interval to first order."""
    both = ~(np.isnan(values) | np.isnan(baseline))
    values, baseline = values[both], baseline[both]
    ratio = float(values.mean() / baseline.mean())
    if not np.isfinite(ratio):
        return ratio, UNBOUNDED
    deviations = (values - ratio * baseline) / baseline.mean()
    return ratio, shifted(mean_interval(deviations), ratio) or UNBOUNDED


def _position(row: Row) -> str:
    low, high = (1e3 * bound for bound in row['position_after_interval'])
    return f'{1e3 * row["position_before"]:.1f} -> {1e3 * row["position_after"]:.1f} [{low:.1f}, {high:.1f}]'


def _ratio_cell(row: Row) -> str:
    low, high = row['ratio_interval']
    return f'{row["ratio"]:.3f} [{low:.3f}, {high:.3f}]'


def _heading(row: Row) -> str:
    low, high = row['heading_after_interval']
    return f'{row["heading_before"]:.3f} -> {row["heading_after"]:.3f} [{low:.3f}, {high:.3f}]'
