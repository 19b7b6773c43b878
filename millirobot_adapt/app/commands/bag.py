"""Commands on bags as files: `millirobot repair` and `export-bag`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_reading_options, bag_name
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path

if TYPE_CHECKING:
    from millirobot_adapt.recording.export import Tables


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    repairer = add_command(subparsers, 'repair', _repair)
    repairer.add_argument('bag', type=user_path, metavar='BAG', help='bag folder, .mcap or .db3 file, or run folder')
    repairer.add_argument('--out', type=user_path, metavar='NEW', help='bag folder to make instead of taking the place')

    exporter = add_command(subparsers, 'export-bag', _export)
    exporter.add_argument('bag', type=user_path, metavar='BAG', help='bag folder, .mcap or .db3 file, or run folder')
    exporter.add_argument(
        '--to', choices=('npz', 'csv', 'parquet'), default='npz',
        help='format (default: %(default)s); parquet needs the extra `parquet`',
    )  # fmt: skip
    exporter.add_argument(
        '--out',
        type=user_path,
        metavar='PLACE',
        help='file (npz) or folder (csv, parquet) to make (default: in the current folder)',
    )
    add_reading_options(exporter)
    exporter.add_argument('--columns', action='store_true', help='also print the name of every column')
    exporter.add_argument('--json', action='store_true', help='print the tables and their columns as JSON')


def _repair(args: argparse.Namespace) -> int:
    """Repair a bag that a killed recorder or a full disk left without an end.

    Copy what is readable of a damaged bag into a whole one, which takes its place; the damaged one is kept beside it as
    NAME.damaged. A bag that is whole is left alone. `millirobot` itself reads damaged bags as they are; other tools
    need them whole.
    """
    from millirobot_adapt.recording.repair import repair

    repaired = repair(args.bag, args.out)
    if repaired is None:
        print(f'{args.bag}: is whole; nothing to repair')
        return 0
    for line in repaired.damage:
        print(f'found: {line}', file=sys.stderr)
    size = f'{repaired.messages} messages over {repaired.seconds:.1f} s'
    if repaired.damage:
        print(f'{repaired.bag}: whole now, {size}; the damaged bag is kept as {repaired.kept}')
    else:
        print(f'{repaired.kept}: is whole; copied to {repaired.bag}, {size}')
    return 0


def _export(args: argparse.Namespace) -> int:
    """Turn a bag into tables for notebooks: npz, CSV or Parquet.

    Write a table for each topic of a bag, one with a row a tick (state, actions, costs, errors, times) and one with a
    row a state. Columns end in their units; stamps are seconds since the epoch.
    """
    from millirobot_adapt.recording.export import read_tables
    from millirobot_adapt.recording.reader import open_bag

    write = _table_writer(args.to)
    name = bag_name(args.bag)
    place = args.out or Path(f'{name}.npz' if args.to == 'npz' else f'{name}_{args.to}')
    if place.exists():
        raise UserError(f'{place}: exists already; choose another place with --out')
    tables = read_tables(open_bag(args.bag, namespace=args.namespace, strict=args.strict))
    write(tables, place)
    if args.json:
        columns = {name: list(table) for name, table in tables.tables.items()}
        print(json.dumps({'out': str(place), 'tables': columns}, indent=2))
        return 0
    for name, table in sorted(tables.tables.items()):
        what = ', '.join(table) if args.columns else f'{len(table)} columns'
        print(f'{len(next(iter(table.values()))):8d} rows  {name}: {what}')
    print(place)
    return 0


def _table_writer(kind: str) -> Callable[[Tables, Path], None]:
    """Return what writes tables of a kind; a missing library shows before the bag is read."""
    if kind == 'parquet':
        from millirobot_adapt.recording.parquet import write_parquet

        return write_parquet
    from millirobot_adapt.recording.export import write_csv, write_npz

    return write_npz if kind == 'npz' else write_csv
