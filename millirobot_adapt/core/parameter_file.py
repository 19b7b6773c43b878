"""Read ROS 2 parameter files without ROS, as ROS reads them; launch, nodes, doctor and replay all read them here.

A file holds blocks (`bridge: ros__parameters: ...`), each for the nodes that its head names: `bridge`,
`/robot1/bridge`, `/**/bridge`, `/**`; namespaces may be nested. Of several blocks for a node the later one counts, as
in ROS. A block for all nodes (`/**`) may hold what only some of them have.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millirobot_adapt.core.errors import UserError, did_you_mean
from millirobot_adapt.core.renames import is_former, renewed
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.core.yaml_file import read_yaml

VALUES = 'ros__parameters'
OF_ROS = ('use_sim_time', 'start_type_description_service', 'qos_overrides')
"""Parameters that every node of ROS has."""


@dataclass(frozen=True)
class ParameterBlock:
    """The parameters under one head."""

    head: str
    """The nodes it is for, in full as ROS has it: `bridge` is `/bridge`."""
    values: Mapping[str, Any]
    """Dotted name -> value."""

    @property
    def name(self) -> str:
        """Name of the node, or `*` or `**`."""
        return self.head.rpartition('/')[2]

    @property
    def is_shared(self) -> bool:
        """Whether it is for nodes of any name."""
        return self.name in ('*', '**')

    def is_for(self, full: str) -> bool:
        """Match a full name as ROS does: `*` is one part of a name, `**` any number of them."""
        parts = {'*': '/[^/]+', '**': '(/[^/]+)*'}
        pattern = ''.join(parts.get(part, f'/{re.escape(part)}') for part in self.head.split('/')[1:])
        return re.fullmatch(pattern, full) is not None


@dataclass(frozen=True, eq=False)
class ParameterFile:
    """A parameter file as it was read."""

    path: Path
    blocks: tuple[ParameterBlock, ...]

    def values(self, node: str, namespace: str | None = None) -> dict[str, Any] | None:
        """Return what the file sets for a node of ours: dotted name -> value; None where no block is for it.

        A block without a namespace is for the node in any namespace: the files of a lab serve all its robots.

        Args:
            node: Name of the node.
            namespace: Its namespace; None where it is not known.

        Raises:
            UserError: without a namespace, blocks for the same node in several; a parameter that no node of ours has
                in a block for all nodes; `use_sim_time: true`.
        """
        own = [block for block in self.blocks if self._is_meant(block, node, namespace)]
        places = {block.head for block in own if block.head.startswith('/') and not block.is_shared}
        if namespace is None and len(places - {f'/{node}', f'/**/{node}'}) > 1:
            raise UserError(f'{self.path}: is for several robots ({", ".join(sorted(places))}); keep one of them')
        return taken(own, node, str(self.path)) if own else None

    @staticmethod
    def _is_meant(block: ParameterBlock, node: str, namespace: str | None) -> bool:
        if namespace is None:
            return block.name == node or block.is_shared
        place = namespace.strip('/')
        return block.is_for(f'/{place}/{node}' if place else f'/{node}') or block.head == f'/{node}'

    def foreign_heads(self, known: Iterable[str]) -> list[str]:
        """Return the heads of blocks for nodes that are none of ours.

        Raises:
            UserError: a name is so near to one of ours that it must be a mistake.
        """
        names = list(known)
        strange = [block for block in self.blocks if not block.is_shared and block.name not in names]
        for block in strange:
            near = did_you_mean(block.name, names)
            if 'did you mean' in near:
                raise UserError(f'{self.path}: {block.head.lstrip("/")} is none of our nodes{near}')
        return [block.head for block in strange]


def read_parameter_file(path: Path) -> ParameterFile:
    """Read a ROS 2 parameter file.

    Raises:
        UserError: what `read_yaml` raises; a head without `ros__parameters`.
    """
    return ParameterFile(path, tuple(_blocks(read_yaml(path), str(path))))


def _blocks(content: Mapping[str, Any], path: str, place: str = '') -> Iterator[ParameterBlock]:
    for key, inner in content.items():
        head = f'{place}/{str(key).strip("/")}'.replace('//', '/')
        if not _has_values(inner):
            raise UserError(f'{path}: {key} holds no {VALUES}; write "{key}: {VALUES}: ..."')
        if VALUES not in inner:
            yield from _blocks(inner, path, '' if head == '/' else head)  # a namespace
        elif not isinstance(inner[VALUES], Mapping):
            raise UserError(f'{path}: {key}: {VALUES} must be a group of parameters, not {inner[VALUES]!r}')
        else:
            try:
                yield ParameterBlock(head, dotted(inner[VALUES]))
            except UserError as error:
                raise UserError(f'{path}: {error}') from None


def _has_values(inner: Any) -> bool:
    return isinstance(inner, Mapping) and (VALUES in inner or any(map(_has_values, inner.values())))


def dotted(nested: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    """Turn nested groups into dotted names; the reverse is `config.nest`.

    Raises:
        UserError: a name is given twice, nested and dotted.
    """
    made: dict[str, Any] = {}
    for key, value in nested.items():
        name = f'{prefix}{key}'
        inner = dotted(value, f'{name}.') if isinstance(value, Mapping) and value else {name: value}
        for each in inner:
            if each in made:
                raise UserError(f'{each} is given twice')
        made |= inner
    return made


def taken(blocks: Iterable[ParameterBlock], node: str, source: str) -> dict[str, Any]:
    """Return what a node of ours takes from the blocks that are for it; of several values the last one counts.

    Raises:
        UserError: a parameter in a block for all nodes that no node of ours has; `use_sim_time: true`.
    """
    found: dict[str, Any] = {}
    for block in blocks:
        for name, value in block.values.items():
            if name == 'use_sim_time' and value is True:
                raise UserError(f"{source}: use_sim_time: our nodes run on the machine's clock; write false")
            if name.split('.')[0] in OF_ROS or (block.is_shared and not is_of(node, name, source)):
                continue
            found[name] = value
    return found


def is_of(node: str, name: str, source: str) -> bool:
    """Return whether a parameter that is given to all nodes is, or was, one of this node's.

    Raises:
        UserError: it is no parameter of any node of ours.
    """
    names = _shipped_names()
    if node not in names or name in names[node] or is_former(name, node):
        return True
    everything = sorted(set().union(*names.values()))
    if name not in everything and not is_former(name):
        raise UserError(f'{source}: unknown parameter {name!r}, of no node{did_you_mean(name, everything)}')
    return False


@functools.cache
def _shipped_names() -> dict[str, frozenset[str]]:
    """Return the parameters of each node by its name, from the shipped files, which hold all of them (a test)."""
    files = (share_dir() / 'params').glob('*.yaml')
    blocks = [block for file in files for block in read_parameter_file(file).blocks]
    return {block.name: frozenset(block.values) for block in blocks}


def tell(note: str) -> None:
    """Print a note for the user where there is no log."""
    print(f'note: {note}', file=sys.stderr)


def present_values(
    file: ParameterFile, node: str, namespace: str | None = None, say: Callable[[str], None] = tell
) -> dict[str, Any] | None:
    """Return what a file sets for a node under the present names; None where no block is for it.

    Raises:
        UserError: what `ParameterFile.values` and `renewed` raise.
    """
    values = file.values(node, namespace)
    if values is None:
        return None
    try:
        made, notes = renewed(node, values)
    except UserError as error:
        raise UserError(f'{file.path}: {error}') from None
    for note in notes:
        say(f'{file.path}: {note}')
    return made
