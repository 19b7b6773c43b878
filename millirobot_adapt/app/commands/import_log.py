"""The command `millirobot import-log`."""

from __future__ import annotations

import argparse
from typing import Any

from millirobot_adapt.app.commands.shared import add_command
from millirobot_adapt.core.files import user_path


def add(subparsers: Any) -> None:
    """Add the command."""
    importer = add_command(subparsers, 'import-log', _import_log)
    importer.add_argument('log', type=user_path, metavar='FILE.npz', help='the log')
    importer.add_argument('--out', type=user_path, required=True, metavar='BAG', help='bag folder to make')
    importer.add_argument('--robot', default='velociroach', help='robot whose scales apply (default: %(default)s)')


def _import_log(args: argparse.Namespace) -> int:
    """Turn one of the lab's logs (npz) into a bag.

    Turn one of the lab's logs into a bag with the topics and stamps of a live run, rollouts marked.
    """
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.recording.lab.import_log import import_log

    report = import_log(args.log, args.out, load_robot(args.robot))
    print(
        f'{args.out}: {report.rollouts} rollouts, {report.minutes:.1f} min, {report.messages} messages; '
        f'{report.skipped} rollouts in open-loop PWM skipped, {report.stale} stale replies left out'
    )
    return 0
