"""`millirobot view`: a recorded run, or one that walks, in Rerun."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from millirobot_adapt.app.commands.shared import add_command
from millirobot_adapt.core.errors import UserError


def add(subparsers: Any) -> None:
    """Add the command."""
    viewer = add_command(subparsers, 'view', _view)
    viewer.add_argument('bag', type=Path, nargs='?', metavar='RUN', help='run folder or bag, e.g. runs/latest')
    viewer.add_argument('--live', action='store_true', help='follow what runs now instead')
    viewer.add_argument('--domain', type=int, metavar='N', help='with --live: the ROS domain, which the demo prints')
    viewer.add_argument('--seconds', type=float, metavar='S', help='with --live: follow this long (default: to Ctrl-C)')
    viewer.add_argument('--save', type=Path, metavar='FILE.rrd', help='write a file instead of opening a window')
    viewer.add_argument('--namespace', help='the robot to look at, where there are several')
    viewer.add_argument(
        '--robot', default='velociroach', help='with --live: the robot, by name or file (default: %(default)s)'
    )


def _view(args: argparse.Namespace) -> int:
    """Look at a run in Rerun, recorded or live.

    Show a run in Rerun: robot and paths in 3D, plan and predictions, errors before and after adapting, leg rates, link
    and events, all over time. With --live it follows a robot or a demo that runs.

    Rerun comes with the extra `view`. Without it, RViz and Foxglove remain: docs/looking.md.
    """
    if args.live == (args.bag is not None):
        raise UserError('view: give a run folder or a bag, or --live')
    if args.live:
        from millirobot_adapt.app.follow import follow

        count = follow(args.domain, args.namespace or '', args.save, args.seconds, args.robot)
        print(f'{count} messages shown')
    else:
        from millirobot_adapt.analysis.view.recorded import view_bag

        view_bag(args.bag, args.save, args.namespace)
    if args.save is not None:
        print(args.save)
    return 0
