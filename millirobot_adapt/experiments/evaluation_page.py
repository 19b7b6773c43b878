"""Write the results of an experiment: tables, pictures, and one page with all of it, in the look of the run report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.analysis.figure_style import Drawing, save_png, styled, to_svg
from millirobot_adapt.analysis.page import Card, CardGroup, Page, Picture, Section, Table, render
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import write_whole
from millirobot_adapt.experiments import cost_figures, walk_figures
from millirobot_adapt.experiments.overview import as_markdown, overview, ranged
from millirobot_adapt.experiments.recovery_figure import recovery_curves
from millirobot_adapt.experiments.results import Results
from millirobot_adapt.experiments.results_table import NOTE, write_rows
from millirobot_adapt.experiments.store import file_name

MOST_CARDS = 8
"""More figures than this are a table."""


def write_all(
    folder: Path,
    results: Results,
    rows: Sequence[dict[str, Any]],
    report: dict[str, Any],
    fresh: Sequence[dict[str, Any]] = (),
) -> None:
    """Write results.csv, results.json, results.md, the pictures, and index.html, which needs nothing else.

    Args:
        folder: Where to.
        results: What to write.
        rows: The long form.
        report: What --json prints.
        fresh: The long form of walks on fresh seeds, which becomes confirmation.csv.

    Raises:
        UserError: a file cannot be written.
    """
    try:
        write_rows(folder / 'results.csv', rows)
        if fresh:
            write_rows(folder / 'confirmation.csv', fresh)
        write_whole(folder / 'results.json', json.dumps(report, indent=1) + '\n')
        write_whole(folder / 'results.md', as_markdown(results) + '\n')
        pictures = []
        with styled():
            for name, title, drawing in drawings(results):
                save_png(drawing.figure, folder / f'{name}.png')
                svg = to_svg(drawing.figure, name, f'{title}. {drawing.says}')
                pictures.append(Picture(title, drawing.says, svg, wide=True))
        write_whole(folder / 'index.html', _page(results, pictures))
    except OSError as error:
        raise UserError(f'{folder}: cannot be written ({error.strerror}); choose another --out') from None


def drawings(results: Results) -> Iterator[tuple[str, str, Drawing]]:
    """Yield name, title and drawing of every picture there is something to show in."""
    ways = (
        ('costs_unseen', 'Cost by condition', cost_figures.unseen),
        ('costs_normalised', 'Between oracle and baseline', cost_figures.normalised),
        ('costs_terrains', 'Cost by terrain and shape', cost_figures.terrains),
    )
    for name, title, draw in ways:
        drawing = draw(results)
        if drawing:
            yield name, title, drawing
    drawing = recovery_curves(results)
    if drawing:
        yield 'recovery', 'Recovery from a fault in mid-run', drawing
    for method in results.adapting:
        drawing = walk_figures.errors(results, method)
        if drawing:
            yield f'errors_{file_name(method)}', f'Prediction errors of {method}', drawing
    for condition, shape in dict.fromkeys(episode.spec.place for episode in results.episodes):
        drawing = walk_figures.paths(results, condition, shape)
        if drawing:
            yield f'paths_{file_name(condition)}_{file_name(shape)}', f'{condition}, {shape}', drawing


def _page(results: Results, pictures: Sequence[Picture]) -> str:
    """Lay out the page: each method against the baseline in each group first, then pictures, then tables."""
    *others, last = results.methods
    cards, ratios = _against_baseline(results)
    spec = results.episodes[0].spec
    conditions = len({episode.spec.condition.name for episode in results.episodes})
    seeds = len({episode.spec.seed for episode in results.episodes})
    page = Page(
        title=f'{", ".join(others)} and {last}' if others else last,
        eyebrow='millirobot evaluation',
        lead=f'{len(results.episodes)} walks of up to {spec.seconds:g} s: conditions {conditions}, seeds {seeds}.',
        banners=[],
        cards=cards,
        sections=[Section('Pictures', pictures)],
        notes=[NOTE],
        footer=f'millirobot_adapt {__version__}',
        tables=[*ratios, *overview(results)],
    )
    return render(page)


def _against_baseline(results: Results) -> tuple[list[CardGroup], list[Table]]:
    """Compare every method with the baseline in every group: floors of the training data, and what none has seen.

    A few figures become cards; more become one table a heading, with a row for each group.
    """
    trained = results.trained_groups
    found = {
        heading: {(name, method): cell for name in names for method, cell in _ratios(results, name).items()}
        for heading, names in (
            (f'Floors of the training data: cost over that of {results.baseline}', trained),
            (
                f'Not seen in training: cost over that of {results.baseline}',
                [name for name in results.groups if name not in trained],
            ),
        )
    }
    known = {heading: cells for heading, cells in found.items() if cells}
    if sum(map(len, known.values())) <= MOST_CARDS:
        groups = [
            CardGroup(heading, [_card(results, *key, cell) for key, cell in cells.items()])
            for heading, cells in known.items()
        ]
        return groups, []
    return [], [_ratio_table(results, heading, cells) for heading, cells in known.items()]


def _ratios(results: Results, group: str) -> dict[str, dict[str, Any]]:
    """Return the cell of each method in a group of conditions, where it and the baseline walked there."""
    cells = {method: results.group_cell(method, group) for method in results.methods[1:]}
    return {method: cell for method, cell in cells.items() if cell and np.isfinite(cell.get('ratio', np.nan))}


def _card(results: Results, group: str, method: str, cell: dict[str, Any]) -> Card:
    interval = cell['ratio_interval']
    note = '95 % interval {:.2f} to {:.2f}'.format(*interval) if interval else 'no interval from one seed'
    wins = f'less on {cell["wins"]} of {cell["pairs"]} pairs; {note}'
    return Card(f'{cell["ratio"]:.2f}', '', f'{method} / {results.baseline}, {group.replace("_", " ")}', wins)


def _ratio_table(results: Results, heading: str, cells: dict[tuple[str, str], dict[str, Any]]) -> Table:
    methods = [method for method in results.methods if any(method == other for _, other in cells)]
    rows = [
        [group.replace('_', ' '), *(ranged(cells.get((group, method), {}), 'ratio') for method in methods)]
        for group in dict.fromkeys(group for group, _ in cells)
    ]
    return Table(heading, ['conditions', *methods], rows)
