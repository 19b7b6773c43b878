"""The commands `millirobot params new` and `millirobot params migrate`: your own parameter file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, add_group
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import exists, user_path, write_whole

OK = 0
OF_A_LAB = ('bridge', 'estimator', 'controller', 'collector', 'teleop')
"""The nodes with parameters that differ from lab to lab."""
HEAD = """\
# The parameters of our lab. Change what differs here, and take out what does not: it then follows the shipped file.
#   ros2 launch millirobot_adapt robot.launch.py params:={name}
#   millirobot doctor --params {name}
# `/**/bridge` is the bridge in any namespace; `/robot1/bridge` that of one robot.
"""


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    commands = add_group(subparsers, 'params', 'make a parameter file of your own, or bring one up to date')
    new = add_command(commands, 'new', _new)
    new.add_argument('file', type=user_path, nargs='?', default=Path('lab.yaml'), help='default: lab.yaml')
    new.add_argument('--nodes', default=','.join(OF_A_LAB), help='nodes, comma-separated (default: %(default)s)')
    migrate = add_command(commands, 'migrate', _migrate)
    migrate.add_argument('file', type=user_path, help='a ROS 2 parameter file')


def _new(args: argparse.Namespace) -> int:
    """Write a parameter file to edit, with a comment on every line.

    Write a parameter file of your own from the shipped ones, to edit and to give to the launch files (params:=), to the
    doctor (--params) and to nodes (--params-file).
    """
    from millirobot_adapt.bringup.processes import NODES
    from millirobot_adapt.core.errors import did_you_mean

    nodes = {node.name: node for node in NODES}
    parts = [HEAD.format(name=args.file)]
    for name in args.nodes.split(','):
        if name not in nodes:
            raise UserError(f'--nodes: unknown node {name!r}{did_you_mean(name, nodes)}')
        shipped = nodes[name].parameter_file.read_text(encoding='utf-8')
        parts.append(shipped.replace(f'\n{name}:\n', f'\n/**/{name}:\n', 1))
    if exists(args.file):
        raise UserError(f'{args.file}: is there already; name another file, or move it away')
    write_whole(args.file, '\n'.join(parts))
    print(f'{args.file}: edit it, then start with params:={args.file}')
    return OK


def _migrate(args: argparse.Namespace) -> int:
    """Write a parameter file of an earlier version under the present names.

    Rename what has another name now, convert what became several parameters, take out what is gone, and say so.
    Comments and all other lines stay. The file as it was is kept beside it, with .old at its end.
    """
    from millirobot_adapt.app.parameter_migration import migrate

    made, changes = migrate(args.file)
    if not changes:
        print(f'{args.file}: every parameter has its present name')
        return OK
    old = args.file.with_name(f'{args.file.name}.old')
    if old.exists():
        raise UserError(f'{old}: is there already; move it away')
    write_whole(old, args.file.read_text(encoding='utf-8'))
    write_whole(args.file, made)
    for change in changes:
        print(f'{args.file}: {change}')
    return OK
