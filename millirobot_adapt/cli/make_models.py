"""`millirobot make-models`: from collecting to bundles, every model of a recipe."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from millirobot_adapt.cli.learn import need_torch
from millirobot_adapt.cli.ranges import between

SCHEMA = 1
"""Version of what --json prints."""


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        'make-models',
        help='collect, train and export a family of models, several at a time',
        description='Collect on the mock, train every model of a recipe (params/training/) and export it. What an '
        'earlier call has left in the work folder is not made again while data, parameters and version are the same.',
    )
    parser.add_argument(
        '--recipe', default='velociroach', help='a name in params/training/ or a file (default: %(default)s)'
    )
    parser.add_argument('--only', help='make these models alone, comma-separated')
    parser.add_argument(
        '--out', type=Path, default=Path('models'), help='folder for the bundles (default: %(default)s)'
    )
    parser.add_argument(
        '--work', type=Path, default=Path('build/models'),
        help='folder for rollouts, training runs and models that do not ship (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument('--jobs', type=between(int, 1, 256, 'jobs'), default=2, help='processes (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print JSON instead of the table')
    parser.set_defaults(run=run_make_models)


def run_make_models(args: argparse.Namespace) -> int:
    """Make the models and print a table of them."""
    need_torch()
    from millirobot_adapt.learning.make_models import format_rows, make_models
    from millirobot_adapt.learning.recipe import load_recipe

    recipe = load_recipe(args.recipe)
    if args.only is not None:
        recipe = recipe.only(args.only.split(','))
    rows = make_models(recipe, args.work, args.out, args.jobs)
    print(json.dumps({'schema': SCHEMA, 'models': rows}, indent=1) if args.json else format_rows(rows))
    return 0
