"""The parameter files on a node's command line: read before ROS reads them, which says less of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.yaml_file import read_yaml


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
    own = [path for path in files if any(_is_for(head, full) for head in _heads(read_yaml(path)))]
    if not own:
        raise UserError(_misdirected(files, name, full))
    return ', '.join(str(path) for path in own) + (' and -p' if '-p' in arguments else '')


def _heads(blocks: Mapping[str, object], place: str = '') -> Iterator[str]:
    """Return what nodes a file has blocks for, named in full as ROS does: `bridge` is `/bridge`."""
    for key, block in blocks.items():
        head = f'{place}/{str(key).strip("/")}'
        if isinstance(block, Mapping) and 'ros__parameters' not in block:
            yield from _heads(block, head)  # a namespace
        else:
            yield head


def _is_for(head: str, full: str) -> bool:
    """Match as ROS does: `*` is one part of a name, `**` any number of them."""
    parts = {'*': '/[^/]+', '**': '(/[^/]+)*'}
    pattern = ''.join(parts.get(part, f'/{re.escape(part)}') for part in head.split('/')[1:])
    return re.fullmatch(pattern, full) is not None


def _misdirected(files: Sequence[Path], name: str, full: str) -> str:
    """Say that no file is for the node, and how to head its block."""
    for path in files:
        if f'/{name}' in _heads(read_yaml(path)):
            return (
                f'{path}: its block "{name}:" is for a node without a namespace, this one is {full}; '
                f'head it "{full}:" or "/**/{name}:"'
            )
    held = ', '.join(map(repr, read_yaml(files[0]))) or 'nothing'
    return f'{files[0]}: has no block "{name}: ros__parameters:"; it holds {held}'


def explain(error: str) -> str:
    """Turn what ROS says of a file that only its own parser refuses into our form."""
    found = re.search(r"params file: '--params-file (.*?)'\. Error: (.*?)(, at |$)", error)
    if found is None:
        return re.sub(r'(, at /\S+:\d+)+$', '', ' '.join(error.split()))
    mend = '; write all its numbers alike, as in [1.0, 2.0]' if 'same type' in found[2] else ''
    return f'{found[1]}: {found[2]}{mend}'
