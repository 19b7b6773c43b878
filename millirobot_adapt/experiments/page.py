"""Write what an experiment brought: tables, pictures, and one page with all of it, in the look of the run report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.analysis.figure_style import Drawing, styled, to_svg
from millirobot_adapt.analysis.page import Card, Page, Picture, Section, render
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.experiments import cost_figures, walk_figures
from millirobot_adapt.experiments.overview import as_markdown, overview
from millirobot_adapt.experiments.results import Results
from millirobot_adapt.experiments.store import file_name
from millirobot_adapt.experiments.table import NOTE, write_rows

DPI = 150
"""Of the pictures."""


def write_all(folder: Path, results: Results, rows: Sequence[dict[str, Any]], report: dict[str, Any]) -> None:
    """Write results.csv, results.json, results.md, the pictures, and index.html, which needs nothing else.

    Args:
        folder: Where to.
        results: What to tell of.
        rows: The long form.
        report: What --json prints.

    Raises:
        UserError: a file cannot be written.
    """
    try:
        write_rows(folder / 'results.csv', rows)
        (folder / 'results.json').write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
        (folder / 'results.md').write_text(as_markdown(results) + '\n', encoding='utf-8')
        pictures = []
        with styled():
            for name, title, drawing in drawings(results):
                # Without the version of the library equal runs give equal files.
                drawing.figure.savefig(folder / f'{name}.png', dpi=DPI, metadata={'Software': None})
                svg = to_svg(drawing.figure, name, f'{title}. {drawing.says}')
                pictures.append(Picture(title, drawing.says, svg, wide=True))
        (folder / 'index.html').write_text(_page(results, pictures), encoding='utf-8')
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
    for method in results.adapting:
        drawing = walk_figures.errors(results, method)
        if drawing:
            yield f'errors_{file_name(method)}', f'Prediction errors of {method}', drawing
    for condition, shape in dict.fromkeys(episode.story.place for episode in results.episodes):
        drawing = walk_figures.paths(results, condition, shape)
        if drawing:
            yield f'paths_{file_name(condition)}_{file_name(shape)}', f'{condition}, {shape}', drawing


def _page(results: Results, pictures: Sequence[Picture]) -> str:
    """Lay out the page: the ratios of the best method first, then pictures, then tables."""
    *others, last = results.methods
    story = results.episodes[0].story
    conditions = len({episode.story.condition.name for episode in results.episodes})
    seeds = len({episode.story.seed for episode in results.episodes})
    page = Page(
        title=f'{", ".join(others)} and {last}' if others else last,
        eyebrow='millirobot evaluation',
        lead=f'{len(results.episodes)} walks of up to {story.seconds:g} s: conditions {conditions}, seeds {seeds}.',
        stops=[],
        cards=[card for group in results.groups for card in _cards(results, group)],
        sections=[Section('Pictures', pictures)],
        missing=[NOTE],
        parameters=[],
        footer=f'millirobot_adapt {__version__}',
        tables=overview(results),
    )
    return render(page)


def _cards(results: Results, group: str) -> list[Card]:
    """Compare every method with the baseline in a group of conditions."""
    cards = []
    for method in results.methods[1:]:
        cell = results.group_cell(method, group)
        if cell and np.isfinite(cell.get('ratio', np.nan)):
            interval = cell['ratio_interval']
            note = '95 % interval {:.2f} to {:.2f}'.format(*interval) if interval else 'one seed: no interval'
            name = f'{method} / {results.baseline}, {group.replace("_", " ")}'
            cards.append(Card(f'{cell["ratio"]:.2f}', '', name, note))
    return cards
