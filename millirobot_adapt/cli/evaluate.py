"""`millirobot evaluate`: compare adaptation methods on the mock, in lock-step, without ROS."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from millirobot_adapt.core.errors import UserError

SCHEMA = 1
"""Version of the JSON that --json prints and of results.json."""


def add(subparsers: Any) -> None:
    """Add the command `evaluate`."""
    parser = subparsers.add_parser(
        'evaluate',
        help='compare adaptation methods on the mock, in lock-step, without ROS',
        description='Walk the same conditions, shapes and seeds with each method; the first one is the baseline.',
    )
    parser.add_argument('--condition', default='leg_loss', help='conditions, comma-separated (default: %(default)s)')
    parser.add_argument(
        '--methods',
        default='mb,grbal',
        help='methods, comma-separated; method=bundle takes another model than <robot>_<method>, method@engine another '
        'engine than the parameters (default: %(default)s)',
    )
    parser.add_argument(
        '--shape', default='figure8', help='shapes or CSV files, comma-separated (default: %(default)s)'
    )
    parser.add_argument('--seeds', type=int, default=5, help='seeds 0, 1, ... of each cell (default: %(default)s)')
    parser.add_argument('--seconds', type=float, default=40.0, help='longest episode [s] (default: %(default)s)')
    parser.add_argument('--out', type=Path, help='folder for results.csv, results.json, pictures, tables of the ticks')
    parser.add_argument('--json', action='store_true', help='print JSON instead of the table')
    parser.add_argument('--jobs', type=int, default=-1, help='processes; -1: one for each core (default: %(default)s)')
    parser.add_argument(
        '--params', default='controller.yaml', help="the controller's parameters (default: %(default)s)"
    )
    parser.set_defaults(run=evaluate)


def evaluate(arguments: argparse.Namespace) -> int:
    """Run the grid, print the table or JSON, write --out; returns the exit code.

    Raises:
        UserError: a number out of range, an unknown name, a missing model, a folder that cannot be written.
    """
    from millirobot_adapt.core.share import find
    from millirobot_adapt.experiments.grid import Grid, rows_of, run_grid
    from millirobot_adapt.experiments.run import check_story, run_story
    from millirobot_adapt.experiments.table import cells_of, format_cells

    _check_numbers(arguments)
    grid = Grid(
        methods=_names(arguments.methods, '--methods'),
        conditions=_names(arguments.condition, '--condition'),
        shapes=_names(arguments.shape, '--shape'),
        seeds=arguments.seeds,
        seconds=arguments.seconds,
        params=str(find('params', arguments.params)),
        estimator_params=str(find('params', 'estimator.yaml')),
    )
    robots = [check_story(story) for story in grid.stories() if story.seed == 0]
    _make_folder(arguments.out)
    episodes = run_grid(grid, arguments.jobs, run_story)
    rows = rows_of(episodes, robots[0].dt)
    cells = cells_of(rows, grid.methods)
    report = {'schema': SCHEMA, 'baseline': grid.methods[0], 'rows': rows, 'cells': cells}
    if arguments.out:
        _write(arguments.out, report, episodes, grid.methods)
    print(json.dumps(_plain(report), indent=1) if arguments.json else format_cells(cells, grid.methods[0]))
    return 0


def _check_numbers(arguments: argparse.Namespace) -> None:
    if arguments.seeds < 1:
        raise UserError(f'--seeds {arguments.seeds}: must be at least 1')
    if not 1.0 <= arguments.seconds <= 3600.0:
        raise UserError(f'--seconds {arguments.seconds:g}: must be within 1..3600')
    if arguments.jobs == 0 or arguments.jobs < -1:
        raise UserError(f'--jobs {arguments.jobs}: must be at least 1, or -1 for one process a core')


def _names(text: str, option: str) -> list[str]:
    """Split a comma-separated list; repeated names count once."""
    names = list(dict.fromkeys(name.strip() for name in text.split(',') if name.strip()))
    if not names:
        raise UserError(f'{option} {text!r}: names nothing')
    return names


def _make_folder(folder: Path | None) -> None:
    """Make --out before the long work begins."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f'--out {folder}: cannot be made: {error.strerror}') from None


def _write(folder: Path, report: dict[str, Any], episodes: list[Any], methods: Sequence[str]) -> None:
    """Write results.csv, results.json, a picture for each condition and shape, and a table for each episode."""
    from millirobot_adapt.experiments.figure import draw_paths
    from millirobot_adapt.experiments.table import write_episode, write_rows

    write_rows(folder / 'results.csv', report['rows'])
    (folder / 'results.json').write_text(json.dumps(_plain(report), indent=1) + '\n', encoding='utf-8')
    (folder / 'episodes').mkdir(exist_ok=True)
    for episode in episodes:
        story = episode.story
        name = '_'.join(map(_file_name, (story.condition, story.shape, story.method, f'seed{story.seed}')))
        write_episode(folder / 'episodes' / f'{name}.csv', episode)
    for condition, shape in dict.fromkeys((episode.story.condition, episode.story.shape) for episode in episodes):
        chosen = [
            episode for episode in episodes if (episode.story.condition, episode.story.shape) == (condition, shape)
        ]
        draw_paths(folder / f'paths_{_file_name(condition)}_{_file_name(shape)}.png', chosen, methods)


def _file_name(name: str) -> str:
    """Turn a name, which may be a path, into a part of a file name."""
    return ''.join(character if character.isalnum() or character in '-_' else '-' for character in Path(name).stem)


def _plain(value: Any) -> Any:
    """Replace what JSON has no word for (NaN, infinity) by null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not (abs(value) < float('inf')):
        return None
    return value
