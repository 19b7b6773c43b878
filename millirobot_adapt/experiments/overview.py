"""Sum an experiment up in two tables: costs by condition and shape, as in the paper, and how the methods compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from millirobot_adapt.analysis.page import Table
from millirobot_adapt.analysis.statistics import with_interval
from millirobot_adapt.experiments import adaptation_share, confirmation, foresight, recovery
from millirobot_adapt.experiments.results import Results
from millirobot_adapt.experiments.results_table import NOTE, tables_of

DASH = '\u2013'


def costs(results: Results, conditions: Sequence[str], heading: str) -> Table:
    """Lay out mean costs: a row for each condition and method, a column for each shape (the paper's Table 2)."""
    shapes = results.shapes(conditions)
    rows = []
    for condition in conditions:
        for method in results.methods:
            cells = [results.cell(method, condition, shape) for shape in shapes]
            if any(cells):
                texts = [f'{cell["cost"]:.2f}' if cell else DASH for cell in cells]
                rows.append([condition, method, *texts])
    return Table(heading, ['condition', 'method', *shapes], rows)


def comparison(results: Results) -> Table:
    """Lay out, for each group of conditions and method: cost, ratio, place between oracle and baseline, lag."""
    head = ['conditions', 'method', 'cost', f'cost / {results.baseline}', f'0 oracle, 1 {results.baseline}']
    head += ['behind the best other', 'its upper bound', 'progress / asked for']
    rows = []
    for group in results.groups:
        for method in results.methods:
            cell = results.group_cell(method, group)
            if cell and 'ratio' in cell:
                rows.append([group, method, *_texts(cell)])
    return Table('How the methods compare', head, rows)


def _texts(cell: dict[str, Any]) -> list[str]:
    texts = [ranged(cell, key) for key in ('cost', 'ratio', 'normalised')]
    texts += [f'{cell["behind"]:+.3f} ({cell["best_other"]})' if cell['best_other'] else DASH]
    texts += [f'{cell["behind_interval"][1]:+.3f}' if cell['behind_interval'] else DASH]
    return [*texts, f'{cell["pace_kept"]:.2f}' if np.isfinite(cell['pace_kept']) else DASH]


def ranged(cell: Mapping[str, Any], key: str) -> str:
    """Write a value of a cell with its interval, if it has one; a dash where there is none."""
    value, interval = cell.get(key, np.nan), cell.get(f'{key}_interval')
    if not np.isfinite(value):
        return DASH
    return with_interval(value, interval)


def overview(results: Results) -> list[Table]:
    """Return the tables that say the most."""
    tables = [comparison(results)]
    for conditions, heading in ((results.together, 'Cost by terrain and shape'), (results.alone, 'Cost by condition')):
        if conditions:
            tables.append(costs(results, conditions, heading))
    return [*tables, *(table for table, _ in analyses(results))]


def analyses(results: Results) -> list[tuple[Table, str]]:
    """Return the tables of what was looked at besides costs, each with a note; none without a row."""
    found = []
    if results.confirmations:
        found.append((confirmation.confirmation_table(results.confirmations), confirmation.NOTE))
    if results.shares:
        found.append((adaptation_share.share_table(results.shares), adaptation_share.NOTE))
    if results.recoveries:
        found.append((recovery.recovery_table(results.recoveries), recovery.NOTE))
    if results.foresights:
        found.append((foresight.foresight_table(results.foresights), foresight.NOTE))
    return found


def as_markdown(results: Results) -> str:
    """Return all tables as a document."""
    lines = ['# Results', '', NOTE, '']
    for _, note in analyses(results):
        lines += [note, '']
    tables = overview(results)
    tables += [Table(heading, rows[0], rows[1:]) for heading, rows in tables_of(results.cells, results.baseline)]
    for table in tables:
        lines += [f'## {table.heading}', '', f'| {" | ".join(table.columns)} |', '|' + '---|' * len(table.columns)]
        lines += [f'| {" | ".join(row)} |' for row in table.rows] + ['']
    return '\n'.join(lines)
