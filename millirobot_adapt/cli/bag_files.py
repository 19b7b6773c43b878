"""Commands on bags as files: `millirobot mend` and `export-bag`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    mender = subparsers.add_parser(
        'mend',
        help='make a bag whole that a killed recorder or a full disk left without an end',
        description='Copy what is readable of a damaged bag into a whole one, which takes its place; the damaged one '
        'is kept beside it as NAME.damaged. A bag that is whole is left alone. `millirobot` itself reads damaged '
        'bags as they are; other tools need them whole.',
    )
    mender.add_argument('bag', type=Path, metavar='BAG', help='bag folder, .mcap or .db3 file, or run folder')
    mender.add_argument('--out', type=Path, metavar='NEW', help='bag folder to make instead of taking the place')
    mender.set_defaults(run=_mend)


def _mend(args: argparse.Namespace) -> int:
    from millirobot_adapt.bags.mend import mend

    mended = mend(args.bag, args.out)
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
