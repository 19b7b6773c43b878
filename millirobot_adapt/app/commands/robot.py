"""Commands about the robot's description: robot new, robot show, robot gains."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, add_group
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path

TEMPLATES = {'twist': 'rover', 'imageproc': 'velociroach', 'dynamixel': 'xl330_hexapod'}
"""The shipped robot that a new one of a driver begins as."""


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    commands = add_group(
        subparsers, 'robot', 'describe a robot of your own',
        'A robot is a YAML file: its driver, what it reports, what it is told (docs/your-robot.md).',
    )  # fmt: skip
    new = add_command(commands, 'new', _new)
    new.add_argument('name', help='name of the robot: small letters, digits and _')
    new.add_argument('--driver', choices=sorted(TEMPLATES), default='twist', help='what carries actions to it')
    new.add_argument('--out', type=user_path, help='file to write (default: NAME.yaml)')
    show = add_command(commands, 'show', _show)
    show.add_argument('robot', help='a name under params/robots/ or a file')
    gains = add_command(commands, 'gains', _gains)
    gains.add_argument('robot', help='a name under params/robots/ or a file')
    gains.add_argument(
        '--data', type=user_path, nargs='+', required=True, metavar='DATA',
        help='files that `collect` wrote, bags, run folders',
    )  # fmt: skip


def _new(args: argparse.Namespace) -> int:
    """Write a commented file to edit.

    Write the file of a shipped robot with the same driver, under the new name.
    """
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.core.share import find

    if not re.fullmatch(r'[a-z][a-z0-9_]*', args.name):
        raise UserError(f'{args.name}: name it with small letters, digits and _, a letter first; models carry the name')
    out: Path = args.out or Path(f'{args.name}.yaml')
    if out.exists():
        raise UserError(f'{out}: exists already; give another file: --out FILE')
    template = find('params/robots', TEMPLATES[args.driver], '.yaml').read_text(encoding='utf-8')
    text = re.sub(r'^name: .*$', f'name: {args.name}', template, count=1, flags=re.MULTILINE)
    try:
        out.write_text(text, encoding='utf-8')
    except OSError as error:
        raise UserError(f'{out}: cannot be written: {error.strerror}') from None
    try:
        load_robot(str(out.absolute()))
    except UserError:
        out.unlink()
        raise
    print(f'{out}: edit it, then look at it with: millirobot robot show {out}')
    return 0


def _show(args: argparse.Namespace) -> int:
    """Check a file, and say what states and actions follow from it.

    Print driver, period, states and actions.
    """
    from millirobot_adapt.core.control.steering import turning_radius
    from millirobot_adapt.core.robot.description import load_robot

    robot = load_robot(args.robot)
    layout = robot.layout
    print(f'{robot.name}: driver {robot.driver.kind}, every {robot.dt:g} s')
    print(f'state ({layout.nx}): {", ".join(layout.state_names)}')
    for action in layout.actions:
        print(f'action {action.name}: {action.low:g} to {action.high:g} {action.unit}, stands at {action.neutral:g}')
    print(f'a network sees: {", ".join(layout.feature_names)}')
    print(f'and predicts: {", ".join(layout.target_names)}')
    print(f'narrowest turn: radius {turning_radius(layout):.3g} m')
    return 0


def _gains(args: argparse.Namespace) -> int:
    """Measure what its actions do to speed and yaw rate, on collected data.

    Fit speed_gain and turn_gain of every action to collected data, and print them beside those of the robot's file. For
    an action that is the velocity of a joint it also says how well the joint follows.
    """
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.learning.action_gains import measure_gains
    from millirobot_adapt.learning.sources import load_data

    robot = load_robot(args.robot)
    found = measure_gains(load_data(args.data), robot)
    for written, measured in zip(robot.actions, found.actions, strict=True):
        follows = '' if measured.followed != measured.followed else f'; followed to {100 * measured.followed:.0f} %'
        print(
            f'{written.name} [{written.unit}]: speed_gain {written.speed_gain:g} in the file, {measured.speed:.3g} '
            f'measured; turn_gain {written.turn_gain:g} in the file, {measured.turn:.3g} measured{follows}'
        )
    print(f'left over: {found.speed_residual:.3g} m/s and {found.turn_residual:.3g} rad/s, over {found.spans} seconds')
    return 0
