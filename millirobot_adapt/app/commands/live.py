"""Commands that run the robot, or the mock, in real time: demo."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, add_common, add_model_options, between
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    demo = add_command(subparsers, 'demo', _demo)
    demo.add_argument(
        '--seconds',
        type=between(float, 1.0, 3600.0, 'seconds'),
        default=40.0,
        help='how long to walk [s] (default: 40)',
    )
    demo.add_argument('--shape', help='straight, left, zigzag, figure8, ..., or a CSV of waypoints x,y [m]')
    demo.add_argument('--condition', help='what happens: a name under params/conditions/ or a file')
    demo.add_argument('--robot', help='a name under params/robots/ or a file (default: velociroach)')
    add_model_options(demo, "the controller's, or with --robot the one that ships for it")
    demo.add_argument(
        '--versus', metavar='METHOD',
        help='walk each seed with this method too, and leave a page in --out that compares them: versus_<stamp>.html',
    )  # fmt: skip
    demo.add_argument(
        '--seeds', type=between(int, 1, 100, 'seeds'), metavar='N',
        help='with --versus: number of seeds, from --seed on (default: 1); from 2 on the difference has an interval',
    )  # fmt: skip
    demo.add_argument(
        '--firmware', metavar='{python,host,qemu}',
        help="what runs on the mock's microcontroller: its own Python (default), or the reference firmware in C as a "
        'process of this machine (host) or on an emulated Cortex-M3 (qemu); docs/firmware.md',
    )  # fmt: skip
    add_common(demo, '--seed')
    demo.add_argument('--out', type=user_path, default=Path('runs'), help='where run folders go (default: runs)')
    demo.add_argument(
        '--set', action='append', default=[], metavar='NODE.PARAMETER=VALUE', dest='overrides',
        help='change one parameter of params/NODE.yaml, e.g. controller.planner.samples=200; may be repeated',
    )  # fmt: skip


def _demo(args: argparse.Namespace) -> int:
    """Walk a path with a mock robot in real time, break something at half-time, leave a report.

    Start the mock robot and the processes that drive the real one, walk a path, take a leg away (servo hexapod: one
    servo dies; rover: one wheel weakens) at half-time, and leave a bag, the parameters, a summary and a report in a run
    folder. Ctrl-C at any moment stops the robot, ends every process and still writes the report.

    Exit codes: 0 walked to the end, 1 ended early, 2 bad input, 130 interrupted.
    """
    from millirobot_adapt.app.demo import Demo, run_demo

    demo = Demo(
        seconds=args.seconds,
        shape=args.shape,
        condition=args.condition,
        method=args.method,
        model=args.model,
        seed=args.seed,
        out=args.out,
        overrides=args.overrides,
        firmware=args.firmware,
        robot=args.robot,
    )
    command = shlex.join(['millirobot', *sys.argv[1:]])
    if args.versus:
        from millirobot_adapt.app.versus import run_versus

        return run_versus(demo, args.versus, args.seeds or 1, command)
    if args.seeds:
        raise UserError('--seeds goes with --versus METHOD; a demo alone walks one seed')
    return run_demo(demo, command)
