"""The page of a sitting: how the held-out error and the cost of the paths fell while the robot walked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from millirobot_adapt import __version__
from millirobot_adapt.analysis.figure_style import (
    BLUE,
    DASHED,
    HEIGHT,
    INK,
    ORANGE,
    Drawing,
    new_figure,
    styled,
    to_svg,
)
from millirobot_adapt.analysis.page import Card, CardGroup, Page, Picture, Section, Table, render
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import write_whole
from millirobot_adapt.learning.online.progress_file import FILE, Row, beginning, clock_minutes, is_model, read_progress

PAGE = 'learning.html'


def write_learning_page(folder: Path) -> Path:
    """Write the page of a run of `millirobot learn` from its progress; returns the file.

    Raises:
        UserError: nothing was walked; the page cannot be written.
    """
    rows = read_progress(folder)
    legs = [row for row in rows if 'shape' in row]
    if not legs:
        raise UserError(f'{folder}: {FILE} holds no leg; nothing was walked')
    try:
        write_whole(folder / PAGE, render(_page(folder.name, rows, legs)))
    except OSError as error:
        raise UserError(f'{folder / PAGE}: cannot be written ({error.strerror})') from None
    return folder / PAGE


def _page(name: str, rows: Sequence[Row], legs: Sequence[Row]) -> Page:
    looks, models = [row for row in rows if 'step' in row], [row for row in rows if is_model(row)]
    swaps = [row for row in rows if 'swap' in row]
    paths = [row for row in legs if row.get('cost') is not None]
    begin = beginning(rows)
    pictures = []
    with styled():
        for key, title, drawing in (
            ('paths', 'Cost of the paths', _cost_figure(paths, swaps or models)),
            ('held_out', 'Error on walks that are held out', _error_figure(looks, models, begin)),
        ):
            pictures.append(_picture(key, title, drawing))
        if judged := [row for row in rows if 'cost_judged' in row]:
            pictures.append(_picture('judged', 'Cost in the walks that judge', _judged_figure(judged)))
    minutes = max(float(row['walked_min']) for row in legs)
    cards = [
        Card(f'{minutes:.1f}', 'min', 'walked', f'{sum(row["shape"] == "random" for row in legs)} legs at random'),
        Card(str(looks[-1]['step'] if looks else 0), '', 'gradient steps'),
        Card(str(len(models)), '', 'models'),
    ]
    if looks:
        error = f'{1e3 * looks[-1]["position"]:.0f}'
        cards.append(Card(error, 'mm', 'held-out error at the horizon', 'at the last look'))
    return Page(
        title=f'Learned in {minutes:.1f} minutes of walking',
        eyebrow='millirobot learn',
        lead=f'{name}: {len(legs)} legs, {len(paths)} of them along paths with the newest model.',
        banners=[],
        cards=[CardGroup('', cards)],
        sections=[Section('', pictures)],
        notes=[
            'Paths differ, so their costs scatter. The held-out pieces are the newest ones: the error also rises where '
            'the robot walks what it has not walked before.'
        ],
        footer=f'millirobot_adapt {__version__}',
        tables=[_legs_table(legs)],
    )


def _picture(key: str, title: str, drawing: Drawing) -> Picture:
    return Picture(title, drawing.says, to_svg(drawing.figure, key, f'{title}. {drawing.says}'), True)


def _cost_figure(paths: Sequence[Row], models: Sequence[Row]) -> Drawing:
    figure, (axes,) = new_figure(HEIGHT)
    axes.plot([row['walked_min'] for row in paths], [row['cost'] for row in paths], 'o-', color=BLUE, markersize=3)
    for row in models:
        if 'walked_min' in row:
            axes.axvline(row['walked_min'], color=INK, linestyle=DASHED, linewidth=0.7)
    axes.set(xlabel='minutes walked', ylabel='cost of a step')
    if not paths:
        return Drawing(figure, 'No path was walked yet.')
    says = f'From {paths[0]["cost"]:.2f} in the first path to {paths[-1]["cost"]:.2f} in the last.'
    return Drawing(figure, f'{says} Dashed: another model.')


def _judged_figure(judged: Sequence[Row]) -> Drawing:
    """Draw what the newest models cost; after a change of condition beside what the last one before it costs."""
    figure, (axes,) = new_figure(HEIGHT)
    conditions = list(dict.fromkeys(row['condition'] for row in judged))
    says = []
    for condition, color in zip(conditions, (BLUE, ORANGE), strict=False):
        own = [row for row in judged if row['condition'] == condition]
        at, costs = [row['walked_min'] for row in own], [row['cost_judged'] for row in own]
        axes.plot(at, costs, 'o-', color=color, markersize=3, label=condition)
        if condition != conditions[0]:
            axes.plot([at[0], at[-1]], [costs[0]] * 2, color=color, linestyle=DASHED, label='without learning on')
        says.append(f'On {condition} from {costs[0]:.2f} to {costs[-1]:.2f}.')
    axes.set(xlabel='minutes walked', ylabel='cost of a step')
    axes.set_ylim(bottom=0.0)
    if len(conditions) > 1:
        axes.legend(frameon=False)
    return Drawing(figure, ' '.join(says))


def _error_figure(looks: Sequence[Row], models: Sequence[Row], begin: float) -> Drawing:
    figure, (axes,) = new_figure(HEIGHT)
    axes.plot([clock_minutes(row, begin) for row in looks], [1e3 * row['position'] for row in looks], color=ORANGE)
    for row in models:
        axes.axvline(clock_minutes(row, begin), color=INK, linestyle=DASHED, linewidth=0.7)
    axes.set(xlabel='minutes of the clock', ylabel='position error [mm]')
    if not looks:
        return Drawing(figure, 'Nothing was trained yet.')
    first, last = (1e3 * looks[place]['position'] for place in (0, -1))
    return Drawing(figure, f'From {first:.0f} to {last:.0f} mm at the horizon. Dashed: a model was exported.')


def _legs_table(legs: Sequence[Row]) -> Table:
    rows = []
    for number, row in enumerate(legs, start=1):
        cost = '-' if row.get('cost') is None else f'{row["cost"]:.2f}'
        rows.append((str(number), row['shape'], f'{row["walked_min"]:.1f}', cost))
    return Table('Legs', ('leg', 'what', 'minutes walked', 'cost of a step'), rows)
