"""`millirobot make-models`: from collecting to bundles, every model of a recipe."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.learn import mock_rounds, need_torch
from millirobot_adapt.app.commands.shared import add_command, between
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path

if TYPE_CHECKING:
    from millirobot_adapt.learning.rollout_file import CollectedRollouts

SCHEMA = 1
"""Version of what --json prints."""


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, 'make-models', _make_models)
    parser.add_argument(
        '--recipe', default='velociroach', help='a name in params/training/ or a file (default: %(default)s)'
    )
    parser.add_argument('--only', help='make these models alone, comma-separated, each with its further training seeds')
    parser.add_argument(
        '--seeds', type=between(int, 1, 100, 'seeds'), metavar='N', default=1,
        help='N training seeds of every model, further ones as MODEL_seed1, ... in the work folder (default: 1)',
    )  # fmt: skip
    parser.add_argument(
        '--data', type=user_path, nargs='+', metavar='DATA',
        help='train on these instead of collecting: files that `collect` wrote, bags, run folders; needs --out',
    )  # fmt: skip
    parser.add_argument(
        '--round', type=user_path, nargs='+', action='append', default=[], metavar='RUN', dest='recorded',
        help='with --data: runs that were walked with a model so far, a further round of training; may be repeated, '
        'the oldest round first (default: the rounds on the mock that the recipe names)',
    )  # fmt: skip
    parser.add_argument('--out', type=user_path, help='folder for the bundles (default: models)')
    parser.add_argument(
        '--work', type=user_path,
        help='folder for rollouts, training runs and models that do not ship (default: build/models; with --data '
        'OUT/work)',
    )  # fmt: skip
    parser.add_argument('--jobs', type=between(int, 1, 256, 'jobs'), default=2, help='processes (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print JSON instead of the table')


def _make_models(args: argparse.Namespace) -> int:
    """Collect, train and export a family of models, several at a time.

    Collect on the mock, train every model of a recipe (params/training/) and export it; with --data train them on data
    of your own. What an earlier call has left in the work folder is not made again while data, parameters and version
    are the same.
    """
    need_torch()
    from millirobot_adapt.learning.make_models import format_rows, make_models
    from millirobot_adapt.learning.recipe import load_recipe
    from millirobot_adapt.learning.session import recorded_rounds
    from millirobot_adapt.learning.sources import load_rounds

    recipe = load_recipe(args.recipe).seeded(args.seeds)
    if args.only is not None:
        recipe = recipe.only(args.only.split(','))
    out, work = args.out or Path('models'), args.work or Path('build/models')
    rollouts = rounds = None
    if args.data:
        rollouts, out = _own_data(args, recipe.robot.name), args.out
        work = args.work or out / 'work'
    elif args.recorded:
        raise UserError('--round: adds to data of your own; name those that training begins with: --data RUN...')
    if args.recorded and rollouts is not None:
        rounds = recorded_rounds(load_rounds(args.recorded, rollouts))
    elif recipe.rounds:
        told = {'origin': 'mock', 'robot': recipe.robot.name} if rollouts is None else rollouts.metadata
        rounds = mock_rounds(recipe.rounds, recipe.round_minutes, recipe.collect.seed, told)
    rows = make_models(recipe, work, out, args.jobs, rollouts, rounds)
    print(json.dumps({'schema': SCHEMA, 'models': rows}, indent=1) if args.json else format_rows(rows))
    return 0


def _own_data(args: argparse.Namespace, robot: str) -> CollectedRollouts:
    """Read the data to train on.

    Raises:
        UserError: no folder for the bundles is named; the data cannot be read, or are of another robot.
    """
    from millirobot_adapt.learning.sources import load_data

    if args.out is None:
        raise UserError('--out is missing; name a folder for the models of your own data, e.g. --out my_models')
    rollouts = load_data(args.data)
    if rollouts.metadata['robot'] != robot:
        raise UserError(f'{args.data[0]}: is of robot {rollouts.metadata["robot"]!r}, but the recipe is for {robot!r}')
    return rollouts
