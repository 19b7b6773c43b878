"""`millirobot collect`: data for training, from the mock in lock-step or from a robot in real time."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, add_common, add_force, between, check_free
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder, user_path
from millirobot_adapt.core.robot.description import load_robot


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, 'collect', _collect)
    parser.add_argument('--out', type=user_path, help='file to write; with --live where run folders go (default: runs)')
    parser.add_argument('--minutes', type=float, help='how long to walk (default: 60; with --live 10)')
    add_common(parser, '--seed')
    parser.add_argument(
        '--condition',
        help='what the mock walks on: a name or a file (default: hidden ones; with --live carpet, a rover: flat)',
    )
    add_common(parser, '--robot')
    lockstep = parser.add_argument_group('in lock-step')
    lockstep.add_argument('--jobs', type=between(int, 1, 256), default=1, help='processes (default: %(default)s)')
    add_force(lockstep)
    live = parser.add_argument_group('live')
    live.add_argument('--live', action='store_true', help='walk in real time')
    live.add_argument('--port', default='', help="serial port of the robot's radio or bus (default: the mock robot)")
    live.add_argument(
        '--no-mock', action='store_true', help='the robot is here though no port is named: it takes velocity commands'
    )
    live.add_argument(
        '--set', action='append', default=[], metavar='NODE.PARAMETER=VALUE', dest='overrides',
        help='change one parameter of params/NODE.yaml, e.g. collector.radius=0.8; may be repeated',
    )  # fmt: skip


def _collect(args: argparse.Namespace) -> int:
    """Collect data under a random policy: the mock in lock-step, or with --live a robot in real time.

    Without --live: walk with the mock, much faster than real time, and write rollouts to --out FILE.npz. With --live:
    start the processes that drive the real robot and the collector in place of the controller, walk inside a circle
    (params/collector.yaml), and leave a run folder with a bag in --out DIR. `millirobot train --data` takes both.

    Exit codes: 0 walked to the end, 1 ended early, 2 bad input, 130 interrupted.
    """
    if args.live:
        return _live(args)
    if args.port or args.overrides or args.no_mock:
        raise UserError('--port, --no-mock and --set are for a robot in real time; add --live')
    if args.out is None:
        raise UserError('--out is missing; name the file to write, e.g. --out data.npz')
    return _lockstep(args)


def _lockstep(args: argparse.Namespace) -> int:
    """Collect on the mock, without ROS and without waiting."""
    from millirobot_adapt.learning.collect import CollectConfig, collect

    make_folder(args.out.parent)
    if args.out.is_dir():
        raise UserError(f'{args.out}: is a folder; name a file, e.g. --out {args.out / "data.npz"}')
    minutes = CollectConfig.minutes if args.minutes is None else args.minutes
    config = CollectConfig(minutes=minutes, seed=args.seed, jobs=args.jobs, condition=args.condition or '')
    check_free(args.out, args.out, 'collected data', args.force)
    rollouts = collect(config, load_robot(args.robot))
    rollouts.save(args.out)
    print(f'{args.out}: {rollouts.valid.size} transitions, {100 * rollouts.valid.mean():.1f} % usable')
    return 0


def _live(args: argparse.Namespace) -> int:
    """Collect with the processes of a live run, write its report, and say what of it can be learned from."""
    from millirobot_adapt.analysis.report import REPORT, write_report
    from millirobot_adapt.app.collecting import FAILED, Collecting, run_collecting
    from millirobot_adapt.bringup.robot_choice import FLOORS
    from millirobot_adapt.learning.sources import read_bag

    collecting = Collecting(
        minutes=10.0 if args.minutes is None else args.minutes,
        port=args.port,
        condition=args.condition or FLOORS[load_robot(args.robot).driver.kind],
        seed=args.seed,
        out=args.out or Path('runs'),
        overrides=args.overrides,
        robot=args.robot,
        mock=not args.port and not args.no_mock,
    )
    code, folder = run_collecting(collecting, shlex.join(['millirobot', *sys.argv[1:]]))
    try:
        write_report(folder)
        print(f'report: {folder / REPORT}')
        count = int(read_bag(folder).valid.sum())
    except UserError as error:
        print(f'millirobot: {error}', file=sys.stderr)
        return code or FAILED
    print(f'{folder}: {count} usable transitions; next: millirobot train --data {folder} --out RUN')
    return code
