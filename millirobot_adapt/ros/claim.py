"""Claim a node's name on this machine: of two processes with the same node, the second refuses to start.

A claim is a Unix socket in the abstract namespace: taking it is atomic, it needs no file, and the kernel gives it back
however the process ends. It holds for one machine (one network namespace) and one ROS domain.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path


class Claim:
    """A claimed name."""

    def __init__(self, held: socket.socket) -> None:
        self._held = held

    def release(self) -> None:
        """Give the name back."""
        self._held.close()


def domain_id() -> str:
    """Return the ROS domain of this process."""
    return os.environ.get('ROS_DOMAIN_ID', '') or '0'


def claim(name: str) -> Claim | None:
    """Claim a fully qualified node name, such as `/robot1/bridge`; None if a living process has it."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        made.bind(_address(name))
    except OSError:
        made.close()
        return None
    return Claim(made)


def holder(name: str) -> str:
    """Return ' (process N)' for the process of ours that holds a claim, '' where that is not to be found out."""
    try:
        lines = Path('/proc/net/unix').read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError:
        return ''
    wanted = '@' + _address(name)[1:]
    inodes = {words[6] for words in map(str.split, lines) if len(words) == 8 and words[7] == wanted}
    for process in Path('/proc').iterdir():
        if not re.fullmatch(r'\d+', process.name):
            continue
        try:
            links = [os.readlink(link) for link in (process / 'fd').iterdir()]
        except OSError:
            continue
        if any(f'socket:[{inode}]' in links for inode in inodes):
            return f' (process {process.name})'
    return ''


def _address(name: str) -> str:
    return f'\0millirobot_adapt/{domain_id()}{name}'
