"""Write results in long form, sum them up cell by cell, and lay them out for people."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt.analysis.page import Table
from millirobot_adapt.analysis.statistics import standings
from millirobot_adapt.core.files import whole_text
from millirobot_adapt.experiments.episode import Episode, summarise_episode
from millirobot_adapt.experiments.experiment import ORACLE

SPANS = ('all', 'after_fault')
"""What a row sums up: the whole episode, or what came after its first fault."""

METRICS: dict[str, str] = {
    'cross_track_rms_m': 'cross-track rms [m]',
    'progress_m': 'progress [m]',
    'pace_kept': 'progress / asked for',
    'pre_error': 'next step, theta*',
    'post_error': "next step, theta'",
    'ahead_before_m': 'H steps, theta* [m]',
    'ahead_after_m': "H steps, theta' [m]",
    'effective_samples': 'effective candidates',
}
"""Columns besides the cost whose means are shown, and their headings."""

EVERY = 'every shape'
"""Stands for the shape where the shapes of a condition, or of a group of conditions, are summed up."""

NAN = float('nan')


def rows_of(episodes: Sequence[Episode], dt: float) -> list[dict[str, Any]]:
    """Sum up each episode in long form: one row for each spec and span."""
    rows: list[dict[str, Any]] = []
    for episode in episodes:
        spec, speed = episode.spec, episode.spec.controller.objective.speed
        for span in SPANS:
            summary = summarise_episode(episode.table, dt, after_fault=span == 'after_fault')
            if summary is None:
                continue
            key = {
                'method': spec.method,
                'training_seed': spec.training_seed,
                'condition': spec.condition.name,
                'shape': spec.shape,
                'seed': spec.seed,
                'span': span,
            }
            kept = summary.progress_m / (speed * summary.seconds) if speed else NAN
            rows.append(key | asdict(summary) | {'pace_kept': kept, 'ended': episode.ended})
    return rows


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write the long form as CSV; numbers in full precision, so equal runs give equal files."""
    with whole_text(path) as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)


def cells_of(
    rows: Sequence[dict[str, Any]], methods: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Sum up each condition and shape, each condition, and each group of conditions; the first method is the baseline.

    Args:
        rows: The long form.
        methods: Names in their order.
        groups: Conditions of each group.
    """
    cells: list[dict[str, Any]] = []
    for span in SPANS:
        chosen = [row for row in rows if row['span'] == span]
        for (condition, shape), places in _cuts(chosen, groups):
            here = [row for row in chosen if (row['condition'], row['shape']) in places]
            head = {'condition': condition, 'shape': shape, 'span': span}
            cells += [head | cell for cell in _cells(here, places, methods)]
    return cells


def _cuts(
    rows: Sequence[dict[str, Any]], groups: Mapping[str, Sequence[str]]
) -> Iterator[tuple[tuple[str, str], list[tuple[str, str]]]]:
    """Yield what is summed up together: a name for it, and its places (condition, shape)."""
    every = list(dict.fromkeys((row['condition'], row['shape']) for row in rows))
    for place in every:
        yield place, [place]
    for condition in dict.fromkeys(condition for condition, _ in every):
        places = [place for place in every if place[0] == condition]
        if len(places) > 1:
            yield (condition, EVERY), places
    for group, conditions in groups.items():
        places = [place for place in every if place[0] in conditions]
        if len(conditions) > 1 and places:
            yield (group, EVERY), places


def _cells(
    rows: Sequence[dict[str, Any]], places: Sequence[tuple[str, str]], methods: Sequence[str]
) -> list[dict[str, Any]]:
    """Compare the methods that walked at all of the places."""
    walked = {(row['method'], row['condition'], row['shape']) for row in rows}
    compared = [method for method in methods if all((method, *place) in walked for place in places)]
    costs = costs_at(rows, places, compared)
    standing = standings(costs, methods[0], ORACLE) if methods[0] in costs else {}
    cells = []
    for method, matrix in costs.items():
        own = [row for row in rows if row['method'] == method]
        cell: dict[str, Any] = {'method': method}
        cell['training_seeds'], _, cell['seeds'] = matrix.shape
        cell |= asdict(standing[method]) if method in standing else {'cost': float(matrix.mean())}
        pairs = matrix.mean(axis=0) < costs.get(methods[0], matrix).mean(axis=0)
        cell |= {'wins': int(pairs.sum()), 'pairs': int(pairs.size)}
        cell |= {metric: _mean([row[metric] for row in own]) for metric in METRICS}
        cells.append(cell | {'stopped': sum(row['ended'] in ('failed', 'stopped') for row in own)})
    return cells


def costs_at(
    rows: Sequence[dict[str, Any]], places: Sequence[tuple[str, str]], methods: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the costs of each method, shape (training seeds, places, environment seeds); none where no seed is common.

    Environment seeds on which one of them has no cost somewhere (it was there before the fault began) are left out.
    """
    costs: dict[tuple[str, int, tuple[str, str]], dict[int, float]] = {}
    for row in rows:
        place = (row['condition'], row['shape'])
        if place in places and row['method'] in methods:
            costs.setdefault((row['method'], row['training_seed'], place), {})[row['seed']] = row['cost']
    seeds = sorted(set.intersection(*(set(own) for own in costs.values()))) if costs else []
    if not seeds:
        return {}
    trainings = {method: sorted({training for name, training, _ in costs if name == method}) for method in methods}
    return {
        method: np.array(
            [[[costs[method, training, place][seed] for seed in seeds] for place in places] for training in own]
        )
        for method, own in trainings.items()
    }


def costs_under(
    rows: Sequence[dict[str, Any]], conditions: Collection[str], methods: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the costs of whole walks at all places under the conditions, as `costs_at` does."""
    here = [row for row in rows if row['span'] == 'all' and row['condition'] in conditions]
    return costs_at(here, sorted({(row['condition'], row['shape']) for row in here}), methods)


def _mean(values: Sequence[float]) -> float:
    """Return the mean of the values that are there."""
    there = [value for value in values if np.isfinite(value)]
    return float(np.mean(there)) if there else NAN


_COLUMNS = (
    'method',
    'cost',
    'cost / {baseline}',
    '0 oracle, 1 {baseline}',
    'behind the best other',
    *METRICS.values(),
    'stopped',
)


def tables_of(cells: Sequence[dict[str, Any]], baseline: str) -> list[tuple[str, list[list[str]]]]:
    """Lay out each place as a heading and rows of text, the first of them the names of the columns.

    Empty columns are left out.
    """
    tables = []
    for key in dict.fromkeys((cell['condition'], cell['shape'], cell['span']) for cell in cells):
        here = [cell for cell in cells if (cell['condition'], cell['shape'], cell['span']) == key]
        rows = [_line(cell) for cell in here]
        filled = [i for i in range(len(_COLUMNS)) if any(row[i] for row in rows)]
        head = [_COLUMNS[i].format(baseline=baseline) for i in filled]
        tables.append((_heading(key, here), [head, *([row[i] for i in filled] for row in rows)]))
    return tables


def _heading(key: tuple[str, str, str], cells: Sequence[dict[str, Any]]) -> str:
    condition, shape, span = key
    when = '' if span == 'all' else ', after the fault'
    trainings = max(cell['training_seeds'] for cell in cells)
    return f'{condition}, {shape}{when} ({trainings} x {cells[0]["seeds"]} seeds)'


def _line(cell: dict[str, Any]) -> list[str]:
    """Return the texts of a cell; '' where there is no value."""
    behind = _number(cell.get('behind'), cell.get('behind_interval'))
    texts = [
        cell['method'],
        _number(cell['cost'], cell.get('cost_interval')),
        _number(cell.get('ratio'), cell.get('ratio_interval')),
        _number(cell.get('normalised'), cell.get('normalised_interval')),
        f'{behind} ({cell["best_other"]})' if behind else '',
    ]
    return [*texts, *(_number(cell[metric]) for metric in METRICS), str(cell['stopped'] or '')]


def _number(value: float | None, interval: Sequence[float] | None = None) -> str:
    if value is None or not np.isfinite(value):
        return ''
    return f'{value:.3f}' + (f' [{interval[0]:.3f}, {interval[1]:.3f}]' if interval else '')


NOTE = (
    'In brackets: 95 % intervals over environment seeds in pairs and over training seeds where a method has several: '
    "Student's t, or from 10 pairs on the BCa bootstrap; none for a single seed. "
    'A ratio of costs is the geometric mean of the ratios of equal seeds. '
    "Behind the best other: the difference of the costs over the baseline's; below zero it is the best itself."
)


def as_text(cells: Sequence[dict[str, Any]], baseline: str, more: Sequence[tuple[Table, str]] = ()) -> str:
    """Return the tables for a terminal: those of the cells, then those of `more`, each with its note."""
    tables = [Table(heading, head, rows) for heading, (head, *rows) in tables_of(cells, baseline)]
    return tables_as_text([*tables, *(table for table, _ in more)], [NOTE, *(note for _, note in more if note)])


def tables_as_text(tables: Sequence[Table], notes: Sequence[str]) -> str:
    """Return tables for a terminal, and then the notes."""
    lines = []
    for table in tables:
        rows = [list(table.columns), *map(list, table.rows)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines += [table.heading]
        lines += [
            '  ' + '  '.join(f'{text:<{w}}' for text, w in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
        lines += ['']
    return '\n'.join([*lines, *notes])
