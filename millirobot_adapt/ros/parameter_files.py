"""The parameter files on a node's command line: read once, before ROS reads them, which says less of what is wrong."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.parameter_file import ParameterFile, read_parameter_file, taken


@dataclass(frozen=True)
class Origin:
    """Where the parameters of a node came from."""

    text: str
    """What to call it in errors."""
    foreign: frozenset[str] = frozenset()
    """Parameters that are given to all nodes and are none of this one's."""


def parameter_files(arguments: Sequence[str]) -> list[Path]:
    """Return the files that follow `--params-file`."""
    return [Path(path) for flag, path in pairwise(arguments) if flag == '--params-file']


@functools.cache
def _read(paths: tuple[Path, ...]) -> tuple[ParameterFile, ...]:
    return tuple(read_parameter_file(path) for path in paths)


def read_files(arguments: Sequence[str]) -> tuple[ParameterFile, ...]:
    """Read the files on the command line; a process reads them once.

    Raises:
        UserError: one is missing, not YAML, or no parameter file.
    """
    return _read(tuple(parameter_files(arguments)))


def origin_of(name: str, namespace: str, arguments: Sequence[str] | None = None) -> Origin:
    """Return where the parameters of a node came from.

    Raises:
        UserError: there are files, and none is for this node: ROS would go on with default values; a parameter for
            all nodes that no node has.
    """
    arguments = sys.argv if arguments is None else arguments
    files = read_files(arguments)
    full = f'{namespace.rstrip("/")}/{name}'
    if not files:
        return Origin(f'parameters of {full}')
    own = {file: [block for block in file.blocks if block.is_for(full)] for file in files}
    text = ', '.join(str(file.path) for file, blocks in own.items() if blocks)
    if not text:
        raise UserError(_misdirected(files, name, full))
    given = {each for blocks in own.values() for block in blocks for each in block.values}
    wanted = set(taken([block for blocks in own.values() for block in blocks], name, text))
    return Origin(text + (' and -p' if '-p' in arguments else ''), frozenset(given - wanted))


def _misdirected(files: Sequence[ParameterFile], name: str, full: str) -> str:
    """Say that no file is for the node, and how to head its block."""
    for file in files:
        if f'/{name}' in [block.head for block in file.blocks]:
            return (
                f'{file.path}: its block "{name}:" is for a node without a namespace, this one is {full}; '
                f'head it "{full}:" or "/**/{name}:"'
            )
    held = ', '.join(repr(block.head.lstrip('/')) for block in files[0].blocks) or 'nothing'
    return f'{files[0].path}: has no block "{name}: ros__parameters:"; it holds {held}'


def explain(error: str) -> str:
    """Turn what ROS says of a file that only its own parser refuses into our form."""
    found = re.search(r"params file: '--params-file (.*?)'\. Error: (.*?)(, at |$)", error)
    if 'log' in error and 'directory' in error:
        return f'{error}; set HOME or ROS_LOG_DIR to a folder that can be written'
    if found is None:
        return re.sub(r'(, at /\S+:\d+)+$', '', ' '.join(error.split()))
    fix = '; write all its numbers alike, as in [1.0, 2.0]' if 'same type' in found[2] else ''
    return f'{found[1]}: {found[2]}{fix}'
