"""What several commands share: options for bags, numbers in a range, plain JSON."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Number = TypeVar('Number', int, float)

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


def between(kind: Callable[[str], Number], low: Number, high: Number, unit: str = '') -> Callable[[str], Number]:
    """Return a `type` for argparse: a number of this kind from `low` to `high`, both included."""

    def number(text: str) -> Number:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f'{text} is not between {low:g} and {high:g}{unit and " " + unit}')
        return value

    return number


def plain(value: Any) -> Any:
    """Replace, in nested groups and lists, what JSON cannot express (NaN, infinity) by null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not (abs(value) < float('inf')):
        return None
    return value
