"""The parameter files on a node's command line: read before ROS reads them, which says less of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from millirobot_adapt.core.config import read_yaml
from millirobot_adapt.core.errors import UserError


def parameter_files(arguments: Sequence[str]) -> list[Path]:
    """Return the files that follow `--params-file`."""
    return [Path(path) for flag, path in pairwise(arguments) if flag == '--params-file']


def check_readable(arguments: Sequence[str]) -> None:
    """Read the files once.

    Raises:
        UserError: one is missing or not YAML.
    """
    for path in parameter_files(arguments):
        read_yaml(path)


def source_of(name: str, namespace: str, arguments: Sequence[str]) -> str:
    """Return how to name in errors where the parameters of a node came from.

    Raises:
        UserError: there are files, and none is for this node; ROS would go on with default values.
    """
    files = parameter_files(arguments)
    full = f'{namespace.rstrip("/")}/{name}'
    if not files:
        return f'parameters of {full}'
    own = [path for path in files if _is_for(read_yaml(path), name, full)]
    if not own:
        held = ', '.join(map(repr, read_yaml(files[0]))) or 'nothing'
        raise UserError(f'{files[0]}: has no block "{name}: ros__parameters:"; it holds {held}')
    return ', '.join(str(path) for path in own) + (' and -p' if '-p' in arguments else '')


def _is_for(blocks: Mapping[str, object], name: str, full: str) -> bool:
    return any(key in (name, full, '/**', f'/**/{name}') for key in blocks)


def explain(error: str) -> str:
    """Turn what ROS says of a file that only its own parser refuses into our form."""
    found = re.search(r"params file: '--params-file (.*?)'\. Error: (.*?)(, at |$)", error)
    if found is None:
        return re.sub(r'(, at /\S+:\d+)+$', '', ' '.join(error.split()))
    mend = '; write all its numbers alike, as in [1.0, 2.0]' if 'same type' in found[2] else ''
    return f'{found[1]}: {found[2]}{mend}'
