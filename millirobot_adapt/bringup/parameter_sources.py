"""Which files the parameters of a run come from, and which edited ones are not read."""

from __future__ import annotations

import filecmp
from collections.abc import Collection, Sequence
from pathlib import Path

from millirobot_adapt.bringup.interpreter import built_from
from millirobot_adapt.bringup.processes import NODES
from millirobot_adapt.core.share import share_dir


def parameter_sources(nodes: Collection[str], own_files: Sequence[Path] = ()) -> list[str]:
    """Return the files that the parameters of some nodes come from; a later one wins over an earlier one."""
    shipped = [node.parameter_file for node in NODES if node.name in nodes]
    return [str(path.resolve()) for path in (*shipped, *own_files)]


def describe_sources(nodes: Collection[str], own_files: Sequence[Path] = ()) -> list[str]:
    """Return the lines that tell at a start which parameter files are read, and which edited ones are not."""
    names = [node.parameter_file.name for node in NODES if node.name in nodes]
    own = ''.join(f', then {path.resolve()}' for path in own_files)
    lines = [f'parameters: {share_dir() / "params"}/{{{",".join(names)}}}{own}, then the command line']
    lines += [f'warning: {line}' for line in stale_files()]
    return lines


def stale_files(installed: Path | None = None, checkout: Path | None = None) -> list[str]:
    """Say for each shipped parameter file that differs between the checkout and its installed copy that it does.

    Args:
        installed: Folder `params` that is read; by default that of this installation.
        checkout: The checkout that this was built from; by default the one that `colcon build` noted, if any.
    """
    installed = installed or share_dir() / 'params'
    checkout = checkout or built_from()
    if checkout is None or not (checkout / 'params').is_dir() or installed.samefile(checkout / 'params'):
        return []
    found = []
    for path in sorted(installed.rglob('*.yaml')):
        source = checkout / 'params' / path.relative_to(installed)
        if not source.is_file():
            found.append(f'{source} is gone; its installed copy {path} is still read; build again')
        elif not filecmp.cmp(source, path, shallow=False):
            found.append(
                f'{source} differs from its installed copy {path}, which is the one that is read; build again, or '
                'give a parameter file of your own by params:=...'
            )
    return found
