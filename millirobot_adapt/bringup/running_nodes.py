"""Find the nodes that run on this machine, and join their ROS graph from another program."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from millirobot_adapt.core.errors import UserError

PROC = Path('/proc')
RUN_NODE = 'millirobot_adapt.bringup.run_node'
PYTHON = re.compile(r'python[\d.]*')
GRAPH = (
    'ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE', 'ROS_LOCALHOST_ONLY', 'ROS_STATIC_PEERS', 'RMW_IMPLEMENTATION',
    'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE', 'CYCLONEDDS_URI', 'ZENOH_SESSION_CONFIG_URI',
    'ZENOH_CONFIG_OVERRIDE',
)  # fmt: skip
"""Environment variables that decide which ROS graph a process lives in."""


@dataclass(frozen=True)
class RunningNode:
    """A process with one of our nodes."""

    name: str
    process: int
    environment: dict[str, str]
    """Those variables of `GRAPH` that it has."""

    @property
    def domain(self) -> int:
        """Its ROS domain."""
        return int(self.environment.get('ROS_DOMAIN_ID') or 0)


def running_nodes(*names: str) -> list[RunningNode]:
    """Return the processes of this user on this machine that run a node of one of these names."""
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            name = node_name((entry / 'cmdline').read_bytes().decode().split('\0'))
            if name not in names:
                continue
            pairs = (pair.partition('=') for pair in (entry / 'environ').read_bytes().decode().split('\0'))
        except (OSError, UnicodeDecodeError):  # it has ended, belongs to somebody else, or is none of ours
            continue
        found.append(RunningNode(name, int(entry.name), {key: value for key, _, value in pairs if key in GRAPH}))
    return found


def node_name(command: Sequence[str]) -> str:
    """Return the node that a command line runs, '' if it runs none: as `run_node NAME`, or as an executable NAME."""
    for module, name in itertools.pairwise(command):
        if module == RUN_NODE:
            return name
    executable = next((word for word in command[:2] if not PYTHON.fullmatch(word.rpartition('/')[2])), '')
    return executable.rpartition('/')[2] if '/' in executable else ''


def one_graph(nodes: Sequence[RunningNode], domain: int | None) -> RunningNode:
    """Return a node of the ROS domain that the user names; without one, of the only domain there is.

    Args:
        nodes: Where to choose from, one at least.
        domain: ROS domain; None: not named.

    Raises:
        UserError: none of them is in that domain, or they are in several and none was named.
    """
    domains = sorted({node.domain for node in nodes})
    listed = ', '.join(map(str, domains))
    if domain is None and len(domains) > 1:
        raise UserError(f'{nodes[0].name} runs in several ROS domains: {listed}; choose with --domain')
    chosen = [node for node in nodes if domain is None or node.domain == domain]
    if not chosen:
        raise UserError(f'{nodes[0].name} does not run in ROS domain {domain}, but in {listed}; choose with --domain')
    return chosen[0]


def join_graph(node: RunningNode) -> None:
    """Let what this process makes of ROS from now on join the graph of a node."""
    for variable in GRAPH:
        os.environ.pop(variable, None)
    os.environ.update(node.environment)
