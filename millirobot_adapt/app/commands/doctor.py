"""The command `millirobot doctor`: find out whether this machine is ready for a run."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_common
from millirobot_adapt.core.files import user_path

if TYPE_CHECKING:
    from millirobot_adapt.app.doctor.finding import Finding

OK, FAILED = 0, 1
SCHEMA = 2
"""Version of the JSON."""


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    parser = add_command(subparsers, 'doctor', _doctor)
    parser.add_argument(
        '--robot', nargs='?', const='', metavar='ROBOT',
        help='the robot, its radio and motion capture should be here; ROBOT is a name under params/robots/ or a file '
        '(default: that of the parameters)',
    )  # fmt: skip
    parser.add_argument('--port', help='serial port of the radio or the bus (default: that of the parameters)')
    parser.add_argument('--model', help='a name under models/ or a folder (default: that of the parameters)')
    parser.add_argument(
        '--params', type=user_path, help='a ROS 2 parameter file, or a folder of them (default: shipped)'
    )
    parser.add_argument(
        '--mocap-topic', help='where poses are published (default: mocap/pose, or as the parameters say)'
    )
    add_common(parser, '--json')


def _doctor(args: argparse.Namespace) -> int:
    """Look at the machine, ROS, radio, motion capture, parameters and model, and say what to fix.

    Each line is ok, warn or fail, and says how to fix what is not ok. Nothing is sent to the robot. Hardware that is
    absent is a warning, with --robot a failure. Takes about five seconds.

    Exit codes: 0 nothing failed, 1 something did, 2 bad input.
    """
    from millirobot_adapt.app.doctor.examine import examine
    from millirobot_adapt.app.doctor.subject import Subject

    subject = Subject(
        robot_expected=args.robot is not None,
        robot=args.robot or None,
        port=args.port,
        model=args.model,
        params=args.params,
        mocap_topic=args.mocap_topic,
    )
    found = []
    for name, finding in examine(subject):
        found.append((name, finding))
        if not args.json:
            print(_text(name, finding), flush=True)
    count = Counter(finding.level.value for _, finding in found)
    passed = count['fail'] == 0
    if args.json:
        rows = [{'check': name, 'level': f.level.value, 'what': f.what, 'fix': f.fix} for name, f in found]
        print(json.dumps({'schema': SCHEMA, 'passed': passed, 'findings': rows}, indent=2))
    else:
        print(f'{count["ok"]} ok, {count["warn"]} warn, {count["fail"]} fail')
    return OK if passed else FAILED


def _text(name: str, finding: Finding) -> str:
    line = f'{finding.level.value:5}{name:12} {finding.what}'
    return f'{line}\n{"":18}-> {finding.fix}' if finding.fix else line
