"""Commands on bags as files: `millirobot mend` and `export-bag`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    mender = subparsers.add_parser(
        'mend',
        help='make a bag whole that a killed recorder or a full disk left without an end',
        description='Copy what is readable of a damaged bag into a whole one, which takes its place; the damaged one '
        'is kept beside it as NAME.damaged. A bag that is whole is left alone. `millirobot` itself reads damaged '
        'bags as they are; other tools need them whole.',
    )
    mender.add_argument('bag', type=user_path, metavar='BAG', help='bag folder, .mcap or .db3 file, or run folder')
    mender.add_argument('--out', type=user_path, metavar='NEW', help='bag folder to make instead of taking the place')
    mender.set_defaults(run=_mend)

    exporter = subparsers.add_parser(
        'export-bag',
        help='turn a bag into tables for notebooks, npz or CSV',
        description='Write a table for each topic of a bag, one with a row a tick (state, actions, costs, errors, '
        'times) and one with a row a state. Columns end in their units; stamps are seconds since the epoch.',
    )
    exporter.add_argument('bag', type=user_path, metavar='BAG', help='bag folder, .mcap or .db3 file, or run folder')
    exporter.add_argument('--to', choices=('npz', 'csv'), default='npz', help='format (default: %(default)s)')
    exporter.add_argument(
        '--out',
        type=user_path,
        metavar='PLACE',
        help='file (npz) or folder (csv) to make (default: in the current folder)',
    )
    exporter.add_argument('--namespace', help='the robot to export, where the bag holds several')
    exporter.add_argument('--json', action='store_true', help='print the tables and their columns as JSON')
    exporter.set_defaults(run=_export)


def _mend(args: argparse.Namespace) -> int:
    from millirobot_adapt.recording.repair import repair

    mended = repair(args.bag, args.out)
    if mended is None:
        print(f'{args.bag}: is whole; nothing to mend')
        return 0
    for line in mended.damage:
        print(f'found: {line}', file=sys.stderr)
    print(
        f'{mended.bag}: whole now, {mended.messages} messages over {mended.seconds:.1f} s; '
        f'the damaged bag is kept as {mended.kept}'
    )
    return 0


def _export(args: argparse.Namespace) -> int:
    from millirobot_adapt.recording.export import read_tables, write_csv, write_npz
    from millirobot_adapt.recording.reader import open_bag

    place = args.out or Path(f'{args.bag.resolve().stem}.npz' if args.to == 'npz' else f'{args.bag.resolve().stem}_csv')
    if place.exists():
        raise UserError(f'{place}: exists already; choose another place with --out')
    tables = read_tables(open_bag(args.bag, namespace=args.namespace))
    (write_npz if args.to == 'npz' else write_csv)(tables, place)
    if args.json:
        columns = {name: list(table) for name, table in tables.tables.items()}
        print(json.dumps({'out': str(place), 'tables': columns}, indent=2))
        return 0
    for name, table in sorted(tables.tables.items()):
        print(f'{len(next(iter(table.values()))):8d} rows  {name}: {", ".join(table)}')
    print(place)
    return 0
