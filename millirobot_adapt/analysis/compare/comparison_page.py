"""Show a comparison of recorded runs: as a table for the terminal, and as a page in the look of the run report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from millirobot_adapt import __version__
from millirobot_adapt.analysis.compare import figures
from millirobot_adapt.analysis.compare.figures import Gallery
from millirobot_adapt.analysis.compare.runs import METRICS, Run
from millirobot_adapt.analysis.figure_style import Drawing, styled, to_svg
from millirobot_adapt.analysis.page import Card, CardGroup, Page, Picture, Section, Table, render
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import write_whole

METHOD = "Student's t on the logarithms, or from 10 pairs on the BCa bootstrap"
DASH = '\u2013'
UNEVEN = 0.9
"""Runs shorter than this part of the longest are named in a note."""

_COLUMNS: tuple[tuple[str, str, int, float], ...] = (
    ('cost', 'cost_per_step', 2, 1.0),
    ('after fault', 'cost_after_fault', 2, 1.0),
    ('off path [cm]', 'cross_track_rms_m', 1, 100.0),
    ('after fault [cm]', 'cross_track_after_fault_m', 1, 100.0),
    ('next step, theta*', 'pre_error', 3, 1.0),
    ("theta'", 'post_error', 3, 1.0),
    ('ahead, theta* [cm]', 'ahead_before_m', 1, 100.0),
    ("theta' [cm]", 'ahead_after_m', 1, 100.0),
    ('late ticks', 'deadline_misses', 0, 1.0),
    ('work p99 [ms]', 'work_p99_ms', 0, 1.0),
    ('round trip [ms]', 'rtt_p50_ms', 0, 1.0),
    ('p99 [ms]', 'rtt_p99_ms', 0, 1.0),
    ('lost', 'replies_lost', 0, 1.0),
)
"""Heading, metric, digits, scale."""
_CARDS = {
    'cost_per_step': 'cost per step',
    'cost_after_fault': 'cost per step, after the fault',
    'cross_track_rms_m': 'off the path (rms)',
    'ahead_after_m': 'error over the horizon',
    'deadline_misses': 'ticks late a run',
}
"""Metrics that are key figures, and what they say."""
_PICTURES: tuple[tuple[Callable[[Gallery], Drawing | None], str], ...] = (
    (figures.paths, 'Paths driven, path wanted'),
    (figures.ratios, 'Pairs of equal seed'),
    (figures.off_path, 'Distance to the path'),
    (figures.next_step, 'Predicting the next step'),
    (figures.further_ahead, 'Looking further ahead'),
    (figures.ready_times, 'Work of a tick'),
    (figures.round_trips, 'Link'),
)


def table(runs: Sequence[Run], found: Mapping[str, Any]) -> str:
    """Return the comparison as text: a line for each run, one for the mean of each variant, then the pairs."""
    columns, rows = _rows(runs, found)
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        cells = [
            f'{cell:<{width}}' if i < 2 else f'{cell:>{width}}'
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return '  '.join(cells).rstrip()

    lines = [line(columns), *(line(row) for row in rows)]
    lines += ['', *sentences(found)] if found['pairs'] else []
    return '\n'.join(lines + notes(runs, found))


def _rows(runs: Sequence[Run], found: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Lay out runs and means: name, variant, seed, then the metrics."""
    columns = ['run', 'variant', 'seed', *(heading for heading, *_ in _COLUMNS)]
    rows = [
        [run.name, run.variant, DASH if run.seed is None else str(run.seed), *(_cells(run.metrics))] for run in runs
    ]
    for entry in found['variants']:
        means = {metric: entry[metric]['mean'] for metric in METRICS}
        rows.append([f'mean of {entry["runs"]}', entry['variant'], '', *_cells(means)])
    return columns, rows


def _cells(metrics: Mapping[str, float | None]) -> list[str]:
    return [_number(metrics[metric], digits, scale) for _, metric, digits, scale in _COLUMNS]


def _number(value: float | None, digits: int, scale: float = 1.0) -> str:
    return DASH if value is None else f'{value * scale:.{digits}f}'


def sentences(found: Mapping[str, Any]) -> list[str]:
    """Return a line for each ratio between paired runs."""
    lines = []
    for entry in found['pairs']:
        interval = ' [{:.3f}, {:.3f}]'.format(*entry['interval']) if entry['interval'] else ''
        heading = METRICS[entry['metric']].replace(' [m]', '')
        lines.append(
            f'{heading}: {entry["variant"]} / {entry["against"]} = {entry["ratio"]:.3f}{interval}, '
            f'lower on {entry["wins"]} of {entry["pairs"]} pairs'
        )
    return lines


def notes(runs: Sequence[Run], found: Mapping[str, Any]) -> list[str]:
    """Return what a reader must know before believing the numbers."""
    lines = []
    if not found['pairs']:
        lines.append('No two runs of different variants share seed, path and condition: nothing is paired.')
    elif any(entry['interval'] for entry in found['pairs']):
        lines.append(f'Ratios are geometric means over pairs; in brackets their 95 % intervals: {METHOD}.')
    longest = max(row['seconds'] for row in found['runs'])
    short = [row['name'] for row in found['runs'] if row['seconds'] < UNEVEN * longest]
    if short:
        lines.append(f'Shorter than the others, so their means are of another stretch: {", ".join(short)}.')
    lines += [gap for run in runs for gap in run.recorded.gaps]
    return list(dict.fromkeys(lines))


def write_page(path: Path, runs: Sequence[Run], found: dict[str, Any]) -> None:
    """Write the comparison as one HTML file that needs nothing else.

    Raises:
        UserError: the file cannot be written.
    """
    gallery = Gallery(runs, [entry['variant'] for entry in found['variants']], found)
    columns, rows = _rows(runs, found)
    page = Page(
        title=f'{_list(gallery.variants)}: {len(runs)} runs',
        eyebrow=f'millirobot comparison · {datetime.now():%Y-%m-%d %H:%M}',
        lead=_lead(found),
        banners=[
            f'{run.name} stopped at {stop["time_s"]:.1f} s: {stop["reason"]}'
            for run in runs
            for stop in run.recorded.summary['stops']
        ],
        cards=[CardGroup('', _cards(found))],
        sections=_sections(gallery),
        tables=[Table('Every run', columns, rows)],
        notes=notes(runs, found),
        footer=f'millirobot_adapt {__version__} · theta*: before adaptation, theta\u2032: after it',
    )
    try:
        write_whole(path, render(page))
    except OSError as error:
        raise UserError(f'{path}: cannot be written ({error.strerror}); choose another place with --out') from None


def _sections(gallery: Gallery) -> list[Section]:
    pictures = []
    with styled():
        for draw, title in _PICTURES:
            drawing = draw(gallery)
            if drawing is not None:
                svg = to_svg(drawing.figure, draw.__name__, f'{title}. {drawing.says}')
                pictures.append(Picture(title, drawing.says, svg, wide=draw is figures.paths))
    return [Section('Side by side', pictures)] if pictures else []


def _list(names: Sequence[str]) -> str:
    return ' and '.join([', '.join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _lead(found: Mapping[str, Any]) -> str:
    """Say what the pairs say about the cost, where there are any."""
    costs = [entry for entry in found['pairs'] if entry['metric'] == 'cost_after_fault']
    costs = costs or [entry for entry in found['pairs'] if entry['metric'] == 'cost_per_step']
    when = ' after the fault' if costs and costs[0]['metric'] == 'cost_after_fault' else ''
    return ' '.join(
        f'{entry["variant"]} cost {entry["ratio"]:.2f} of {entry["against"]} a step{when}, '
        f'and less on {entry["wins"]} of {entry["pairs"]} pairs of equal seed.'
        for entry in costs
    )


def _cards(found: Mapping[str, Any]) -> list[Card]:
    """Show the means of the variants for what matters first."""
    chosen = [column for column in _COLUMNS if column[1] in _CARDS]
    names = ' · '.join(entry['variant'] for entry in found['variants'][:3])
    cards = []
    for heading, metric, digits, scale in chosen:
        means = [_number(entry[metric]['mean'], digits, scale) for entry in found['variants']]
        if set(means) == {DASH}:
            continue
        unit = heading.partition(' [')[2].rstrip(']')
        cards.append(Card(' · '.join(means[:3]), unit, _CARDS[metric], names))
    return cards
