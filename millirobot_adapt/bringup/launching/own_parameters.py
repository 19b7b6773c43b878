"""Read a user's own parameter file, which may hold some parameters of some nodes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from millirobot_adapt.bringup.processes import NODES, NodeProcess
from millirobot_adapt.core.config import build, nest
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.yaml_file import read_yaml


def own_parameters(path: Path, processes: Sequence[NodeProcess], namespace: str = '') -> dict[str, dict[str, Any]]:
    """Return what a ROS 2 parameter file sets for some nodes: node -> dotted name -> value.

    A block may be headed `bridge`, `/bridge`, `/**/bridge` or, where it is meant for one robot, `/robot1/bridge`; the
    blocks of other robots and of nodes that are not among `processes` are left out.

    Raises:
        UserError: what cannot be read, a block for a node that there is not, an unknown key, a wrong type or range.
    """
    known = [node.name for node in NODES]
    found: dict[str, dict[str, Any]] = {}
    for head, block in read_yaml(path).items():
        place, _, name = str(head).rpartition('/')
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise UserError(f'{path}: {head} is no node; did you mean {near!r}?')
        values = block.get('ros__parameters') if isinstance(block, dict) else None
        if not isinstance(values, dict):
            raise UserError(f'{path}: {head} holds no ros__parameters; write "{head}: ros__parameters: ..."')
        node = next((node for node in processes if node.name == name), None)
        if node is not None and place.strip('/') in ('', '**', namespace.strip('/')):
            nested = nest(values)
            build(node.config_class(), nested, f'{path}: {head}')
            found.setdefault(name, {}).update(_dotted(nested))
    return found


def _dotted(nested: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    for key, value in nested.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value
