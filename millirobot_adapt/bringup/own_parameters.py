"""Read a user's own parameter file, which may hold some parameters of some nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from millirobot_adapt.bringup.processes import NODES, NodeProcess
from millirobot_adapt.core.config import build, nested_in
from millirobot_adapt.core.parameter_file import present_values, read_parameter_file, tell


def own_parameters(
    path: Path, processes: Sequence[NodeProcess], namespace: str = '', say: Callable[[str], None] = tell
) -> dict[str, dict[str, Any]]:
    """Return what a ROS 2 parameter file sets for some nodes: node -> dotted name -> value.

    The file is read as the nodes read it (core/parameter_file.py); a block `bridge` is for the bridge in any namespace.
    Blocks for other robots and for nodes that are not among `processes` are left out; a note says where a block is for
    nobody of ours, or a parameter has another name now.

    Raises:
        UserError: what cannot be read, a head that is nearly the name of a node, an unknown key, a wrong type or range.
    """
    file = read_parameter_file(path)
    for head in file.foreign_heads(node.name for node in NODES):
        say(f'{path}: {head.lstrip("/")} is none of our nodes, its block is left out')
    found: dict[str, dict[str, Any]] = {}
    for node in processes:
        values = present_values(file, node.name, namespace, say)
        if values:
            build(node.config_class(), nested_in(values, str(path)), f'{path}: {node.name}')
            found[node.name] = values
    return found
