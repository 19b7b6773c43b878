"""The command `millirobot bench planners`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from millirobot_adapt.core.errors import UserError


def add(benchmarks: Any) -> None:
    """Add the command."""
    planners = benchmarks.add_parser(
        'planners',
        help='what a plan costs, and how well the robot walks, against the number of candidates',
        description='Let every planner plan through the same recorded walks of the mock (carpet, styrofoam, a worn '
        'robot), with the same adapted models, for a range of K; with --seconds also let it drive the mock itself. '
        'Costs are compared walk by walk with random shooting at K = 2000. Takes about a minute, and with --seconds 15 '
        'some ten more.',
        epilog='Exit codes: 0 measured; 2 bad input.',
    )
    planners.add_argument(
        '--model', default='velociroach_grbal', help='bundle, by name or folder (default: %(default)s)'
    )
    planners.add_argument(
        '--params', default='controller.yaml', help="the controller's parameters (default: %(default)s)"
    )
    planners.add_argument('--seeds', type=int, default=2, help='seeds of each walk (default: %(default)s)')
    planners.add_argument(
        '--seconds', type=float, default=0.0, help='closed loop, for so long each [s] (default: none)'
    )
    planners.add_argument('--picture', type=Path, help='file to draw cost against candidates to, as PNG')
    planners.add_argument('--json', action='store_true', help='print JSON instead of the table')
    planners.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from millirobot_adapt.benchmarks.planners import PlannerBench, bench_planners, horizon_of, steps
    from millirobot_adapt.benchmarks.planners_table import as_rows, draw, fewest_samples, table

    if not 1 <= args.seeds <= 1000:
        raise UserError(f'--seeds {args.seeds}: must be within 1..1000')
    if args.seconds and not 1.0 <= args.seconds <= 600.0:
        raise UserError(f'--seconds {args.seconds:g}: must be within 1..600, or 0 for none')
    if args.picture and not args.picture.parent.is_dir():
        raise UserError(f'{args.picture.parent}: no such folder; make it first')
    bench = PlannerBench(model=args.model, params=args.params, seeds=args.seeds, walk_seconds=args.seconds)
    with tqdm(total=steps(bench), desc='planners', disable=None, leave=False) as bar:
        found = bench_planners(bench, bar.update)
    if args.picture:
        draw(args.picture, found)
    horizon = horizon_of(bench)
    if args.json:
        print(
            json.dumps(
                {'schema': 1, 'fewest_samples': fewest_samples(found), 'rows': as_rows(found, horizon)}, indent=1
            )
        )
    else:
        print(table(found, horizon))
    return 0
