"""Write results in long form and print them cell by cell."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt.experiments.grid import SPANS
from millirobot_adapt.experiments.statistics import compare
from millirobot_adapt.experiments.story import COLUMNS, Episode

METRICS: dict[str, str] = {
    'cost': 'cost per step',
    'cross_track_rms_m': 'cross-track rms [m]',
    'progress_m': 'progress [m]',
    'pre_error': 'error with theta*',
    'post_error': "error with theta'",
}
"""Columns that are compared, and their headings."""


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write the long form as CSV; numbers in full precision, so equal runs give equal files."""
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)


def write_episode(path: Path, episode: Episode) -> None:
    """Write an episode's table, one line a tick."""
    columns = np.column_stack([episode.table[name] for name in COLUMNS])
    np.savetxt(path, columns, delimiter=',', header=','.join(COLUMNS), comments='', fmt='%.10g')


def cells_of(rows: Sequence[dict[str, Any]], methods: Sequence[str]) -> list[dict[str, Any]]:
    """Sum up the seeds of each condition, shape, span and method; the first method is the baseline of the others."""
    cells = []
    keys = dict.fromkeys((row['condition'], row['shape']) for row in rows)
    for (condition, shape), span in ((key, span) for key in keys for span in SPANS):
        place = {'condition': condition, 'shape': shape, 'span': span}
        chosen = [row for row in rows if place.items() <= row.items()]
        if not chosen:
            continue
        for method in methods:
            mine = {row['seed']: row for row in chosen if row['method'] == method}
            cell: dict[str, Any] = place | {'method': method, 'seeds': len(mine)}
            for metric in METRICS:
                values = np.array([row[metric] for row in mine.values()])
                cell[metric] = {'mean': _mean(values), 'sd': _sd(values)}
            base = {row['seed']: row for row in chosen if row['method'] == methods[0]}
            paired = sorted(mine.keys() & base.keys())
            if method != methods[0] and paired:
                costs = [np.array([own[seed]['cost'] for seed in paired]) for own in (mine, base)]
                cell['cost_against_' + methods[0]] = asdict(compare(*costs))
            cells.append(cell)
    return cells


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float('nan')


def _sd(values: np.ndarray) -> float:
    """Return the standard deviation over seeds; a single seed has none."""
    return float(values.std(ddof=1)) if len(values) > 1 else float('nan')


def format_cells(cells: Sequence[dict[str, Any]], baseline: str) -> str:
    """Lay the cells out as a table for people: mean +- standard deviation over seeds, then the comparison."""
    width = max(12, *(len(cell['method']) for cell in cells))
    lines = []
    place = None
    for cell in cells:
        here = (cell['condition'], cell['shape'], cell['span'])
        if here != place:
            place = here
            lines += ['', f'{here[0]}, {here[1]}, {here[2].replace("_", " the ")} ({cell["seeds"]} seeds)']
            lines.append(f'  {"method":{width}}' + ''.join(f'{heading:>22}' for heading in METRICS.values()))
        values = (f'{cell[metric]["mean"]:.3f} +- {cell[metric]["sd"]:.3f}' for metric in METRICS)
        lines.append(f'  {cell["method"]:{width}}' + ''.join(f'{value:>22}' for value in values))
        against = cell.get('cost_against_' + baseline)
        if against:
            (low, high), (ratio_low, ratio_high) = against['difference_interval'], against['ratio_interval']
            lines.append(
                f'  {"":{width}}  cost - {baseline}: {against["difference"]:+.3f} [{low:+.3f}, {high:+.3f}]; '
                f'cost / {baseline}: {against["ratio"]:.3f} [{ratio_low:.3f}, {ratio_high:.3f}]; '
                f'lower on {against["wins"]} of {against["pairs"]} seeds'
            )
    return '\n'.join(lines[1:]) + '\n(mean +- sd over seeds; in brackets 95 % bootstrap intervals of paired seeds)'
