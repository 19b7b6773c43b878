"""What every command that reads bags has in common: which robot, how strictly, and how the bag is called."""

from __future__ import annotations

import argparse
from pathlib import Path

ENDINGS = ('.zstd', '.zst', '.lz4', '.mcap', '.db3')


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add `--namespace` and `--strict`."""
    parser.add_argument('--namespace', help='the robot to read, where a bag holds several')
    parser.add_argument(
        '--strict', action='store_true', help='fail (exit code 1) where a bag holds something that could not be read'
    )


def bag_name(bag: Path) -> str:
    """Return the name of a bag without the endings of bag files: `run1` of `walks/run1.mcap/`."""
    name = bag.resolve().name
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name or 'bag'
