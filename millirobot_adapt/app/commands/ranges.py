"""Numbers on the command line that must lie in a range."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

Number = TypeVar('Number', int, float)


def between(kind: Callable[[str], Number], low: Number, high: Number, unit: str = '') -> Callable[[str], Number]:
    """Return a `type` for argparse: a number of this kind from `low` to `high`, both included."""

    def number(text: str) -> Number:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f'{text} is not between {low:g} and {high:g}{unit and " " + unit}')
        return value

    return number
