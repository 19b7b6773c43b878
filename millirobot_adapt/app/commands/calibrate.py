"""`millirobot calibrate`: the mock beside the real robot."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_common, check_jobs

if TYPE_CHECKING:
    from millirobot_adapt.sim.calibration import Figure

SCHEMA = 1
"""Version of the JSON that --json prints."""


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, 'calibrate', _run)
    parser.add_argument('--terrain', help='terrains, comma-separated (default: all that are known of the real robot)')
    parser.add_argument(
        '--targets', default='velociroach', help='a name in params/calibration or a YAML file (default: %(default)s)'
    )
    add_common(parser, '--robot')
    parser.add_argument('--seconds', type=float, default=120.0, help='length of each run [s] (default: %(default)s)')
    add_common(parser, '--seed', '--jobs', '--json')


def _run(args: argparse.Namespace) -> int:
    """Walk with the mock and print it beside the real robot.

    Drive the mock in lock-step with random setpoints on each terrain, with all the noise of the real robot, and print
    its figures beside those measured on the real one. A report: what is missed is printed and counted, and the exit
    code is 0.
    """
    from millirobot_adapt.core.errors import UserError, not_one_of
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.core.share import find
    from millirobot_adapt.sim.calibration import calibrate, load_targets
    from millirobot_adapt.sim.terrain import TERRAINS

    if not 10.0 <= args.seconds <= 3600.0:
        raise UserError(f'--seconds {args.seconds:g}: must be within 10..3600')
    check_jobs(args.jobs)
    if args.seed < 0:
        raise UserError(f'--seed {args.seed}: must be at least 0')
    targets = load_targets(find('params/calibration', args.targets, '.yaml'))
    known = [terrain for terrain in targets.ranges if terrain in TERRAINS]
    terrains = known if args.terrain is None else [name.strip() for name in args.terrain.split(',')]
    for terrain in terrains:
        if terrain not in known:
            raise UserError(f'--terrain: {not_one_of(terrain, known)}')
    figures = calibrate(load_robot(args.robot), targets, terrains, args.seconds, args.seed, args.jobs)
    print(json.dumps(_report(figures), indent=1) if args.json else _table(figures))
    return 0


def _report(figures: Sequence[Figure]) -> dict[str, Any]:
    """Return what --json prints; a figure that the mock has not is null."""
    rows = []
    for figure in figures:
        row = asdict(figure) | {'within': figure.within}
        rows.append({key: None if value != value else value for key, value in row.items()})
    return {'schema': SCHEMA, 'figures': rows, 'missed': sum(not figure.within for figure in figures)}


def _table(figures: Sequence[Figure]) -> str:
    lines = []
    for terrain in dict.fromkeys(figure.terrain for figure in figures):
        there = [figure for figure in figures if figure.terrain == terrain]
        missed = [figure for figure in there if not figure.within]
        lines.append(f'{terrain:18} {"real":>14} {"mock":>9}  deviation  within')
        lines += [_line(figure) for figure in there]
        lines += [f'{len(there) - len(missed)} of {len(there)} within', '']
    return '\n'.join(lines[:-1])


def _line(figure: Figure) -> str:
    real = f'{figure.low:g}' if figure.low == figure.high else f'{figure.low:g} to {figure.high:g}'
    within = f'{100 * figure.tolerance:.0f} %' if figure.within else 'MISSED'
    return (
        f'{figure.name:18} {real:>14} {figure.mock:9.3g}  {100 * figure.deviation:+7.0f} %  {within:6}  {figure.unit}'
    )
