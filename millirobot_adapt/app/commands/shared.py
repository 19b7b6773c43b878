"""What several commands share: how a command is added, options, numbers in a range, plain JSON."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from millirobot_adapt.core.errors import UserError, did_you_mean
from millirobot_adapt.core.files import exists

Number = TypeVar('Number', int, float)

COMMON: dict[str, dict[str, Any]] = {
    '--robot': {'default': 'velociroach', 'help': 'robot, by name or file (default: %(default)s)'},
    '--seed': {'type': int, 'default': 0, 'help': 'seed of everything random (default: %(default)s)'},
    '--jobs': {'type': int, 'default': -1, 'help': 'processes; -1: one for each core (default: %(default)s)'},
    '--json': {'action': 'store_true', 'help': 'print JSON, and nothing else, on standard output'},
}
"""Options that mean the same in every command; `check_jobs` checks --jobs."""

ENDINGS = ('.zstd', '.zst', '.lz4', '.mcap', '.db3')


def add_command(subparsers: Any, name: str, run: Callable[[argparse.Namespace], int], epilog: str = '') -> Any:
    """Add a command that the docstring of a function describes, and that this function runs.

    Args:
        subparsers: Of the parser or the group that gets it.
        name: As people type it.
        run: Returns the exit code. Of its docstring the first line is the command's line in lists, the second
            paragraph says what the command does (default: the first line), the third stands below its options.
        epilog: Stands below its options where the docstring has no third paragraph.

    Returns:
        Its parser, to which arguments are added.
    """
    parts = [' '.join(part.split()) for part in inspect.cleandoc(run.__doc__ or name).split('\n\n')]
    line = parts[0][:1].lower() + parts[0][1:].removesuffix('.')
    description = parts[1] if len(parts) > 1 else parts[0]
    below = parts[2] if len(parts) > 2 else epilog
    parser = subparsers.add_parser(name, help=line, description=description, epilog=below)
    parser.set_defaults(run=run)
    return parser


def add_group(subparsers: Any, name: str, line: str, description: str = '') -> Any:
    """Add a command that has commands below it; returns what they are added to.

    Args:
        subparsers: Of the parser that gets it.
        name: As people type it.
        line: What it is for, in lists.
        description: The same, in full; empty: `line`.
    """
    group = subparsers.add_parser(name, help=line, description=description or f'{line[:1].upper()}{line[1:]}.')
    return group.add_subparsers(title='commands', metavar='COMMAND', required=True)


def add_common(parser: argparse.ArgumentParser, *options: str) -> None:
    """Add options that mean the same in every command, in this order; each is a name of `COMMON`."""
    for option in options:
        parser.add_argument(option, **COMMON[option])


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add `--namespace` and `--strict`."""
    parser.add_argument('--namespace', help='the robot to read, where a bag holds several')
    parser.add_argument(
        '--strict', action='store_true', help='fail (exit code 1) where a bag holds something that could not be read'
    )


def add_force(parser: argparse._ActionsContainer) -> None:
    """Add `--force`; `check_free` obeys it."""
    parser.add_argument('--force', action='store_true', help='replace what an earlier call left in --out')


def check_free(place: Path, mark: Path, what: str, force: bool) -> None:
    """Check that nothing would be overwritten that took work to make.

    Args:
        place: What --out names.
        mark: The file that shows that there is something.
        what: What it then holds.
        force: Replace it.

    Raises:
        UserError: it is there, and `force` is not set.
    """
    if exists(mark) and not force:
        raise UserError(f'{place}: holds {what} already; choose another place with --out, or replace it with --force')


def add_model_options(parser: argparse.ArgumentParser, model: str, default: str | None = None) -> None:
    """Add `--method` and `--model`, which mean the same in every command; `model` describes the default model."""
    parser.add_argument(
        '--method',
        default=default,
        metavar='METHOD',
        help='adaptation method: mb, mb_de, grbal, ...; without --model it brings the model that ships for it, unless '
        'the model in use was trained for it (default: the method of the model)',
    )
    parser.add_argument(
        '--model', default=default, help=f'model bundle: a name under models/ or a folder (default: {model})'
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


def check_jobs(jobs: int) -> None:
    """Check a number of processes.

    Raises:
        UserError: it is neither positive nor -1.
    """
    if jobs == 0 or jobs < -1:
        raise UserError(f'--jobs {jobs}: must be at least 1, or -1 for one process a core')


def listed(option: str, text: str, what: str, known: Collection[str] | None = None) -> tuple[str, ...]:
    """Split the comma-separated value of an option; repeated names count once.

    Raises:
        UserError: no name, or one that is not known (`known` None: any is); `what` says what it should name.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(',') if name.strip()))
    for name in names:
        if known is not None and name not in known:
            raise UserError(f'{option} {name}: no such {what}{did_you_mean(name, known)}')
    if not names:
        hint = f'; known are {", ".join(known)}' if known else ''
        raise UserError(f'{option} {text!r}: names nothing{hint}')
    return names


def plain(value: Any) -> Any:
    """Replace, in nested groups and lists, what JSON cannot express (NaN, infinity) by null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not (abs(value) < float('inf')):
        return None
    return value
